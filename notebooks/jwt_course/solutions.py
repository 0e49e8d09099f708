"""The solutions of a lesson: written once, in `lesson_NN/solutions.md`.

A solution is a block of code that says which exercise it answers, and whether the check accepts
it. Any other block is run without a check.

    ```python q1 right
    answer = 8
    ```

`qN.solution()` shows the first right answer. `tools/solution_notebooks.py` turns the whole text
into `notebooks/solutions/NN_*.ipynb`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

_FENCED = re.compile(r"^```python(?: (q\d+) (right|wrong))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A piece of the solutions.

    Attributes:
        text (str): Markdown or code, with no empty lines around it.
        is_code (bool): which of the two.
        exercise (str): such as "q1"; "" for prose, and for code that answers nothing.
        right (bool): the check accepts the answer.
    """

    text: str
    is_code: bool = False
    exercise: str = ""
    right: bool = False


def read_solutions(lesson: str) -> tuple[Block, ...]:
    """The solutions of a lesson, in their order.

    Args:
        lesson (str): its package, such as "jwt_course.lesson_02".
    """
    text = files(lesson).joinpath("solutions.md").read_text(encoding="utf-8")
    blocks, end = [], 0
    for match in _FENCED.finditer(text):
        blocks.append(Block(text[end : match.start()].strip()))
        exercise, kind, code = match.groups(default="")
        blocks.append(Block(code.strip(), True, exercise, kind == "right"))
        end = match.end()
    blocks.append(Block(text[end:].strip()))
    return tuple(block for block in blocks if block.text)


def right_answers(lesson: str) -> Mapping[str, str]:
    """The code of the first right answer to each exercise of a lesson."""
    answers: dict[str, str] = {}
    for block in read_solutions(lesson):
        if block.right:
            answers.setdefault(block.exercise, block.text)
    return answers

"""The script of docs/how-to/grade.md grades submitted copies."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jwt_course.copies import start
from jwt_course.progress import FILE
from jwt_course.solutions import right_answers

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/grade.md").read_text(encoding="utf-8")
LESSON = "05_stampede.ipynb"


@pytest.fixture
def right() -> Any:
    """The function that the page gives."""
    [code] = re.findall(r"^```py grade\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return names["right"]


def submitted(folder: Path, *answers: str) -> Path:
    """A copy of lesson 05, with an answer in place of each placeholder that it begins as.

    What takes long in it is left out: the answers need the first code cell only.
    """
    start(folder)
    notebook = nbformat.read(folder / LESSON, as_version=4)
    first = next(cell for cell in notebook.cells if "import" in cell.source)
    notebook.cells = [first, *map(nbformat.v4.new_code_cell, answers)]
    nbformat.write(notebook, folder / LESSON)
    return folder / LESSON


def test_submitted_copies_are_graded(
    tmp_path: Path, right: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    solutions = right_answers("jwt_course.lesson_05")
    ada = submitted(tmp_path / "ada", solutions["q1"], "1 / 0", solutions["q3"])
    monkeypatch.chdir(ada.parent)
    assert right(ada, "05", 3) == [1, 3]
    assert not Path(FILE).exists()  # grading is no progress of the learner


def test_a_false_exercise_decides_nothing(tmp_path: Path, right: Any) -> None:
    cheat = "class Right:\n    def assert_check_passed(self): pass\n\n\nq1 = q2 = q3 = Right()"
    bob = submitted(tmp_path / "bob", cheat, "my_window = lambda lifetime: 10")
    assert right(bob, "05", 3) == []

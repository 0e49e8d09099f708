"""The solutions are written once: what `solution()` shows, and the notebooks made of them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jwt_course.solutions import Block, read_solutions, right_answers

from tools.solution_notebooks import cells, lessons, write

from .learner import cell

LESSONS = [f"jwt_course.lesson_{number:02}" for number in range(2, 13)]


def exercises(lesson: str, namespace: Mapping[str, Any]) -> tuple[Any, ...]:
    made: tuple[Any, ...] = import_module(lesson).exercises(namespace)
    return made


def test_there_is_a_notebook_for_each_lesson() -> None:
    assert list(lessons().values()) == LESSONS


@pytest.mark.parametrize("lesson", LESSONS)
def test_each_exercise_has_a_right_answer(lesson: str) -> None:
    names = [exercise.name for exercise in exercises(lesson, {})]
    assert list(right_answers(lesson)) == names


@pytest.mark.parametrize("lesson", [each for each in LESSONS if each != "jwt_course.lesson_09"])
def test_each_right_answer_passes_its_check(lesson: str) -> None:
    """The code of `solutions.md` in its order. Lesson 09's notebook does the same in 20 seconds."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    asked = {exercise.name: exercise for exercise in exercises(lesson, namespace)}
    for exercise in asked.values():
        exercise.assert_check_unattempted()
    for block in read_solutions(lesson):
        if block.right or (block.is_code and not block.exercise):
            cell(block.text, namespace)
        if block.right:
            asked[block.exercise].assert_check_passed()


@pytest.mark.parametrize("lesson", LESSONS)
def test_what_solution_shows_is_what_the_notebook_runs(
    lesson: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = [each.source for each in cells(lesson)]
    for exercise in exercises(lesson, {}):
        exercise.solution()
        shown = capsys.readouterr().out.split(":\n\n", 1)[1].strip()
        assert f"{shown}\n\n\n{exercise.name}.assert_check_passed()" in sources


@pytest.mark.parametrize(("path", "lesson"), lessons().items(), ids=lambda value: str(value)[-12:])
def test_a_solution_notebook_is_what_the_tool_would_write(path: Path, lesson: str) -> None:
    saved = nbformat.read(path, as_version=4).cells
    assert [(cell.id, cell.cell_type, cell.source) for cell in saved] == [
        (cell.id, cell.cell_type, cell.source) for cell in cells(lesson)
    ]


def test_what_is_written_again_keeps_its_outputs(tmp_path: Path) -> None:
    (path, lesson), *_ = lessons().items()
    again = tmp_path / path.name
    again.write_bytes(path.read_bytes())
    write(again, lesson)
    assert again.read_text() == path.read_text()


def test_a_text_is_taken_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "a_lesson"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "solutions.md").write_text(
        "# Title\n\n```python\nimport math\n```\n\nWhy.\n\n```python q1 wrong\nx = 1\n```\n\n"
        "```python q1 right\nx = 2\n\ny = 3\n```\n\n```python q1 right\nx = 4\n```\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert read_solutions("a_lesson") == (
        Block("# Title"),
        Block("import math", is_code=True),
        Block("Why."),
        Block("x = 1", is_code=True, exercise="q1"),
        Block("x = 2\n\ny = 3", is_code=True, exercise="q1", right=True),
        Block("x = 4", is_code=True, exercise="q1", right=True),
    )
    assert right_answers("a_lesson") == {"q1": "x = 2\n\ny = 3"}

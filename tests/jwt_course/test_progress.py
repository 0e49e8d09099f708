"""Progress: what is written, what is not, and what the report makes of it."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jwt_course import lesson_05
from jwt_course.__main__ import main
from jwt_course.copies import MANIFEST
from jwt_course.progress import COLUMNS, FILE, record, report

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)


def an_empty_copy(folder: Path) -> Path:
    """The manifest makes it a copy. The lessons in it take longer, and no test here needs them."""
    folder.mkdir(parents=True)
    (folder / MANIFEST).touch()
    return folder


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A learner's copy in which this process runs."""
    folder = an_empty_copy(tmp_path / "ada" / "my-course")
    monkeypatch.chdir(folder)
    return folder


def lines(copy: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (copy / FILE).read_text().splitlines()]


def deeds(copy: Path) -> list[tuple[str, str, str, bool | None]]:
    return [(e["lesson"], e["exercise"], e["did"], e["right"]) for e in lines(copy)]


def reported(*folders: Path) -> list[dict[str, str]]:
    """The rows of a report."""
    out = io.StringIO()
    report(folders, out, io.StringIO())
    return list(csv.DictReader(io.StringIO(out.getvalue())))


def test_an_event_holds_no_code(copy: Path) -> None:
    record("jwt_course.lesson_02.judges", "q1", "check", False, now=lambda: NOON)
    at = "2026-09-01T12:00:00+00:00"
    event = {"at": at, "lesson": "02", "exercise": "q1", "did": "check", "right": False}
    assert lines(copy) == [event]


def test_each_check_hint_and_solution_of_a_lesson_is_an_event(copy: Path) -> None:
    notebook: dict[str, Any] = {"my_window": ...}
    *_, q3 = lesson_05.exercises(notebook)
    q3.check()
    notebook["my_window"] = lambda lifetime: 10
    q3.check()
    q3.hint()
    q3.solution()
    notebook["my_window"] = lambda lifetime: min(10, lifetime / 5)
    q3.check()
    q3.assert_check_passed()  # for CI and graders: not the learner's doing
    assert deeds(copy) == [
        ("05", "q3", "check", None),
        ("05", "q3", "check", False),
        ("05", "q3", "hint", None),
        ("05", "q3", "solution", None),
        ("05", "q3", "check", True),
    ]
    assert reported(copy) == [
        {
            "learner": "ada", "lesson": "05", "exercise": "q3",
            "result": "right with the solution",
            "right": "1", "wrong": "1", "hints": "1", "solutions": "1",
        }
    ]  # fmt: skip


def test_nothing_is_written_outside_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    record("jwt_course.lesson_02", "q1", "check", True)
    assert list(tmp_path.iterdir()) == []


def test_an_exercise_of_no_lesson_is_not_recorded(copy: Path) -> None:
    record("__main__", "q1", "check", True)
    assert not (copy / FILE).exists()


def test_several_kernels_may_write_at_once(copy: Path) -> None:
    code = (
        "from jwt_course.progress import record\n"
        "for n in range(50): record('jwt_course.lesson_02', f'q{n}', 'check', True)"
    )
    kernels = [subprocess.Popen([sys.executable, "-c", code], cwd=copy) for _ in range(3)]
    assert [kernel.wait() for kernel in kernels] == [0, 0, 0]
    written = sorted(event["exercise"] for event in lines(copy))
    assert written == sorted([f"q{n}" for n in range(50)] * 3)


def test_the_command_loads_neither_widgets_nor_a_server(copy: Path) -> None:
    code = (
        "import sys, jwt_course.__main__\n"
        "assert not {'ipywidgets', 'flask', 'requests', 'demo_server'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=copy, check=True)


def test_a_line_that_was_cut_short_costs_no_other(copy: Path) -> None:
    (copy / FILE).write_bytes(b'{"lesson": "02", "exer')
    record("jwt_course.lesson_02", "q1", "check", True)
    assert [(row["exercise"], row["result"]) for row in reported(copy)] == [("q1", "right")]


def test_a_fault_never_stops_a_lesson(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copy / FILE).mkdir()  # it cannot be written, not even by root
    *_, q3 = lesson_05.exercises({"my_window": lambda lifetime: min(10, lifetime / 5)})
    q3.check()
    assert capsys.readouterr().out.startswith("q3 is right.")
    assert reported(copy) == []


@pytest.mark.parametrize(
    ("done", "result"),
    [
        (["wrong"], "wrong"),
        (["wrong", "right"], "right"),
        (["right", "solution", "right"], "right"),
        (["wrong", "solution", "right"], "right with the solution"),
        (["wrong", "solution"], "wrong"),
        (["hint", "solution"], "not answered"),
        (["unanswered", "right", "wrong"], "right"),
    ],
)
def test_the_result_of_an_exercise(copy: Path, done: list[str], result: str) -> None:
    verdicts = {"right": True, "wrong": False, "unanswered": None}
    for deed in done:
        if deed in verdicts:
            record("jwt_course.lesson_02", "q1", "check", verdicts[deed])
        else:
            record("jwt_course.lesson_02", "q1", deed)  # type: ignore[arg-type]
    [row] = reported(copy)
    assert row["result"] == result
    assert row["right"] == str(done.count("right"))
    assert row["wrong"] == str(done.count("wrong"))


def test_a_guess_counts_by_its_first_answer(copy: Path) -> None:
    record("jwt_course.lesson_03", "g2", "guess", False)
    record("jwt_course.lesson_03", "g2", "guess", True)
    [row] = reported(copy)
    assert (row["exercise"], row["result"]) == ("g2", "wrong")


def test_the_report_has_a_row_for_each_learner_and_exercise_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("bob/my-course", "ada/my-course", "cid"):
        an_empty_copy(tmp_path / name)
    for folder in (tmp_path / "bob/my-course", tmp_path / "ada/my-course"):
        monkeypatch.chdir(folder)
        for lesson, exercise in [("03", "q2"), ("02", "q10"), ("02", "q2"), ("02", "g1")]:
            record(f"jwt_course.lesson_{lesson}", exercise, "check", True)
    assert main(["report", str(tmp_path), str(tmp_path / "nowhere")]) == 0
    said = capsys.readouterr()
    head, *table = csv.reader(io.StringIO(said.out))
    assert tuple(head) == COLUMNS
    exercises = [["02", "g1"], ["02", "q2"], ["02", "q10"], ["03", "q2"]]
    assert [row[:3] for row in table] == [
        [name, *exercise] for name in ("ada", "bob") for exercise in exercises
    ]
    nowhere = tmp_path / "nowhere"
    assert said.err.splitlines() == [
        "cid: nothing is recorded yet.",
        f"{nowhere}: no copy of the course is in it.",
    ]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "'=1"])
def test_no_name_is_a_formula(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    an_empty_copy(tmp_path / name)
    monkeypatch.chdir(tmp_path / name)
    record("jwt_course.lesson_02", "q1", "check", True)
    [row] = reported(tmp_path)
    assert row["learner"][0] in "'\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    "line",
    [
        "", "[]", "7", '"q1"', "\x00", "{", "{}", "[" * 100_000,
        '{"lesson": "=1", "exercise": "q1", "did": "check", "right": true}',
        '{"lesson": "02", "exercise": "=1", "did": "check", "right": true}',
        '{"lesson": "02", "exercise": "q1", "did": "=1", "right": true}',
        '{"lesson": "02", "exercise": "q1", "did": "check", "right": "=1"}',
        '{"lesson": 2, "exercise": ["q1"], "did": {}, "right": 0}',
    ],
)  # fmt: skip
def test_what_a_learner_writes_there_reaches_no_cell(
    copy: Path, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    record("jwt_course.lesson_02", "q1", "check", True)
    with open(copy / FILE, "a", encoding="utf-8") as file:
        file.write(line + "\n")
    main(["report", str(copy)])
    said = capsys.readouterr()
    assert said.out.splitlines()[1:] == ["ada,02,q1,right,1,0,0,0"]
    assert said.err == ("ada: 1 lines cannot be read.\n" if line else "")


def test_the_help_says_that_the_file_proves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["report", "--help"])
    words = " ".join(capsys.readouterr().out.split())
    assert "which they can edit: it proves nothing, so do not give marks for it" in words
    assert ", ".join(COLUMNS) in words

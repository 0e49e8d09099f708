"""A learner's copy: what is in it, what is kept, and what an upgrade says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
from jwt_course import copies
from jwt_course.__main__ import main
from jwt_course.copies import MANIFEST, CopyError, fresh, is_copy, lessons, start

ROOT = Path(__file__).parents[2]

FOUR = "04_two_faults.ipynb"


def begin(folder: Path, *reset: str) -> list[str]:
    return start(folder, reset)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / "my course"
    begin(folder)
    return folder


@pytest.fixture
def upgrade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lab in which lesson 04 has one more sentence."""
    old = copies.fresh

    def newer(lesson: Path) -> bytes:
        return old(lesson).replace(b"# 04", b"# 04 (new)")

    monkeypatch.setattr(copies, "fresh", newer)


def work_on(lesson: Path) -> bytes:
    lesson.write_bytes(lesson.read_bytes().replace(b"= ...", b"= my_answer"))
    return lesson.read_bytes()


def test_a_copy_has_the_lessons_without_outputs_and_without_solutions(copy: Path) -> None:
    found = sorted(path.name for path in copy.iterdir())
    names = [path.name for path in lessons().values()]
    assert found == sorted([MANIFEST, "glossary.md", "images", *names])
    assert list(lessons()) == [f"{number:02}" for number in range(1, 13)]
    for path in copy.glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert code
        assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


def test_each_link_of_a_copy_leads_to_a_file_in_it(copy: Path) -> None:
    for path in copy.glob("*.ipynb"):
        links = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8"))
        assert [link for link in links if not (copy / link).exists()] == []


def test_a_second_start_changes_nothing(copy: Path) -> None:
    files = [path for path in copy.rglob("*") if path.is_file()]
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}
    assert begin(copy) == [f"{copy} has all lessons. Nothing of yours was changed."]
    files = [path for path in copy.rglob("*") if path.is_file()]
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files} == before


def test_work_is_never_overwritten(copy: Path) -> None:
    mine = work_on(copy / FOUR)
    begin(copy)
    assert (copy / FOUR).read_bytes() == mine


def test_a_lesson_that_was_deleted_comes_back(copy: Path) -> None:
    (copy / FOUR).unlink()
    assert begin(copy)[0].startswith(f"{copy} has 1 new lesson.")
    assert (copy / FOUR).read_bytes() == fresh(lessons()["04"])


@pytest.mark.parametrize("number", ["04", "4"])
def test_reset_keeps_the_old_lesson_under_a_name_of_its_own(copy: Path, number: str) -> None:
    olds = [copy / f"04_two_faults.old-{n}.ipynb" for n in (1, 2)]
    mine = [work_on(copy / FOUR)]
    assert begin(copy, number) == [f"Lesson 04 is fresh again. Your old one is {olds[0].name}."]
    assert (copy / FOUR).read_bytes() == fresh(lessons()["04"])
    mine.append(work_on(copy / FOUR).replace(b"my", b"our"))
    (copy / FOUR).write_bytes(mine[1])
    begin(copy, number)
    assert [old.read_bytes() for old in olds] == mine


@pytest.mark.usefixtures("upgrade")
class TestUpgrade:
    @pytest.fixture
    def copy(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        with monkeypatch.context() as patch:
            patch.setattr(copies, "fresh", fresh)
            begin(tmp_path / "course")
        return tmp_path / "course"

    def test_a_lesson_that_was_not_begun_is_replaced(self, copy: Path) -> None:
        said = begin(copy)
        assert said[0] == "Lesson 04 has changed in the lab. You had not begun it: it is new."
        assert b"# 04 (new)" in (copy / FOUR).read_bytes()
        assert begin(copy) == [f"{copy} has all lessons. Nothing of yours was changed."]

    def test_one_that_was_begun_is_kept_and_named_each_time(self, copy: Path) -> None:
        mine = work_on(copy / FOUR)
        for _ in range(2):
            said = begin(copy)[0]
            assert said.startswith("Lesson 04 has changed in the lab since you copied it. Yours is")
            assert said.endswith(f'python -m jwt_course start "{copy}" --reset 04')
            assert (copy / FOUR).read_bytes() == mine
        begin(copy, "04")
        assert b"# 04 (new)" in (copy / FOUR).read_bytes()
        assert len(begin(copy)) == 1


@pytest.mark.parametrize("manifest", ["", "[]", '{"lessons": 7}', '{"lessons": {}}', "\x00"])
def test_a_half_finished_copy_is_finished(copy: Path, manifest: str) -> None:
    mine = work_on(copy / FOUR)
    (copy / "09_break_and_fix.ipynb").unlink()
    (copy / MANIFEST).write_text(manifest, encoding="utf-8")
    begin(copy)
    assert (copy / FOUR).read_bytes() == mine
    noted = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))["lessons"]
    assert sorted(noted) == sorted(p.name for n, p in lessons().items() if n != "04")
    assert (copy / "09_break_and_fix.ipynb").exists()


def test_a_copy_that_was_interrupted_is_still_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest is there before the first lesson."""
    folder = tmp_path / "course"

    def full(lesson: Path) -> bytes:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(copies, "fresh", full)
        with pytest.raises(CopyError, match="No space left on device"):
            begin(folder)
    assert is_copy(folder)
    begin(folder)
    assert (folder / FOUR).exists()


def fails(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command that fails says."""
    assert main(["start", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def test_errors_say_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.touch()
    assert "is a file. Name a folder" in fails(capsys, str(file))
    assert "is not a copy of the course. Name an empty folder" in fails(capsys, str(tmp_path))
    assert list(tmp_path.iterdir()) == [file]
    assert "cannot be written (Not a directory)" in fails(capsys, str(file / "course"))
    known = ", ".join(lessons())
    for number in ("13", "four", "../04"):
        said = fails(capsys, str(tmp_path / "course"), "--reset", number)
        assert said == f"There is no lesson {number}. The lessons are {known}.\n"
    assert not (tmp_path / "course").exists()


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, content: bytes) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "write_bytes", refuse)  # root may write anywhere
    said = fails(capsys, str(tmp_path / "course"))
    assert said.startswith(f"{tmp_path / 'course'} cannot be written (Permission denied).")


def test_a_lesson_runs_from_its_copy(copy: Path) -> None:
    """Nothing but what is installed is needed, and the copy's folder comes first in the path."""
    code = "from IPython.display import display\n" + "\n".join(
        "".join(cell.source)
        for cell in nbformat.read(copy / FOUR, as_version=4).cells
        if cell.cell_type == "code"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=copy, capture_output=True, text=True, env=os.environ
    )
    assert done.stderr == ""
    assert "[200, 403, 200, 403, 200]" in done.stdout


def test_the_wheel_has_all_that_a_copy_has() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    wanted = {f"notebooks/{path.name}": f"lessons/{path.name}" for path in lessons().values()}
    wanted["docs/glossary.md"] = "lessons/glossary.md"
    wanted["notebooks/images/expiry.svg"] = "lessons/images/expiry.svg"
    assert included == {source: f"jwt_course/{target}" for source, target in wanted.items()}

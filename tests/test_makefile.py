"""`make` works in a folder of any name, and after the folder has moved."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .browser.serving import KERNELS

ROOT = Path(__file__).parent.parent

#: In place of Python and of what is installed: it notes how it was called, and where.
STUB = """#!/bin/sh
echo "$(basename "$PWD"): $(basename "$0") $*" >> "$CALLS"
case "$*" in "-m venv .venv")
  mkdir -p .venv/bin && cp "$0" .venv/bin/python
esac
"""

NAME = "it's a $HOME (1)"
START, LAB = "python -m jwt_course start my-course", "python -m jupyterlab"
ALL = ["-m venv .venv", "python -m pip", START, LAB]


class Project:
    """A folder with what `make lab` reads, and a Python that only notes its calls."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / NAME
        self.folder.mkdir()
        for name in ("Makefile", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, self.folder)
        self._calls = folder / "calls"
        self.stub = folder / "any python"
        self.stub.write_text(STUB)
        self.stub.chmod(0o755)

    def make(self, target: str, folder: Path) -> list[str]:
        """Every call, without the name of the folder."""
        self._calls.write_text("")
        # make may have started these tests, with options and variables for itself.
        env = {name: text for name, text in os.environ.items() if "MAKE" not in name}
        command = ["make", target, f"PYTHON={self.stub}", "LAB_ARGS=--no-browser"]
        subprocess.run(
            command, cwd=folder, env=env | {"CALLS": str(self._calls)}, check=True, text=True
        )
        calls = self._calls.read_text().splitlines()
        assert all(call.startswith(f"{folder.name}: ") for call in calls)
        return [call.removeprefix(f"{folder.name}: ") for call in calls]

    def lab(self, folder: Path | None = None) -> list[str]:
        """The calls of `make lab` that make an environment, fill it, copy, or start the lab."""
        calls = self.make("lab", folder or self.folder)
        return [word for call in calls for word in ALL if word in call]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_the_environment_is_made_once(project: Project) -> None:
    assert project.lab() == ALL
    assert project.lab() == [START, LAB]


def test_the_lab_compiles_only_what_it_imports(project: Project) -> None:
    installs = [call for call in project.make("lab", project.folder) if "pip" in call]
    assert ["--no-compile" in call for call in installs] == [True]


def test_a_moved_folder_gets_a_new_environment(project: Project) -> None:
    project.lab()
    (project.folder / ".venv" / "old").touch()
    project.folder = project.folder.rename(project.folder.with_name("moved"))
    assert project.lab() == ALL
    assert not (project.folder / ".venv" / "old").exists()
    assert project.lab() == [START, LAB]


def test_a_copied_folder_gets_an_environment_of_its_own(project: Project) -> None:
    project.lab()
    copy = shutil.copytree(project.folder, project.folder.with_name("copy"))
    assert project.lab(copy) == ALL
    assert project.lab() == [START, LAB]
    assert project.lab(copy) == [START, LAB]


def test_an_environment_whose_python_is_gone_is_made_again(project: Project) -> None:
    project.lab()
    python = project.folder / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nonexistent/python3.11")
    assert project.lab() == ALL
    assert project.lab() == [START, LAB]


def test_new_inputs_fill_the_environment_again(project: Project) -> None:
    project.lab()
    later = (project.folder / ".venv" / "lab.done").stat().st_mtime + 1
    os.utime(project.folder / "constraints.txt", (later, later))
    assert project.lab() == ALL[1:]


def test_the_lab_finds_its_own_kernel_first(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with project.stub.open("a") as stub:
        stub.write('echo "$(basename "$PWD"): $JUPYTER_PATH" >> "$CALLS"')
    own = str(project.folder / KERNELS.relative_to(ROOT))
    for given, found in [("", own), ("/a b:/c", f"{own}:/a b:/c")]:
        monkeypatch.setenv("JUPYTER_PATH", given)
        assert project.make("lab", project.folder)[-1] == found


def test_the_fast_tests_are_all_but_those_of_the_browser_the_hub_and_the_notebooks(
    project: Project,
) -> None:
    """Whatever is new is among them. A path that is not there would leave out nothing."""
    call = project.make("test-fast", project.folder)[-1].split()
    assert call[:3] == ["python", "-m", "pytest"]
    assert "tests" in call
    left_out = {word.removeprefix("--ignore=") for word in call if word.startswith("--ignore=")}
    assert left_out == {"tests/browser", "tests/deploy", "tests/test_notebooks.py"}
    assert [path for path in left_out if not (ROOT / path).exists()] == []


def test_compiled_modules_are_kept_whatever_the_environment_says(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each of the hundreds of processes that tests start compiles the project again."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    with project.stub.open("a") as stub:
        stub.write('[ -z "$PYTHONDONTWRITEBYTECODE" ]')
    assert len(project.make("test-fast", project.folder)) > 2  # else a call has failed

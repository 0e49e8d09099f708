"""Binder builds what environment.yml asks for: repo2docker's reader says so, without docker."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from jwt_course.copies import lessons

from ..browser.serving import KERNELS
from .hub import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def build() -> str:
    """What repo2docker would do, as it tells it: its log, then the Dockerfile."""
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "."]
    # Its own settings come from the environment of the learner's machine, not of this one.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BINDER")}
    done = subprocess.run(
        command, cwd=ROOT, env=clean, capture_output=True, text=True, check=True, timeout=120
    )
    return done.stderr + done.stdout


def test_environment_yml_is_what_it_reads(build: str) -> None:
    assert 'env update -p ${NB_PYTHON_PREFIX} --file "environment.yml"' in build


def test_it_makes_the_learners_copy(build: str) -> None:
    """Last, with the lab installed. The link to start with is in the how-to."""
    assert build.rindex("./postBuild") > build.index("env update")
    script = (ROOT / "postBuild").read_text()
    assert "python -m jwt_course start my-course\n" in script
    link = (ROOT / "docs/how-to/binder.md").read_text()
    assert f"?urlpath=lab/tree/my-course/{lessons()['01'].name}\n" in link


def test_its_kernel_is_that_of_make_lab(tmp_path: Path) -> None:
    """Installed here in another place. A kernel of the same name is there already, in the image."""
    script = (ROOT / "postBuild").read_text()
    [install] = [line for line in script.splitlines() if "kernelspec" in line]
    command = install.replace("--sys-prefix", f"--prefix={tmp_path}").split()
    for _ in range(2):
        subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=True, capture_output=True)
    folders = (tmp_path / "share/jupyter/kernels/python3", KERNELS / "kernels/python3")
    installed, ours = (
        {path.name: path.read_bytes() for path in each.glob("*.*")} for each in folders
    )
    assert installed == ours


def test_it_reads_a_python_that_the_project_takes(build: str) -> None:
    """A range would not be read: the build would begin with another Python."""
    assert "Python version unspecified" not in build
    [python] = re.findall(r"Building conda environment for python=([\d.]+)", build)
    least = PROJECT["requires-python"].removeprefix(">=")
    assert tuple(map(int, python.split("."))) >= tuple(map(int, least.split(".")))


def test_the_repository_is_there_when_pip_installs_it(build: str) -> None:
    """`-e .` needs it; for an environment without it, repo2docker copies it later."""
    copied = build.index("COPY --chown=")
    assert build.index("src/ ${REPO_DIR}", copied) < build.index("env update")

"""The offline kit: it installs without a network, and a lesson runs in what it has installed."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tools import kit

#: This machine's, and a Python that is not needed to build for it.
HERE = kit.Target(platform.system(), f"{sys.version_info[0]}.{sys.version_info[1]}")

#: No index answers, so asking one fails.
OFFLINE = {
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "PIP_RETRIES": "0",
}

# The first code cells of a lesson, in its own kernel.
FIRST_CELLS = """
import nbformat
from nbclient import NotebookClient
notebook = nbformat.read("01_walkthrough.ipynb", as_version=4)
codes = [index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
del notebook.cells[codes[6]:]
NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
print(sum(bool(cell.get("outputs")) for cell in notebook.cells))
"""


def test_it_installs_without_a_network_and_a_lesson_runs(tmp_path: Path) -> None:
    folder = tmp_path / "the kit"  # a folder of any name
    kit.build(folder, [HERE])
    assert kit.needed(folder / "wheels", HERE) == set()
    lab = tmp_path / "my lab"
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    env = {**kept, **OFFLINE, "HOME": str(tmp_path), "PYTHON": sys.executable}
    env["PIP_NO_COMPILE"] = "0"  # pip's word for "on": only what the lesson imports is compiled
    installed = subprocess.run(
        ["sh", str(folder / "install.sh"), str(lab)],
        env=env,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert installed.returncode == 0, installed.stderr
    assert f'cd "{lab}" && .venv/bin/python -m jupyterlab' in installed.stdout
    shown = subprocess.run(
        [str(lab / ".venv/bin/python"), "-c", FIRST_CELLS],
        cwd=lab / "my-course",
        env=env,
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert int(shown.stdout) > 0
    saved = json.loads((folder / "my-course/01_walkthrough.ipynb").read_text())
    assert not any(cell.get("outputs") for cell in saved["cells"])


def test_the_whole_kit_has_the_docs_that_make_has_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = tmp_path / "html"
    docs.mkdir()
    (docs / "index.html").write_text("the docs")
    monkeypatch.setattr(kit, "DOCS", docs)
    monkeypatch.setattr(kit, "build", lambda folder, wanted: folder.mkdir())
    kit.main(tmp_path / "kit")
    assert (tmp_path / "kit/docs/index.html").read_text() == "the docs"


def test_make_builds_the_docs_before_the_kit() -> None:
    env = {name: text for name, text in os.environ.items() if "MAKE" not in name}
    command = ["make", "--dry-run", "kit"]
    steps = subprocess.run(command, cwd=kit.ROOT, env=env, check=True, capture_output=True)
    built = f" {kit.DOCS.relative_to(kit.ROOT)}\n".encode()
    assert 0 < steps.stdout.index(built) < steps.stdout.index(b"-m tools.kit")


@pytest.mark.parametrize(
    ("system", "needs", "lacks"),
    [("Windows", "colorama", "pexpect"), ("Darwin", "appnope", "colorama")],
)
def test_the_dependencies_are_those_of_the_target(system: str, needs: str, lacks: str) -> None:
    """And not those of the machine on which the kit is built."""
    names = kit.needed(Path("/nonexistent"), kit.Target(system, "3.12"))
    assert needs in names
    assert lacks not in names


def test_both_scripts_install_the_same() -> None:
    shell, windows = ((kit.ROOT / "deploy/kit" / name).read_text() for name in SCRIPTS)
    for each in ("--no-index --find-links", "jwt-refresh-lab", "-m jwt_course start", "-m venv"):
        assert each in shell
        assert each in windows
    assert (kit.ROOT / "deploy/kit/install.cmd").read_bytes().count(b"\r\n") == len(
        windows.splitlines()
    )


SCRIPTS = ("install.sh", "install.cmd")

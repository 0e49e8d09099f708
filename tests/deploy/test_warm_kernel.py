"""The kernel of `make lab` has the lab's libraries when it answers, and is otherwise Jupyter's."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.manager import start_new_kernel
from jupyter_client.provisioning import KernelProvisionerFactory

from ..browser.lab import wiring
from ..browser.serving import KERNELS, ROOT

OWN = {"demo_server", "client_widget", "demo_server running servers"}

Result = dict[str, Any]
Run = Callable[[str], Result]
Start = Callable[..., Run]


@contextmanager
def kernel(env: dict[str, str], cwd: Path) -> Iterator[Run]:
    """What runs a cell, and returns the content of the reply, with what was printed as `text`."""

    def run(source: str) -> Result:
        printed = []
        reply = client.execute_interactive(
            source,
            timeout=60,
            output_hook=lambda message: printed.append(message["content"].get("text", "")),
        )
        return {**reply["content"], "text": "".join(printed)}

    manager, client = start_new_kernel(kernel_name="python3", env=env, cwd=cwd)
    try:
        yield run
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Start]:
    """Start a kernel in `tmp_path`, with further folders in front of its path.

    It is found through a link, as where a checkout is reached through one.
    """
    factory = KernelProvisionerFactory.instance()
    monkeypatch.setattr(factory, "default_provisioner_name", "local-provisioner")  # not a fork
    (tmp_path / "link").symlink_to(KERNELS)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "link"))

    def started(*first: Path) -> Run:
        path = os.pathsep.join(map(str, [*first, ROOT, ROOT / "notebooks"]))
        return stack.enter_context(kernel(os.environ | {"PYTHONPATH": path}, tmp_path))

    with ExitStack() as stack:
        yield started


def modules(run: Run) -> set[str]:
    return set(run("import sys; print(*sys.modules, sep='\\n')")["text"].splitlines())


def test_it_differs_from_jupyters_own_only_in_its_program() -> None:
    ours = json.loads((KERNELS / "kernels/python3/kernel.json").read_text())
    assert ours | {"argv": None} == get_kernel_dict() | {"argv": None}


def test_the_wiring_imports_only_the_labs_own_modules(start: Start) -> None:
    """They are not imported before: a learner may edit them until the cell runs.

    The garbage collector leaves out what was.
    """
    run = start()
    before = modules(run)
    assert int(run("import gc; print(gc.get_freeze_count())")["text"]) > 10 * len(before)
    assert run(wiring())["status"] == "ok"
    new = {name.partition(".")[0] for name in modules(run) - before}
    assert new - set(sys.stdlib_module_names) == OWN


def test_a_learner_finds_the_kernel_as_new(start: Start, tmp_path: Path) -> None:
    """Nothing is defined or counted. The folder of the notebook is on the path, and no other."""
    (tmp_path / "mine.py").touch()
    run = start()
    first = run("print(get_ipython().run_line_magic('who_ls', ''))")
    assert (first["text"], first["execution_count"]) == ("[]\n", 1)
    assert run("import mine")["status"] == "ok"
    assert run("import warm_kernel")["ename"] == "ModuleNotFoundError"


def test_a_broken_library_is_an_error_of_the_cell_that_imports_it(
    start: Start, tmp_path: Path
) -> None:
    (tmp_path / "flask.py").write_text("this is no Python")
    run = start(tmp_path)
    assert "ipywidgets" in modules(run)  # the others are there
    assert run("import flask")["ename"] == "SyntaxError"

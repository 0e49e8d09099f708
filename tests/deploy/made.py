"""What `make` keeps running: in a folder of the lab, in its own terminal, until Ctrl-C."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]

#: Seconds for a start or an end. A busy machine is slow; a hang is endless.
PATIENCE = 150

# For `make`, these are up to date: what they install is there.
_INSTALLED = (
    *(f".venv/{name}.done" for name in ("serve", "tls", "hub", "classroom")),
    "deploy/jupyterhub/node_modules/npm.done",
)


def lab_folder(folder: Path) -> Path:
    """Make a folder of the lab, `lab`, in this one. Its environment is that of the tests."""
    lab = folder / "lab"
    (lab / "deploy/tls").mkdir(parents=True)
    packages = ("demo_server", "client_widget", "notebooks")
    for name in ("Makefile", *packages, "deploy/jupyterhub", "deploy/classroom"):
        (lab / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "deploy/tls/Caddyfile", lab / "deploy/tls")
    (lab / ".venv").symlink_to(sys.prefix)
    return lab


class Made:
    """`make NAME` in a folder of the lab.

    Args:
        lab (Path): see `lab_folder`.
        words (str): further arguments, such as `HUB_ARGS=--debug`.
        env (Mapping[str, str]): the whole environment.
    """

    def __init__(self, lab: Path, name: str, *words: str, env: Mapping[str, str]) -> None:
        self._log = lab / f"{name}.log"
        there = [f"--old-file={path}" for path in _INSTALLED]
        with self._log.open("w") as log:
            self._make = subprocess.Popen(
                ["make", *there, name, *words],
                cwd=lab,
                # make may have started these tests, with options and variables for itself.
                env={key: text for key, text in env.items() if "MAKE" not in key},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # A shell starts what runs in the background with Ctrl-C ignored.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    def runs(self) -> bool:
        return self._make.poll() is None

    def wait_for(self, ready: Callable[[], bool]) -> None:
        """Wait until it is ready.

        Raises:
            AssertionError: it has ended, or takes too long; with what it wrote.
        """
        limit = time.monotonic() + PATIENCE
        while not ready():
            assert self.runs(), self.log()
            assert time.monotonic() < limit, self.log()
            time.sleep(0.05)

    def log(self) -> str:
        """What it and all that it started have written."""
        return self._log.read_text()

    def processes(self) -> list[psutil.Process]:
        """All that `make` has started, directly or not."""
        return psutil.Process(self._make.pid).children(recursive=True) if self.runs() else []

    def end(self, ending: signal.Signals = signal.SIGINT) -> list[psutil.Process]:
        """Press Ctrl-C, or end it as a service manager would.

        Returns:
            What was left of it, which is then ended by force.
        """
        started = self.processes()
        with suppress(ProcessLookupError):
            os.killpg(self._make.pid, ending)
        try:
            self._make.wait(timeout=PATIENCE)
        finally:
            _, left = psutil.wait_procs(started, timeout=20)
            for process in left:
                process.kill()
        return left

"""A server in its own process, which reads and writes no file of its user."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

#: A folder of JUPYTER_PATH: with the kernel that `make lab` has.
KERNELS = ROOT / "deploy" / "jupyterlab"

#: Seconds in which a server must answer.
STARTS_IN = 60.0

FOLDERS = (
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
    "IPYTHONDIR",
)


def own_environment(folder: Path) -> dict[str, str]:
    """The environment, with all that Jupyter keeps in new folders in this one.

    A kernel finds this checkout's packages, wherever its notebook is.
    """
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "notebooks")])}
    for name in FOLDERS:
        env[name] = str(folder / name.lower())
        Path(env[name]).mkdir()
    return env


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def serving(
    name: str,
    command: Sequence[str],
    env: dict[str, str],
    folder: Path,
    answers: Callable[[], bool],
) -> Iterator[None]:
    """Run a server until the block ends; the block begins when it answers.

    Raises:
        RuntimeError: it did not start; the message ends with what it said.
    """
    said = folder / f"{name.lower()}.log"
    with said.open("w") as output:
        process = subprocess.Popen(
            command, env=env, cwd=folder, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + STARTS_IN
        while not answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{name} did not start:\n{said.read_text()[-2000:]}")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

"""The class server as a process of the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def class_server(
    cwd: Path, *, changed: str = "", **settings: str
) -> Iterator[subprocess.Popen[str]]:
    """A class server on a free port, until the block ends.

    Args:
        changed (str): Python that changes the module `class_server` before it starts.
        settings (str): the settings in its environment.
    """
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    program = f"from demo_server import class_server\n{changed}\nexit(class_server.main())"
    running = subprocess.Popen(
        [sys.executable, *(("-c", program) if changed else ("-m", "demo_server.class_server"))],
        cwd=cwd,
        env={**kept, "PORT": "0", **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            running.kill()
            raise


def port_of(running: subprocess.Popen[str]) -> int:
    """The port, once the server accepts connections on it."""
    assert running.stdout is not None
    line = running.stdout.readline()
    assert line.startswith("Listening to requests on http://127.0.0.1:"), line
    return int(line.rpartition(":")[2])

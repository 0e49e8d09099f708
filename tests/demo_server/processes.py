"""The servers as processes of the tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

# A thread of granian's that is the last to hold an object of Python says so, now and then, while a
# server with open connections stops (issue 884 of granian). docs/decisions.md says what it means.
_GRANIAN_ENDS = re.compile(
    r"\nthread 'tokio-rt-worker' \(\d+\) panicked at .*\n"
    r"Cannot drop pointer into Python heap without the thread being attached\.\n"
    r"(note: run with `RUST_BACKTRACE=1` .*\n)?"
)


@contextmanager
def running(cwd: Path, *program: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """A process of this Python, until the block ends.

    Args:
        program (str): what to run, such as "-m", "demo_server".
        settings (str): the settings in its environment.
    """
    # SYSTEMROOT: without it Windows has no sockets.
    kept = {k: os.environ[k] for k in ("PATH", "PYTHONPATH", "SYSTEMROOT") if k in os.environ}
    started = subprocess.Popen(
        [sys.executable, *program],
        cwd=cwd,
        env={**kept, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            started.kill()
            raise


def in_kernel_server(cwd: Path, **settings: str) -> AbstractContextManager[subprocess.Popen[str]]:
    """`python -m demo_server`."""
    return running(cwd, "-m", "demo_server", **settings)


def class_server(
    cwd: Path, *, changed: str = "", **settings: str
) -> AbstractContextManager[subprocess.Popen[str]]:
    """A class server on a free port.

    Args:
        changed (str): Python that changes the module `class_server` before it starts.
    """
    code = f"from demo_server import class_server\n{changed}\nexit(class_server.main())"
    program = ("-c", code) if changed else ("-m", "demo_server.class_server")
    return running(cwd, *program, **{"PORT": "0", **settings})


def said_at_the_end(stopping: subprocess.Popen[str], timeout: float) -> tuple[str, str]:
    """What a class server that stops still prints, and its errors without those of granian's end.

    Raises:
        TimeoutExpired: it has not ended within `timeout` seconds.
    """
    out, errors = stopping.communicate(timeout=timeout)
    return out, _GRANIAN_ENDS.sub("", errors)


def port_of(running: subprocess.Popen[str]) -> int:
    """The port, once the server accepts connections on it."""
    assert running.stdout is not None
    line = running.stdout.readline()
    assert line.startswith("Listening to requests on http://127.0.0.1:"), line
    return int(line.rpartition(":")[2])

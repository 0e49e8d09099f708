"""Two real processes that share a session, and one that dies between the refresh and the write.

The first process is about to refresh when the second one starts. So the outcome is the same on
every run, whichever is faster.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

from client_widget import AuthClient, EventLog, TokenStore
from demo_server import DemoClock, DemoServer, ServerConfig

from ..lab import START
from .tab_process import CRASH, FILE, MEMORY, client_of, page_of
from .tabs import PASSWORD, PERIOD, Trial

#: Seconds after which a process is ended, whatever it does.
PATIENCE = 60.0

#: The server's events about a refresh that it received.
_REFRESHES = ("token.spent", "token.repeated", "reuse.detected")

#: A browser tab can start no process.
_ONE_PROCESS = sys.platform == "emscripten"


class _Process:
    """A process that is told when to go on."""

    def __init__(self, url: str, path: Path, how: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("tab_process.py")), url, str(path), how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self._timer = Timer(PATIENCE, self._process.kill)
        self._timer.daemon = True
        self._timer.start()

    def hear(self) -> str:
        """What it says next; "" if it has ended."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def end(self) -> str:
        """Let it go on to its end, and return its last word."""
        words = self._process.communicate("\n\n")[0].split("\n")
        self._timer.cancel()
        return words[-2] if len(words) > 1 else ""


def two_processes(how: str) -> Trial:
    """Let two processes meet one expired token.

    Args:
        how (str): "own memory", or "one file" for a `TokenStore` over the same file.
    """
    with _session() as (url, path, log):
        if _ONE_PROCESS:
            clients = [client_of(url, str(path), how) for _ in range(2)]
            pages = tuple(page_of(client) for client in clients)
        else:
            first, second = _Process(url, path, how), None
            first.hear(), first.hear()  # it is ready, and was refused
            second = _Process(url, path, how)
            second.hear()
            if how == MEMORY:
                second.hear()  # it was refused, too
            pages = (first.end(), second.end())
        return _outcome(how, 0, pages, url, path, log)


def crash_before_the_write(grace: int = 0) -> Trial:
    """Let a process die when it has the new tokens and has not stored them; another one follows.

    Args:
        grace (int): `ServerConfig.refresh_grace`, in seconds.
    """
    with _session(grace) as (url, path, log):
        if _ONE_PROCESS:
            pair = TokenStore(path).get()
            assert pair is not None
            AuthClient(url).probe(pair.refresh, "refresh")
            pages: tuple[str, ...] = ("", page_of(client_of(url, str(path), FILE)))
        else:
            pages = (_Process(url, path, CRASH).end(), _Process(url, path, FILE).end())
        return _outcome("crash", grace, pages, url, path, log)


@contextmanager
def _session(grace: int = 0) -> Iterator[tuple[str, Path, EventLog]]:
    """A new server, and a file with a session whose access token has expired."""
    clock = DemoClock(start=START, rate=0)
    log = EventLog(clock=clock)
    config = ServerConfig(policy="rfc", refresh_grace=grace, bcrypt_cost=4)
    with (
        tempfile.TemporaryDirectory() as folder,
        DemoServer(config, clock=clock, emit=log.emitter("server"), name="processes") as server,
    ):
        path = Path(folder) / "tokens.json"
        client = AuthClient(server.url, store=TokenStore(path), clock=clock)
        client.register("ada", PASSWORD)
        client.login("ada", PASSWORD)
        clock.advance(PERIOD)
        yield server.url, path, log


def _outcome(
    how: str, grace: int, pages: tuple[str, ...], url: str, path: Path, log: EventLog
) -> Trial:
    trace = EventLog.from_jsonl(log.to_jsonl())
    names = [event.name for event in trace]
    alive = path.exists() and page_of(client_of(url, str(path), FILE)) == "page"
    refreshes = sum(name in _REFRESHES for name in names)
    came = tuple(page == "page" for page in pages)
    return Trial(how, grace, refreshes, names.count("reuse.detected"), came, alive, trace)

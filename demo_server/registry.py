"""The running servers of one kind in this process, at most one for each name.

Starting a server stops the running one with its name, so a notebook cell can be run again.
"""

from __future__ import annotations

import threading
from typing import Protocol


class Stoppable(Protocol):
    """A running server."""

    def stop(self) -> None:
        """Stop listening, and leave the registry."""
        ...


class Registry:
    """Running servers by name.

    Attributes:
        lock (RLock): held while a server starts or stops; reentrant, because a start can stop
            another server.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._servers: dict[str, Stoppable] = {}

    def stop(self, name: str) -> None:
        """Stop the running server with that name, if there is one."""
        server = self._servers.get(name)
        if server is not None:
            server.stop()

    def add(self, name: str, server: Stoppable) -> None:
        """Remember a server that has started."""
        self._servers[name] = server

    def remove(self, name: str) -> None:
        """Forget a server that has stopped."""
        del self._servers[name]

"""The servers of one kind that run in this process, one of each name.

Starting a server stops the running one of its name, so that a notebook cell can be run again.
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
        lock (RLock): hold it while a server starts or stops. A stop within a start takes it again.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._servers: dict[str, Stoppable] = {}

    def stop(self, name: str) -> None:
        """Stop the running server of that name, if there is one."""
        server = self._servers.get(name)
        if server is not None:
            server.stop()

    def add(self, name: str, server: Stoppable) -> None:
        """Remember a server that has started."""
        self._servers[name] = server

    def remove(self, name: str) -> None:
        """Forget a server that has stopped."""
        del self._servers[name]

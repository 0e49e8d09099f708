"""The running servers of one kind in this process, at most one for each name.

Starting a server stops the running one with its name, so a notebook cell can be run again.

A registry must outlive the module that uses it: `%autoreload` runs a module again after each edit,
and with a new registry nobody would find the running servers. So registries live in a
module without a file, which is never reloaded: `registry_of` finds it in `sys.modules`.
"""

from __future__ import annotations

import sys
import threading
from types import ModuleType
from typing import Protocol

#: The name of the module in which the registries live.
HOME = "demo_server running servers"


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


def registry_of(kind: str) -> Registry:
    """The registry of one kind of server, the same one for the whole life of the process.

    Args:
        kind (str): separates servers that may use the same names.
    """
    home = sys.modules.setdefault(HOME, ModuleType(HOME))
    registry: Registry = vars(home).setdefault(kind, Registry())
    return registry

"""`LocalServer`: an app that this process serves, at most one for each name."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias

from .address import loopback_of, url_of
from .in_process import HOST as IN_PROCESS
from .in_process import InProcessServer
from .registry import registry_of
from .wsgi import WsgiServer

#: How requests reach the app; None chooses what this machine has.
Transport: TypeAlias = Literal["http", "in-process"] | None


class LocalServer:
    """Serves a WSGI app from this process.

    Args:
        app: the WSGI application.
        kind (str): servers of different kinds may have the same name.
        name (str): at most one server with a given name runs at a time.
        host (str): an address of this machine; loopback by default.
        port (int): 0 picks a free port at the first start and keeps it for later starts.
        transport: "http" listens on a socket. "in-process" answers the requests of this process
            without one, at an address such as `http://in-process:1`. By default "http", and
            "in-process" in a browser tab, where there are no sockets.

    Raises:
        ValueError: there is no such transport, or no such port.
    """

    def __init__(
        self,
        app: Any,
        *,
        kind: str,
        name: str,
        host: str = "127.0.0.1",
        port: int = 0,
        transport: Transport = None,
    ) -> None:
        if transport not in (None, "http", "in-process"):
            raise ValueError('transport must be "http" or "in-process"')
        if type(port) is not int or not 0 <= port <= 65_535:
            raise ValueError(
                "port must be a whole number from 0 to 65535 (0 picks a free one), "
                f"not {port!r:.40}"
            )
        self.app = app
        self.name = name
        self._running = registry_of(kind)
        self._host = host
        self._port = port
        self._in_process = transport == "in-process" or (
            transport is None and sys.platform == "emscripten"
        )
        self._http: WsgiServer | InProcessServer | None = None

    @property
    def url(self) -> str:
        """The address of the server, without a trailing slash.

        Raises:
            RuntimeError: the server was never started and has no port yet.
        """
        if not self._port:
            raise RuntimeError("The server has no port yet: call start() first")
        host = IN_PROCESS if self._in_process else loopback_of(self._host)
        return url_of(host, self._port)

    @property
    def running(self) -> bool:
        """Whether the server answers requests."""
        return self._http is not None

    def start(self) -> Self:
        """Start serving, and return the server. A running server is left unchanged.

        Raises:
            OSError: the port is in use, or the host is not an address of this machine.
            RuntimeError: the system has no thread for the server now.
        """
        with self._running.lock:
            if self._http is None:
                self._running.stop(self.name)
                self._http = (
                    InProcessServer(self.app, self._port)
                    if self._in_process
                    else WsgiServer(self.app, self._host, self._port, self.name)
                )
                self._port = self._http.port
                self._running.add(self.name, self)
                self._on_start()
        return self

    def stop(self) -> None:
        """Stop within a second. What the app has stored remains for a later `start`."""
        with self._running.lock:
            if self._http is not None:
                self._http.close()
                self._http = None
                self._running.remove(self.name)
                self._on_stop()

    def _on_start(self) -> None:
        """Called once it runs, with the registry locked."""

    def _on_stop(self) -> None:
        """Called once it has stopped, with the registry locked."""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        # Without the port: saved notebooks contain this text, and the port changes at each run.
        state = "running" if self.running else "stopped"
        return f"<{type(self).__name__} {self.name!r}, {state}>"

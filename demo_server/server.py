"""`DemoServer`: the app on a threaded server inside this process."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from types import TracebackType
from typing import Literal

from .app import create_app
from .class_clock import clock_for
from .class_log import ClassLog
from .clock import Clock
from .config import ServerConfig
from .database import Database, open_database
from .emit import Emit, both, ignore
from .in_process import HOST as IN_PROCESS
from .in_process import InProcessServer
from .registry import registry_of
from .wsgi import WsgiServer

# Separate from other kinds of server, which may use the same names.
_running = registry_of("demo_server")


class DemoServer:
    """The article's backend, served in this process on loopback.

    Args:
        config (ServerConfig | None): by default, the defaults with fresh random secrets.
        database (Database | None): by default, the one that `config.db_uri` names.
        clock (Clock): returns seconds since the epoch.
        emit (Emit): receives the events; see `create_app`.
        port (int): 0 picks a free port at the first start and keeps it for later starts.
        name (str): at most one server with a given name runs at a time.
        transport: "http" listens on a socket. "in-process" answers the requests of this process
            without one, at an address such as `http://in-process:1`: same app, same events. By
            default "http", and "in-process" in a browser tab, where there are no sockets.

    Raises:
        ValueError: there is no such transport.
        ConfigError: the database cannot be opened, or the name of a teacher belongs to a user
            who registered it.

    Example:
        with DemoServer() as server:
            requests.get(server.url + "/home")
    """

    def __init__(
        self,
        config: ServerConfig | None = None,
        *,
        database: Database | None = None,
        clock: Clock = time.time,
        emit: Emit = ignore,
        port: int = 0,
        name: str = "demo",
        transport: Literal["http", "in-process"] | None = None,
    ) -> None:
        if transport not in (None, "http", "in-process"):
            raise ValueError('transport must be "http" or "in-process"')
        self.config = config if config is not None else ServerConfig()
        self.name = name
        if database is None:
            database = open_database(self.config.db_uri)
        clock = clock_for(self.config, database, clock)
        self._class_log: ClassLog | None = None
        if self.config.class_log:
            self._class_log = ClassLog(database, clock)
            emit = both(emit, self._class_log.emit)
        self.app = create_app(self.config, database=database, clock=clock, emit=emit)
        self._emit = emit
        self._port = port
        self._in_process = transport == "in-process" or (
            transport is None and sys.platform == "emscripten"
        )
        self._http: WsgiServer | InProcessServer | None = None

    @property
    def url(self) -> str:
        """The address at which the server listens, without a trailing slash.

        Raises:
            RuntimeError: the server was never started and has no port yet.
        """
        if not self._port:
            raise RuntimeError("The server has no port yet: call start() first")
        if self._in_process:
            return f"http://{IN_PROCESS}:{self._port}"
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.config.host, self.config.host)
        return f"http://[{host}]:{self._port}" if ":" in host else f"http://{host}:{self._port}"

    @property
    def running(self) -> bool:
        """Whether the server answers requests."""
        return self._http is not None

    def start(self) -> DemoServer:
        """Start listening, and return the server. A running server is left unchanged.

        Raises:
            OSError: the port is in use, or the host is not an address of this machine.
            RuntimeError: the system has no thread for the server now.
        """
        with _running.lock:
            if self._http is None:
                _running.stop(self.name)
                self._http = (
                    InProcessServer(self.app, self._port)
                    if self._in_process
                    else WsgiServer(self.app, self.config.host, self._port, self.name)
                )
                self._port = self._http.port
                _running.add(self.name, self)
                self._emit("server.started", server=self.name)
        return self

    def stop(self) -> None:
        """Stop within a second. Users and tokens remain valid for a later `start`."""
        with _running.lock:
            if self._http is not None:
                self._http.close()
                self._http = None
                _running.remove(self.name)
                self._emit("server.stopped", server=self.name)
                with suppress(Exception):  # no database: the log's thread tries again
                    self.flush()

    def flush(self) -> None:
        """Store the queued events of the class log, if there is one."""
        if self._class_log is not None:
            self._class_log.flush()

    def __enter__(self) -> DemoServer:
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
        return f"<DemoServer {self.name!r}, {'running' if self.running else 'stopped'}>"

"""`DemoServer`: the app on a threaded server inside this process."""

from __future__ import annotations

import time
from contextlib import suppress

from .app import check_kinds, create_app
from .classroom.class_clock import clock_for
from .classroom.class_log import ClassLog
from .clock import Clock
from .config import ServerConfig
from .emit import Emit, both, ignore
from .serving.local_server import LocalServer, Transport
from .storage.database import Database, open_database


class DemoServer(LocalServer):
    """The article's backend, served in this process on loopback.

    Args:
        config (ServerConfig | None): by default, the defaults with fresh random secrets.
        database (Database | None): by default, the one that `config.db_uri` names.
        clock (Clock): returns seconds since the epoch.
        emit (Emit): receives the events; see `create_app`.
        port, name, transport: as in `LocalServer`.

    Raises:
        ValueError: there is no such transport, or no such port.
        TypeError: `config`, `database`, `clock` or `emit` has the wrong type.
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
        transport: Transport = None,
    ) -> None:
        self.config = config if config is not None else ServerConfig()
        if database is None and isinstance(self.config, ServerConfig):
            database = open_database(self.config.db_uri)
        check_kinds(self.config, database, clock, emit)
        clock = clock_for(self.config, database, clock)
        self._class_log: ClassLog | None = None
        if self.config.class_log:
            self._class_log = ClassLog(database, clock)
            emit = both(emit, self._class_log.emit)
        self._emit = emit
        super().__init__(
            create_app(self.config, database=database, clock=clock, emit=emit),
            kind="demo_server",
            name=name,
            host=self.config.host,
            port=port,
            transport=transport,
        )

    def flush(self) -> None:
        """Store the queued events of the class log, if there is one."""
        if self._class_log is not None:
            self._class_log.flush()

    def _on_start(self) -> None:
        self._emit("server.started", server=self.name)

    def _on_stop(self) -> None:
        self._emit("server.stopped", server=self.name)
        with suppress(Exception):  # no database: the log's thread tries again
            self.flush()

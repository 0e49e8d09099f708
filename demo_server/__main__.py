"""`python -m demo_server`: serve until Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
from urllib.parse import urlsplit

from .classroom.teachers import announce, create_teachers
from .config import ServerConfig
from .errors import ConfigError
from .server import DemoServer
from .serving.address import cannot_listen, printed_url
from .storage.database import open_database


def main() -> int:
    """Serve with the settings of the environment; return the exit code."""
    stop = threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: stop.set())
    try:
        config = ServerConfig.from_env()
        database = open_database(config.db_uri)
        announce(config, create_teachers(config, database))
        server = DemoServer(config, database=database, port=config.port)
        try:
            server.start()
        except OSError as error:
            raise cannot_listen(config.host, config.port, error) from None
    except ConfigError as error:
        print(f"demo_server: {error}", file=sys.stderr)
        return 2
    port = urlsplit(server.url).port or 0
    print(f"Listening to requests on {printed_url(config.host, port)}", flush=True)
    while not stop.wait(0.5):  # on Windows, an unbounded wait cannot be interrupted
        pass
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())

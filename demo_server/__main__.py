"""`python -m demo_server`: serve until Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading

from .config import ServerConfig
from .database import open_database
from .errors import ConfigError
from .server import DemoServer
from .teachers import announce, create_teachers


def main() -> int:
    """Serve with the settings of the environment; return the exit code."""
    stop = threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: stop.set())
    try:
        config = ServerConfig.from_env()
        database = open_database(config.db_uri)
        announce(config, create_teachers(config, database))
        server = DemoServer(config, database=database, port=config.port).start()
    except ConfigError as error:
        print(f"demo_server: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"demo_server: cannot listen on {config.host}, port {config.port} "
            f"({error.strerror}): set HOST and PORT to an address of this machine that is free",
            file=sys.stderr,
        )
        return 2
    print(f"Listening to requests on {server.url}", flush=True)
    while not stop.wait(0.5):  # on Windows, an unbounded wait cannot be interrupted
        pass
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())

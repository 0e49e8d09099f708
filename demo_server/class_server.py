"""`python -m demo_server.class_server`: one server for a class, in several processes.

granian receives the requests, `serving/front.py` reads them whole, and threads run the Flask app.
How granian is set up, and why:

- Each worker opens the database after it has started: a driver's connections do not survive a
  fork, and forking a process with threads is unsafe. So workers are spawned.
- All workers have the same secrets. They receive them in their environment and remove them
  from it, because granian copies the environment into each request's.
- A connection takes one of `CONNECTIONS` places, also while its client sends nothing. After
  `SILENCE` seconds without a request it is closed, so nobody keeps the places.
- uvloop, where there is one, and its own thread for the network: together as fast as
  granian's WSGI interface, which takes a thread before it reads the body.
- HTTP/1.1 only: no client here uses HTTP/2.
- Without a kill timeout, a stop could wait forever for a client that does not read its response.
- Listeners share a port (SO_REUSEPORT), so a second server would take half of the first one's
  requests. So the port is checked before the start.

On SIGTERM or Ctrl-C, workers accept no more connections and finish the requests in flight. A
worker that dies is replaced. If the main process is killed, its workers stop as well: otherwise
they would keep the port and the old secrets.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress

from flask import Flask

from .app import MAX_BODY_BYTES, create_app
from .classroom.class_clock import clock_for
from .classroom.class_log import ClassLog
from .classroom.teachers import announce, create_teachers
from .config import ServerConfig
from .emit import Emit, ignore
from .errors import ConfigError
from .serving.address import cannot_listen, loopback_of, printed_url
from .serving.front import Front
from .storage.database import open_database

#: Requests that a worker serves at a time. Only bcrypt and the database release the GIL.
THREADS = 8

#: Open connections of a worker, idle ones included, if it may open so many files.
CONNECTIONS = 4096

#: Seconds without a whole request head after which a connection is closed.
SILENCE = 15

#: Seconds that a stop waits for requests in flight. The database times out sooner.
GRACE = 15

# What a worker opens besides connections: modules, the database, the loop.
_OTHER_FILES = 256

_SECRETS = ("ACCESS_TOKEN_SECRET", "REFRESH_TOKEN_SECRET", "TEACHER_PASSWORD")


def main() -> int:
    """Serve with the settings of the environment; return the exit code."""
    try:
        config = ServerConfig.from_env()
        if config.workers > 1 and config.db_uri.partition("://")[0] in ("", "mongomock"):
            raise ConfigError(
                f"WORKERS is {config.workers}, but each process would have its own users: "
                "set DB_URI to mongodb://host/name, or WORKERS to 1"
            )
        try:
            from granian import Granian
            from granian.constants import HTTPModes, Interfaces, RuntimeModes
            from granian.http import HTTP1Settings
            from granian.log import LogLevels
        except ImportError:
            raise ConfigError("the class server needs granian: pip install granian") from None
        address, port = _free_address(config)
        database = open_database(config.db_uri)
        # A mongomock database is each process's own: the worker creates the accounts again.
        announce(config, create_teachers(config, database))
        database.client.close()
    except ConfigError as error:
        print(f"demo_server: {error}", file=sys.stderr)
        return 2
    os.environ.update(
        ACCESS_TOKEN_SECRET=config.access_token_secret,
        REFRESH_TOKEN_SECRET=config.refresh_token_secret,
        TEACHER_PASSWORD=config.teacher_password,
    )
    multiprocessing.set_start_method("spawn")
    server = Granian(
        "demo_server.class_server:create_worker_front",
        factory=True,
        interface=Interfaces.ASGINL,
        runtime_mode=RuntimeModes.mt,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=SILENCE * 1000),
        address=address,
        port=port,
        workers=config.workers,
        backpressure=_places(),
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE,
        websockets=False,
        log_level=LogLevels.error,
    )
    threading.Thread(target=announce_listening, args=(address, port), daemon=True).start()
    server.serve()
    return 0


def create_worker_front() -> Front:
    """The ASGI application of one worker. granian calls it in each worker before it listens."""
    # Registered first, so it runs last. granian's threads still call into Python, and up to 3.13 a
    # thread that does so while Python ends aborts the process, with a page of Rust.
    atexit.register(os._exit, 0)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    return Front(create_worker_app(), limit=MAX_BODY_BYTES, threads=THREADS)


def create_worker_app() -> Flask:
    """The Flask app of one worker."""
    config = ServerConfig.from_env()
    for name in _SECRETS:
        os.environ.pop(name, None)
    database = None
    while database is None:
        # A replacement worker can start while the database is unreachable.
        try:
            database = open_database(config.db_uri)
        except ConfigError:
            time.sleep(1)
    clock = clock_for(config, database, time.time)
    emit: Emit = ignore
    if config.class_log:
        class_log = ClassLog(database, clock)
        emit = class_log.emit

        @atexit.register
        def store_the_rest() -> None:
            with suppress(Exception):  # the database is unreachable, so the last events are lost
                class_log.flush()

    return create_app(config, database=database, clock=clock, emit=emit)


def _free_address(config: ServerConfig) -> tuple[str, int]:
    """The numeric address and the port to listen on.

    Raises:
        ConfigError: the host is not an address of this machine, or the port is in use.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.create_server(address[:2], family=family) as listener:
            host, port = listener.getsockname()[:2]
    except OSError as error:
        raise cannot_listen(config.host, config.port, error) from None
    return host, port


def _places() -> int:
    """How many connections a worker can hold. Raises the limit on open files if need be."""
    if sys.platform == "win32":
        return CONNECTIONS
    import resource

    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return CONNECTIONS
    wanted = CONNECTIONS + _OTHER_FILES
    if files < wanted:
        files = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
    return min(CONNECTIONS, files - _OTHER_FILES)


def _end_with_parent() -> None:
    """Stop this worker once the main process is gone, however that ended."""
    parent = multiprocessing.parent_process()
    if parent is None:  # not a worker: the tests call this in their own process
        return
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)


def announce_listening(address: str, port: int) -> None:
    """Print the server's address once it accepts connections."""
    while True:
        try:
            socket.create_connection((loopback_of(address), port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            print(f"Listening to requests on {printed_url(address, port)}", flush=True)
            return


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # before granian is there, such as while the database is awaited
        sys.exit(130)

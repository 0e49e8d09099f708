"""The database: where it is opened, the users in it, and who stands guard.

mongomock is not safe under threads (two inserts of one username can both fail), so one
lock stands around all of its operations. They take microseconds, so one lock for every
mongomock database of the process is enough. A real MongoDB needs no lock of ours.

A real one can be away. Then each operation fails within the times below, the app answers 503,
and the driver looks for the server again at the next request.

What nobody asks for any more has a field `expires_at`, and MongoDB deletes it by a TTL index.
That is only cleanup. It goes by the wall clock, which a lesson's clock does not follow; so it
comes a day late on purpose, and never decides whether a token is good.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import mongomock

from .errors import ConfigError

try:
    from pymongo.errors import ConnectionFailure as ConnectionFailure
except ImportError:

    class ConnectionFailure(Exception):  # type: ignore[no-redef]
        """pymongo's own class wherever it is installed; elsewhere nothing raises it."""


#: A database of mongomock or of pymongo; both have the same interface.
Database: TypeAlias = Any

#: The name of the database when DB_URI gives none.
DEFAULT_NAME = "token_lab"

# How long the driver waits, in milliseconds. The worst request waits for a place in the pool,
# loses its connection, looks for the server and tries once more: 2 + 4 + 2 + 2 + 4 s. That is
# less than the 15 s that our client waits for an answer.

#: For a server to be found. While there is none, this is what each request waits.
SERVER_SELECTION_TIMEOUT_MS = 2_000
#: For a connection to be made.
CONNECT_TIMEOUT_MS = 2_000
#: For the answer to one operation; each takes milliseconds.
SOCKET_TIMEOUT_MS = 4_000
#: For another thread's connection to come free.
WAIT_QUEUE_TIMEOUT_MS = 2_000

#: Connections of one process. A server has 8 threads that ask; a lesson may have 32.
POOL_SIZE = 40

#: Seconds between the last moment at which a document matters and its deletion.
CLEANUP_MARGIN = 24 * 3600

_mongomock_guard = threading.RLock()


def open_database(uri: str = "") -> Database:
    """Open the database that a checked `DB_URI` names.

    Raises:
        ConfigError: pymongo is missing, or the URI or its server cannot be used.
    """
    if not uri or uri.startswith("mongomock://"):
        return mongomock.MongoClient()[uri.partition("://")[2].strip("/") or DEFAULT_NAME]
    try:
        import pymongo
        from pymongo.errors import PyMongoError
    except ImportError:
        raise ConfigError(
            "DB_URI names a MongoDB server, which needs pymongo: pip install pymongo"
        ) from None
    try:
        client: pymongo.MongoClient[Any] = pymongo.MongoClient(
            uri,
            serverSelectionTimeoutMS=SERVER_SELECTION_TIMEOUT_MS,
            connectTimeoutMS=CONNECT_TIMEOUT_MS,
            socketTimeoutMS=SOCKET_TIMEOUT_MS,
            waitQueueTimeoutMS=WAIT_QUEUE_TIMEOUT_MS,
            maxPoolSize=POOL_SIZE,
        )
        try:
            client.admin.command("ping")
            return client.get_default_database(default=DEFAULT_NAME)
        except BaseException:
            client.close()
            raise
    except (PyMongoError, ValueError) as error:
        # Neither the URI nor the driver's own words: both may hold a password.
        raise ConfigError(
            f"DB_URI: the database cannot be opened ({type(error).__name__}): "
            "check the address, and that the server runs"
        ) from None


def in_this_process(database: Database) -> bool:
    """Is it kept by mongomock, where no other process sees it?

    The client answers, because a wrapper around a database has the same one.
    """
    return isinstance(database.client, mongomock.MongoClient)


def guard_of(database: Database) -> AbstractContextManager[object]:
    """What to hold around each operation on `database`: a lock for mongomock, else nothing.

    A wrapper around a database takes the lock itself, around the operations of the original.
    """
    return _mongomock_guard if isinstance(database, mongomock.Database) else nullcontext()


def expiry(seconds: float) -> datetime:
    """The `expires_at` of a document that matters for `seconds` from now, by the wall clock."""
    return datetime.now(UTC) + timedelta(seconds=seconds + CLEANUP_MARGIN)


def clean_up(database: Database, collection: str) -> None:
    """Have the documents of a collection deleted at their `expires_at`.

    Not those of mongomock: it would look at every document again at each operation, which
    doubles the time of most, and its memory ends with the process anyway.
    """
    if not in_this_process(database):
        database[collection].create_index("expires_at", expireAfterSeconds=0)

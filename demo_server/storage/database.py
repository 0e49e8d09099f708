"""The database: how it is opened, and the lock that mongomock needs.

mongomock is not thread-safe (two inserts of one username can both fail), so one lock guards all
of its operations. They take microseconds, so one lock serves every mongomock database of the
process. A real MongoDB needs no lock.

A real MongoDB can be unreachable. Then each operation fails within the timeouts below, the app
answers 503, and the driver looks for the server again at the next request.

Documents that are no longer needed carry a field `expires_at`, and a TTL index deletes them. This
is cleanup only. It follows the wall clock, which a lesson's clock does not; so it runs a day late
on purpose, and never decides whether a token is valid.

`indexed_mongomock.py` gives mongomock the indexes that MongoDB has.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeAlias

import mongomock

from .. import clock
from ..errors import ConfigError
from .indexed_mongomock import IndexedClient

try:
    from pymongo.errors import ConnectionFailure as ConnectionFailure
except ImportError:

    class ConnectionFailure(Exception):  # type: ignore[no-redef]
        """pymongo's class where pymongo is installed; elsewhere nothing raises this one."""


Document: TypeAlias = Mapping[str, Any]


class Cursor(Protocol):
    """The documents that a query found, read by iterating."""

    def sort(self, field: str, direction: int, /) -> Cursor: ...

    def limit(self, count: int, /) -> Cursor: ...

    def __iter__(self) -> Iterator[dict[str, Any]]: ...


class Collection(Protocol):
    """What this package uses of a collection. mongomock and pymongo both provide it."""

    def create_index(
        self, field: str, /, *, unique: bool = ..., expireAfterSeconds: int = ...
    ) -> object: ...

    def insert_one(self, document: Document, /) -> Any: ...

    def insert_many(self, documents: Sequence[Document], /, ordered: bool = True) -> object: ...

    def find(self, query: Document, fields: Mapping[str, int] | None = None, /) -> Cursor: ...

    def find_one(self, query: Document, /) -> dict[str, Any] | None: ...

    def find_one_and_update(
        self, query: Document, update: Document, /
    ) -> dict[str, Any] | None: ...

    def update_one(self, query: Document, update: Document, /) -> object: ...

    def delete_one(self, query: Document, /) -> object: ...

    def delete_many(self, query: Document, /) -> object: ...


class Client(Protocol):
    """The connection that a database belongs to."""

    def close(self) -> None: ...


class Database(Protocol):
    """A database of mongomock or pymongo, or a wrapper around one."""

    @property
    def client(self) -> Client: ...

    def __getitem__(self, collection: str, /) -> Collection: ...


#: The name of the database when DB_URI contains none.
DEFAULT_NAME = "token_lab"

# How long the driver waits, in milliseconds. The slowest request waits for a place in the pool,
# loses its connection, looks for the server and tries once more: 2 + 4 + 2 + 2 + 4 s. That is
# less than the 15 s that `AuthClient` waits for a response.

#: For a server to be found. While there is none, each request waits this long.
SERVER_SELECTION_TIMEOUT_MS = 2_000
#: For a connection to be made.
CONNECT_TIMEOUT_MS = 2_000
#: For the response to one operation, which usually takes milliseconds.
SOCKET_TIMEOUT_MS = 4_000
#: For a connection that another thread is using to become free.
WAIT_QUEUE_TIMEOUT_MS = 2_000

#: Connections of one process. A server has 8 threads that use one; a lesson may have 32.
POOL_SIZE = 40

#: Seconds between the moment when a document stops mattering and its deletion.
CLEANUP_MARGIN = 24 * 3600

_mongomock_guard = threading.RLock()


def open_database(uri: str = "") -> Database:
    """Open the database that `DB_URI` names; `ServerConfig` has checked its form.

    Raises:
        ConfigError: pymongo is missing, or the URI or its server cannot be used.
    """
    if not isinstance(uri, str):
        raise ConfigError(f"DB_URI must be text, not a value of type {type(uri).__name__}")
    if not uri or uri.startswith("mongomock://"):
        in_memory: Database = IndexedClient()[uri.partition("://")[2].strip("/") or DEFAULT_NAME]
        return in_memory
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
        # Neither the URI nor the driver's message: both can contain a password.
        raise ConfigError(
            f"DB_URI: the database cannot be opened ({type(error).__name__}): "
            "check the address, and that the server runs"
        ) from None


def in_this_process(database: Database) -> bool:
    """Whether mongomock keeps the database, so that no other process sees it.

    The check looks at its client, because a wrapper around a database has the same client.
    """
    return isinstance(database.client, mongomock.MongoClient)


def guard_of(database: Database) -> AbstractContextManager[object]:
    """The lock to hold around each operation on `database`; for MongoDB it does nothing.

    A wrapper around a mongomock database takes the lock itself, around the original operations.
    """
    return _mongomock_guard if isinstance(database, mongomock.Database) else nullcontext()


def change_document(
    collection: Collection,
    guard: AbstractContextManager[object],
    key: str,
    change: Callable[[Document | None], Document],
) -> None:
    """Read a document, change it, and write it if nobody has written it meanwhile.

    Each version has a random name, and one atomic update replaces the version that was read. If
    another thread or process was faster, this starts again: somebody always gets on.

    Args:
        collection (Collection): where the document is.
        guard: held around each operation; see `guard_of`.
        key (str): its `_id`.
        change: takes the document, or None if there is none, and returns the fields to write. It
            may be called several times. Nothing is written if it raises.
    """
    while True:
        with guard:
            seen = collection.find_one({"_id": key})
        written = {**change(seen), "version": secrets.token_hex(8)}
        if seen is None:
            try:
                with guard:
                    collection.insert_one({"_id": key, **written})
            except mongomock.DuplicateKeyError:
                continue
            return
        query = {"_id": key, "version": seen["version"]}
        with guard:
            if collection.find_one_and_update(query, {"$set": written}) is not None:
                return


def expiry(seconds: float) -> datetime:
    """The `expires_at` of a document that matters for `seconds` from now, by the wall clock."""
    return clock.utc_now() + timedelta(seconds=seconds + CLEANUP_MARGIN)


def clean_up(database: Database, collection: str) -> None:
    """Have the documents of a collection deleted some time after their `expires_at`."""
    database[collection].create_index("expires_at", expireAfterSeconds=0)

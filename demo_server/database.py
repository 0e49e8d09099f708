"""The database: where it is opened, the users in it, and who stands guard.

mongomock is not safe under threads (two inserts of one username can both fail), so one
lock stands around all of its operations. They take microseconds, so one lock for every
mongomock database of the process is enough. A real MongoDB needs no lock of ours.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import mongomock
from mongomock import DuplicateKeyError  # pymongo's own class wherever pymongo is installed

from .errors import ConfigError, UserExists

#: A database of mongomock or of pymongo; both have the same interface.
Database: TypeAlias = Any

#: The name of the database when DB_URI gives none.
DEFAULT_NAME = "token_lab"

#: How long to look for a MongoDB server, in milliseconds.
SERVER_SELECTION_TIMEOUT_MS = 5_000

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
            uri, serverSelectionTimeoutMS=SERVER_SELECTION_TIMEOUT_MS
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


def guard_of(database: Database) -> AbstractContextManager[object]:
    """What to hold around each operation on `database`: a lock for mongomock, else nothing."""
    return _mongomock_guard if isinstance(database, mongomock.Database) else nullcontext()


@dataclass(frozen=True)
class User:
    """A registered user.

    Attributes:
        id (str): the database's `_id`.
        username (str)
        password_hash (str): bcrypt's, never sent to anyone.
    """

    id: str
    username: str
    password_hash: str = field(repr=False)


class UserRepository:
    """The users of one database, each username once."""

    def __init__(self, database: Database) -> None:
        self._users = database["users"]
        self._guard = guard_of(database)
        with self._guard:
            self._users.create_index("username", unique=True)

    def add(self, username: str, password_hash: str) -> User:
        """Store a new user.

        Raises:
            UserExists: the username is taken.
        """
        document = {"username": username, "password": password_hash}
        # Insert and let the unique index refuse: looking first would leave a gap in
        # which another thread can insert the same name.
        try:
            with self._guard:
                inserted = self._users.insert_one(document)
        except DuplicateKeyError:
            raise UserExists(username) from None
        return User(str(inserted.inserted_id), username, password_hash)

    def find(self, username: str) -> User | None:
        """The user of that name, or None."""
        with self._guard:
            document = self._users.find_one({"username": username})
        if document is None:
            return None
        return User(str(document["_id"]), document["username"], document["password"])

    def names(self) -> list[str]:
        """The names of all users, sorted."""
        with self._guard:
            return sorted(user["username"] for user in self._users.find({}, {"username": 1}))

"""The registered users of one database, each username once."""

from __future__ import annotations

from dataclasses import dataclass, field

from mongomock import DuplicateKeyError  # pymongo's own class wherever pymongo is installed

from .database import Database, guard_of
from .errors import UserExists


@dataclass(frozen=True)
class User:
    """A registered user.

    Attributes:
        id (str): the database's `_id`.
        username (str)
        password_hash (str): from bcrypt; never sent to a client.
        teacher (bool): whether the server created the account for a name in `TEACHERS`.
    """

    id: str
    username: str
    password_hash: str = field(repr=False)
    teacher: bool = False


class UserRepository:
    """The users of one database, each username once."""

    def __init__(self, database: Database) -> None:
        self._users = database["users"]
        self._guard = guard_of(database)
        with self._guard:
            self._users.create_index("username", unique=True)

    def add(self, username: str, password_hash: str, *, teacher: bool = False) -> User:
        """Store a new user.

        Raises:
            UserExists: the username is taken.
        """
        document = {"username": username, "password": password_hash, "teacher": teacher}
        # Insert, and let the unique index refuse. Checking first would leave a gap in which
        # another thread can insert the same name.
        try:
            with self._guard:
                inserted = self._users.insert_one(document)
        except DuplicateKeyError:
            raise UserExists(username) from None
        return User(str(inserted.inserted_id), username, password_hash, teacher)

    def find(self, username: str) -> User | None:
        """The user with that name, or None."""
        with self._guard:
            document = self._users.find_one({"username": username})
        if document is None:
            return None
        return User(
            str(document["_id"]),
            document["username"],
            document["password"],
            document.get("teacher") is True,
        )

    def names(self) -> list[str]:
        """The names of all users, sorted."""
        with self._guard:
            return sorted(user["username"] for user in self._users.find({}, {"username": 1}))

"""The registered users of one database, each username once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mongomock import DuplicateKeyError  # pymongo's own class wherever pymongo is installed

from ..errors import UserExists
from .database import Database, guard_of


@dataclass(frozen=True)
class User:
    """A registered user.

    Attributes:
        id (str): the database's `_id`.
        username (str)
        password_hash (str): from bcrypt; never sent to a client.
        teacher (bool): whether the server created the account for a name in `TEACHERS`.
        note (str): what the user wrote down at `/cookie/note`.
    """

    id: str
    username: str
    password_hash: str = field(repr=False)
    teacher: bool = False
    note: str = ""


#: The users whose refused logins are reported, those with the most first.
MAX_REPORTED = 100

#: Characters of a note.
MAX_NOTE = 200

#: A higher number of refused logins is reported as this one.
MAX_REFUSED_LOGINS = 9_999


class UserRepository:
    """The users of one database, each username once."""

    def __init__(self, database: Database) -> None:
        self._users = database["users"]
        self._guard = guard_of(database)
        with self._guard:
            self._users.create_index("username", unique=True)
            self._users.create_index("refused_logins")

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
            document.get("note", ""),
        )

    def write_note(self, username: str, note: str) -> None:
        """Replace the note of a user."""
        with self._guard:
            self._users.update_one({"username": username}, {"$set": {"note": note}})

    def names(self) -> list[str]:
        """The names of all users, sorted."""
        with self._guard:
            return sorted(user["username"] for user in self._users.find({}, {"username": 1}))

    def count_refused_logins(self, username: str, times: int) -> None:
        """Add to the refused logins of a registered user. Other names have no counter."""
        with self._guard:
            self._users.update_one({"username": username}, {"$inc": {"refused_logins": times}})

    def refused_logins(self, username: str | None = None) -> dict[str, int]:
        """How often a login was refused, for each user of whom one was.

        Args:
            username (str | None): only this user; by default the `MAX_REPORTED` users with the
                most.
        """
        query: dict[str, Any] = {} if username is None else {"username": username}
        query["refused_logins"] = {"$gte": 1}
        with self._guard:
            found = self._users.find(query, {"username": 1, "refused_logins": 1})
            most = list(found.sort("refused_logins", -1).limit(MAX_REPORTED))
        return {user["username"]: min(user["refused_logins"], MAX_REFUSED_LOGINS) for user in most}

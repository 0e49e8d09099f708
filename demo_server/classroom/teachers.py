"""The accounts of the teachers: created at start, never over HTTP.

If the first user to register a teacher's name became a teacher, any student could. So the
server creates the accounts of `TEACHERS`, marks them in the database, and refuses to register
their names. A teacher is a user who is marked and named in `TEACHERS`.

Creating them again changes nothing, and several processes may do it at the same time: the unique
index lets one of them win.
"""

from __future__ import annotations

import bcrypt

from ..config import RandomPassword, ServerConfig
from ..errors import ConfigError, UserExists
from ..storage.database import Database
from ..storage.users import UserRepository


def create_teachers(config: ServerConfig, database: Database) -> tuple[str, ...]:
    """Create the accounts of `config.teachers` that do not exist; return their names.

    Raises:
        ConfigError: one of the names belongs to a user who registered it.
    """
    users = UserRepository(database)
    created = []
    for name in config.teachers:
        user = users.find(name)
        if user is None:
            salt = bcrypt.gensalt(config.bcrypt_cost)
            password_hash = bcrypt.hashpw(config.teacher_password.encode(), salt).decode()
            try:
                user = users.add(name, password_hash, teacher=True)
                created.append(name)
            except UserExists:  # another process was faster
                user = users.find(name)
        if user is not None and not user.teacher:
            raise ConfigError(
                f"TEACHERS: {name} was registered by a user: choose another name, or delete "
                "that user from the database"
            )
    return tuple(created)


def announce(config: ServerConfig, created: tuple[str, ...]) -> None:
    """Print the random password of the accounts that were created just now, on stdout only."""
    if created and isinstance(config.teacher_password, RandomPassword):
        # In ASCII: not every terminal can print every name, and an error here loses the password.
        names = ", ".join(name if name.isascii() else ascii(name) for name in created)
        print(
            f"Created the teacher account{'s' if len(created) > 1 else ''} {names} "
            f"with the password {config.teacher_password} (shown only once; set TEACHER_PASSWORD "
            "to choose it)",
            flush=True,
        )

"""A name for the lesson's user, also if the learner has used it on the panel, or runs it twice."""

from __future__ import annotations

from typing import Any

from client_widget import AuthClient, Rejected


def register_free(client: AuthClient, name: str, password: str) -> dict[str, Any]:
    """The new user: `name`, or `name-2`, `name-3` and so on if the server knows it.

    Raises:
        Rejected: for another reason than a name that is taken.
    """
    free, number = name, 1
    while True:
        try:
            return client.register(free, password)
        except Rejected as refusal:
            if refusal.code != "user_exists":
                raise
        number += 1
        free = f"{name}-{number}"

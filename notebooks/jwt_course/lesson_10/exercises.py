"""The exercises of lesson 10: a cookie, a check against CSRF, and a logout everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..exercise import Exercise
from ..solutions import right_answers
from .judges import judge_is_revoked, judge_may_change, judge_refresh_cookie


def exercises(namespace: Mapping[str, Any]) -> tuple[Exercise, ...]:
    """q1 to q3, for the notebook's `globals()`."""
    solutions = right_answers(__package__)
    return (
        Exercise(
            namespace,
            "q1",
            wants=["refresh_cookie"],
            judge=judge_refresh_cookie,
            hints=[
                "The value begins with name=value. The attributes follow, with `; ` between them.",
                "Four questions: may a script read it? may it travel without https? may another "
                "site's form send it? to which path does it go?",
                'f"refresh={token}; HttpOnly; Secure; SameSite=…; Path=…"',
            ],
            solution=solutions["q1"],
        ),
        Exercise(
            namespace,
            "q2",
            wants=["may_change"],
            judge=judge_may_change,
            hints=[
                "A method that changes nothing, such as GET, needs no token.",
                "The cookie comes by itself. Only the header shows that the page has sent the "
                "request. Compare it with the token that the server keeps for this session.",
                "No token in the session, or none in the header: False. Compare with "
                "hmac.compare_digest, and encode both to bytes first.",
            ],
            solution=solutions["q2"],
        ),
        Exercise(
            namespace,
            "q3",
            wants=["is_revoked"],
            judge=judge_is_revoked,
            hints=[
                "There are two reasons: the session of the token has ended, or its user has logged "
                "out everywhere since.",
                'The first is `claims["sid"] in ended`. For the second, when was the token issued?',
                '`everywhere.get(claims["sub"])` is None for a user who never logged out '
                "everywhere.",
            ],
            solution=solutions["q3"],
        ),
    )

"""Back-off: whoever guesses passwords must wait longer after each failure.

It counts by the name that was typed, known or not, so that it tells nothing of which names
exist. The price is that a stranger can make an owner wait, five minutes at most.
"""

from __future__ import annotations

import hashlib
import math
from datetime import datetime

from mongomock import DuplicateKeyError

from .database import Database, clean_up, expiry, guard_of

#: Failures without a wait. The next ones cost 1 s, 2 s, 4 s and so on.
FREE_FAILURES = 5

#: The longest wait, in seconds.
LONGEST_WAIT = 300

#: Failures are forgotten so many seconds after the last wait is over. A shorter time would help
#: whoever guesses: wait until all is forgotten, and begin again with free failures.
FORGOTTEN_AFTER = 86_400


class LoginThrottle:
    """Counts the failed logins of each name, in the database, so in all processes."""

    def __init__(self, database: Database) -> None:
        self._attempts = database["login_attempts"]
        self._guard = guard_of(database)
        clean_up(database, "login_attempts")

    def admit(self, username: str, now: float) -> int:
        """Seconds to wait; 0 if the attempt may be made.

        An attempt counts as failed from its beginning, until `forget` is told of its success:
        else a thousand attempts at one instant would all find nothing to hold them.
        """
        key = _key(username)
        while True:
            with self._guard:
                seen = self._attempts.find_one({"_id": key})
            if seen is None:
                try:
                    with self._guard:
                        self._attempts.insert_one(
                            {"_id": key, "failures": 1, "until": now, "expires_at": _expiry()}
                        )
                except DuplicateKeyError:
                    continue
                return 0
            wait: float = seen["until"] - now
            # A longer one means that the clock was set back.
            if 0 < wait <= LONGEST_WAIT:
                return math.ceil(wait)
            failures = 1 if wait < -FORGOTTEN_AFTER else seen["failures"] + 1
            with self._guard:
                counted = self._attempts.find_one_and_update(
                    {"_id": key, "failures": seen["failures"], "until": seen["until"]},
                    {
                        "$set": {
                            "failures": failures,
                            "until": now + _wait_after(failures),
                            "expires_at": _expiry(),
                        }
                    },
                )
            if counted is not None:
                return 0

    def forget(self, username: str) -> None:
        """A login succeeded: the failures before it are forgotten."""
        with self._guard:
            self._attempts.delete_one({"_id": _key(username)})


def _key(username: str) -> str:
    # Of one size, however long the name is that a stranger sends.
    return hashlib.sha256(username.encode()).hexdigest()


def _expiry() -> datetime:
    return expiry(LONGEST_WAIT + FORGOTTEN_AFTER)


def _wait_after(failures: int) -> int:
    if failures < FREE_FAILURES:
        return 0
    doublings: int = min(failures - FREE_FAILURES, 30)
    return min(1 << doublings, LONGEST_WAIT)

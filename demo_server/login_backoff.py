"""Back-off: after each failed login, the next attempt must wait longer.

Failures are counted by the username that was sent, registered or not, so the wait does not reveal
which names exist. Drawback: an attacker can make the owner wait, five minutes at most.
"""

from __future__ import annotations

import hashlib
import math
from datetime import datetime

from mongomock import DuplicateKeyError

from .database import Database, clean_up, expiry, guard_of

#: Failures without a wait. The next ones wait 1 s, 2 s, 4 s and so on.
FREE_FAILURES = 5

#: The longest wait, in seconds.
LONGEST_WAIT = 300

#: Seconds after the last wait until failures are forgotten. A shorter time would help an attacker,
#: who could wait for that and start again with free failures.
FORGOTTEN_AFTER = 86_400


class LoginThrottle:
    """Counts the failed logins of each name in the database, for all processes."""

    def __init__(self, database: Database) -> None:
        self._attempts = database["login_attempts"]
        self._guard = guard_of(database)
        clean_up(database, "login_attempts")

    def admit(self, username: str, now: float) -> int:
        """Seconds to wait; 0 if the attempt is allowed now.

        An attempt counts as failed from its start until `forget` reports its success. Otherwise
        a thousand simultaneous attempts would all be allowed.
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
            # A longer wait means that the clock was set back.
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
        """Forget the failures of a name whose login succeeded."""
        with self._guard:
            self._attempts.delete_one({"_id": _key(username)})


def _key(username: str) -> str:
    # Hashed, so that a long name takes no more room than a short one.
    return hashlib.sha256(username.encode()).hexdigest()


def _expiry() -> datetime:
    return expiry(LONGEST_WAIT + FORGOTTEN_AFTER)


def _wait_after(failures: int) -> int:
    if failures < FREE_FAILURES:
        return 0
    doublings: int = min(failures - FREE_FAILURES, 30)
    return min(1 << doublings, LONGEST_WAIT)

"""Back-off: after each failed login, the next attempt must wait longer.

**Strangers.** Failures are counted by the username that was sent, registered or not, so the wait
does not reveal which names exist. Five are free, then the waits double, up to five minutes. A
success forgets them.

**Attempts in flight.** A login whose password is still being checked is neither a failure nor a
success, so it is counted apart, and 20 logins of one name may be in flight. Without a limit, a
thousand simultaneous guesses would all be checked before the first of them counts as failed. Once
waits have begun, one attempt may be in flight. So a stranger has 24 guesses before the first wait
(four failures, then 20 at once), and one after each wait.

**Known devices.** A stranger who tries again after each wait would keep the owner out for as long
as they like. So a login returns a device token, and a client that sends it with its next login is
counted apart from strangers and from other devices (OWASP, "Slow Down Online Guessing Attacks with
Device Cookies"). The token is a signed id (`signed_ids.py`) whose owner is the username. It only
selects a counter: the password is checked in any case, and a token that is forged, or belongs to
another name, is ignored. It is valid as long as the server's secret.

**What it costs.** The owner still has to wait on a device that has never logged in. Someone who
steals a device token can guess on that device's counter, as slowly as a stranger.
"""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import TooManyAttempts
from ..storage.database import (
    Database,
    Document,
    change_document,
    clean_up,
    expiry,
    guard_of,
)

#: Failures without a wait. The next ones wait 1 s, 2 s, 4 s and so on.
FREE_FAILURES = 5

#: The longest wait, in seconds.
LONGEST_WAIT = 300

#: Seconds after the last wait until failures are forgotten. A shorter time would help an attacker,
#: who could wait for that and start again with free failures.
FORGOTTEN_AFTER = 86_400

#: Logins of one counter that may be in flight at once, while there is no wait.
IN_FLIGHT = 20

#: Seconds after which an attempt in flight is given up: its process has died. Checking a password
#: takes a tenth of a second.
LEASE = 30


@dataclass(frozen=True)
class Attempt:
    """A login in flight.

    Attributes:
        counter (str): the id of the counter that it belongs to.
        id (str): its own id.
    """

    counter: str
    id: str


@dataclass
class _Counter:
    """The attempts of one name, or of one device of a name.

    Attributes:
        failures (int): since the last success.
        until (float): when the next attempt may begin, in seconds since the epoch.
        in_flight (dict[str, float]): when each attempt in flight began, by its id.
    """

    failures: int = 0
    until: float = 0.0
    in_flight: dict[str, float] = field(default_factory=dict)

    def begin(self, attempt: str, now: float) -> None:
        """Let an attempt begin.

        Raises:
            TooManyAttempts: it must wait.
        """
        wait = self.until - now
        # A longer wait means that the clock was set back.
        if 0 < wait <= LONGEST_WAIT:
            raise TooManyAttempts(math.ceil(wait))
        if wait < -FORGOTTEN_AFTER:
            self.failures = 0
        current = {key: at for key, at in self.in_flight.items() if abs(now - at) < LEASE}
        if len(current) >= (IN_FLIGHT if self.failures < FREE_FAILURES else 1):
            raise TooManyAttempts(1, "Too many logins at once")
        self.in_flight = {**current, attempt: now}

    def fail(self, attempt: str, now: float) -> None:
        """An attempt has failed."""
        self.in_flight.pop(attempt, None)
        self.failures += 1
        self.until = now + _wait_after(self.failures)

    def succeed(self, attempt: str, now: float) -> None:
        """An attempt has succeeded, so earlier failures are forgotten."""
        self.in_flight.pop(attempt, None)
        self.failures, self.until = 0, now


class LoginThrottle:
    """Counts the logins of each name and device in the database, for all processes.

    Args:
        database (Database): of mongomock or pymongo.
    """

    def __init__(self, database: Database) -> None:
        self._counters = database["login_attempts"]
        self._guard = guard_of(database)
        clean_up(database, "login_attempts")

    def begin(self, username: str, now: float, device: str = "") -> Attempt:
        """Let a login begin. `fail` or `succeed` must follow.

        Args:
            username (str): as it was sent.
            now (float): seconds since the epoch.
            device (str): the id of a device that has logged in before, or "".

        Raises:
            TooManyAttempts: it must wait.
        """
        attempt = Attempt(_key(username, device), secrets.token_hex(8))
        self._change(attempt, now, _Counter.begin)
        return attempt

    def fail(self, attempt: Attempt, now: float) -> None:
        """The password was wrong; `now` is as in `begin`."""
        self._change(attempt, now, _Counter.fail)

    def succeed(self, attempt: Attempt, now: float) -> None:
        """The password was right; `now` is as in `begin`."""
        self._change(attempt, now, _Counter.succeed)

    def _change(
        self, attempt: Attempt, now: float, change: Callable[[_Counter, str, float], None]
    ) -> None:
        def written(seen: Document | None) -> Document:
            counter = _Counter()
            if seen is not None:
                counter = _Counter(seen["failures"], seen["until"], seen["in_flight"])
            change(counter, attempt.id, now)
            return {
                "failures": counter.failures,
                "until": counter.until,
                "in_flight": counter.in_flight,
                "expires_at": expiry(LONGEST_WAIT + FORGOTTEN_AFTER),
            }

        change_document(self._counters, self._guard, attempt.counter, written)


def _key(username: str, device: str) -> str:
    # Hashed, so that a long name takes no more room than a short one. The id of a device has no
    # NUL, so no other name and device have the same text.
    return hashlib.sha256(f"{device}\0{username}".encode()).hexdigest()


def _wait_after(failures: int) -> int:
    if failures < FREE_FAILURES:
        return 0
    doublings: int = min(failures - FREE_FAILURES, 30)
    return min(1 << doublings, LONGEST_WAIT)

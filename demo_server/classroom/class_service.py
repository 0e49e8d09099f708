"""What the members of a class ask the server: who is in it, what happens, what time it is.

Each user is known already: `AuthService` has checked their token. Only the database says who is a
teacher, so an account that was deleted has no rights left.
"""

from __future__ import annotations

from typing import Any

from ..clock import Clock
from ..config import ServerConfig
from ..emit import Emit
from ..errors import Refusal, TokenRefused
from ..storage.database import Database
from ..storage.users import UserRepository
from .class_clock import ClassClock
from .class_log import ClassEvents
from .class_progress import ClassProgress, Report


class ClassService:
    """What a class shares, for one server.

    Args:
        config (ServerConfig): the teachers, and whether there is a class log.
        database (Database): of mongomock or pymongo.
        clock (Clock): the server's; a `ClassClock` can be moved by a teacher.
        emit: receives the events, as in `create_app`.

    Attributes:
        log (ClassEvents | None): the stored events; None without a class log.
        clock (ClassClock | None): None if no teacher can move the server's clock.
    """

    def __init__(
        self, config: ServerConfig, *, database: Database, clock: Clock, emit: Emit
    ) -> None:
        self.log = ClassEvents(database) if config.class_log else None
        self.clock = clock if isinstance(clock, ClassClock) else None
        self._now = clock
        self._users = UserRepository(database)
        self._progress = ClassProgress(database)
        self._teachers = config.teachers
        self._emit = emit

    def members(self, username: str) -> list[str]:
        """The names of all users, for a teacher.

        Args:
            username (str): who asks.

        Raises:
            TokenRefused: `token_revoked`: the user no longer exists.
            Refusal: `insufficient_scope`: the user is not a teacher.
        """
        self._check_teacher(username, "Only a teacher may read this")
        return self._users.names()

    def events(self, username: str, after: int) -> dict[str, Any]:
        """What `/events` answers: a teacher sees all users' events, others see their own.

        Args:
            username (str): who asks.
            after (int): the cursor from an earlier answer; 0 for the beginning.

        Returns:
            dict: `events`, `cursor` for the next call, `refused_logins` and `progress` by
                username; for a teacher also the names of the `teachers`, and with a class clock by
                how many seconds it is `ahead`.

        Raises:
            TokenRefused: `token_revoked`: the user no longer exists.
        """
        assert self.log is not None
        teacher = self._is_teacher(username)
        whose = None if teacher else username
        events, cursor = self.log.read(after, whose)
        answer: dict[str, Any] = {
            "events": events,
            "cursor": cursor,
            "refused_logins": self._users.refused_logins(whose),
            "progress": self._progress.read(whose),
        }
        if teacher:
            answer["teachers"] = list(self._teachers)
            if self.clock is not None:
                answer["ahead"] = self.clock.ahead
        return answer

    def report_progress(self, username: str, report: Report) -> None:
        """Take a report of a user about where they are in the course.

        Raises:
            Refusal: `request_malformed`: the user has reported too many exercises.
        """
        self._progress.add(username, report, self._now())

    def advance_clock(self, username: str, seconds: int) -> float:
        """Move the class's clock forward; return by how many seconds it is ahead now.

        Args:
            username (str): who asks.
            seconds (int): from 1 to `MAX_STEP`.

        Raises:
            TokenRefused: `token_revoked`: the user no longer exists.
            Refusal: `insufficient_scope`: the user is not a teacher.
        """
        assert self.clock is not None
        self._check_teacher(username, "Only a teacher may move the clock")
        self.clock.advance(seconds)
        self._emit("clock.advanced", username=username, seconds=seconds)
        return self.clock.ahead

    def _check_teacher(self, username: str, message: str) -> None:
        if not self._is_teacher(username):
            raise Refusal("insufficient_scope", message)

    def _is_teacher(self, username: str) -> bool:
        """Whether a user is a teacher now, by the database."""
        user = self._users.find(username)
        if user is None:
            refusal = TokenRefused("access", "token_revoked", "The user no longer exists")
            self._emit(
                "token.rejected",
                kind=refusal.kind,
                reason=refusal.code,
                detail=refusal.message,
                username=username,
            )
            raise refusal
        return user.teacher and user.username in self._teachers

"""Trials of an auth scheme on a real server: what each of its calls did, by the events.

    with SchemeTrial(ArticleAuth) as trial:
        trial.clock.advance(61)
        trial.call()          # Outcome: [("/home", 403), ("/refresh", 200), ("/home", 200)], 200
        trial.together(4)     # four calls that are refused before the first refresh is answered

The scheme is driven by `AuthClient`, in real threads. `Watched` stands between the two and
holds answers back, so that each race is the one that is meant, every time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from client_widget import Request, TokenStore
from client_widget.auth_flow import Auth, AuthFlow
from client_widget.transport import one_action

from ..lab import trial

#: No scheme needs as many messages for a call; one that goes on for ever is stopped here.
MESSAGES = 8

#: Seconds to wait for calls that ought to come, and for those that may wait for each other.
PATIENCE, SETTLING = 2.0, 0.3

REFRESH_LIFETIME = 100_000


class Runaway(Exception):
    """A call wants to send more than `MESSAGES` messages."""


@dataclass(frozen=True)
class Outcome:
    """What one call did.

    Attributes:
        messages (tuple[tuple[str, int], ...]): path and status of each of its answers.
        returned (int | None): the status that the caller was given.
        error (Exception | None): what the caller met instead.
    """

    messages: tuple[tuple[str, int], ...]
    returned: int | None
    error: Exception | None

    @property
    def sent(self) -> int:
        """How often the call itself was sent."""
        return sum(path != "/refresh" for path, _ in self.messages)

    @property
    def refreshes(self) -> int:
        """How many refreshes it sent."""
        return len(self.messages) - self.sent


class Watched:
    """An auth scheme as it is, with a word before and after each answer."""

    def __init__(self, auth: Auth) -> None:
        self._auth = auth
        self.before: Callable[[Request, Any], None] = _nothing
        self.after: Callable[[Request, Any], None] = _nothing

    def auth_flow(self, request: Request) -> AuthFlow:
        """The scheme's own flow.

        Raises:
            Runaway: it does not end.
        """
        flow = self._auth.auth_flow(request)
        message = next(flow)
        for _ in range(MESSAGES):
            answer = yield message
            self.before(message, answer)
            answered = message
            try:
                message = flow.send(answer)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            finally:
                self.after(answered, answer)
        raise Runaway


class SchemeTrial:
    """A server of its own, a clock that stands still, and a user who has just logged in.

    Args:
        scheme: makes the auth scheme from the store.
    """

    def __init__(self, scheme: Callable[[TokenStore], Auth]) -> None:
        self._scheme = scheme
        self._stack = ExitStack()

    def __enter__(self) -> SchemeTrial:
        lab = self._stack.enter_context(trial(self._watch, refresh_token_ttl=REFRESH_LIFETIME))
        self.clock, self.log, self.server, self.client = lab.clock, lab.log, lab.server, lab.client
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _watch(self, store: TokenStore) -> Watched:
        self.watched = Watched(self._scheme(store))
        return self.watched

    def refuse_always(self) -> None:
        """From now on `/home` answers 403, whatever token comes."""
        answer = {"message": "This account is blocked", "error": "token_invalid"}, 403
        self.server.app.view_functions["home"] = lambda: answer

    def call(self) -> Outcome:
        """What one call of `/home` does."""
        returned, error = None, None
        with one_action() as correlation:
            try:
                returned = getattr(self.client.request("GET", "/home"), "status_code", None)
            except Exception as raised:
                error = raised
        answers = [e.fields for e in self.log.action(correlation) if e.name == "response.received"]
        messages = tuple((fields["path"], fields["status"]) for fields in answers)
        return Outcome(messages, returned, error)

    def together(self, count: int) -> tuple[list[Outcome], bool]:
        """What `count` calls do, all refused before any refresh is answered.

        Returns:
            tuple: the outcomes, and whether all calls were on their way together.
        """
        refused, decided = _Arrivals(count), _Arrivals(count)

        def before(message: Request, answer: Any) -> None:
            if message.path != "/refresh":
                refused.arrive()
            elif answer is not None:
                refused.wait(PATIENCE)
                # A scheme may let a call wait inside for the refresh: that is no fault.
                decided.wait(SETTLING)

        def after(message: Request, answer: Any) -> None:
            if message.path != "/refresh":
                decided.arrive()

        self.watched.before, self.watched.after = before, after
        with ThreadPoolExecutor(count) as pool:
            outcomes = list(pool.map(lambda _: self.call(), range(count)))
        return outcomes, not refused.missed

    def late(self) -> list[Outcome]:
        """What two calls do, when the first gets its 403 after the second has ended."""
        held, go = threading.Event(), threading.Event()

        def before(message: Request, answer: Any) -> None:
            if not held.is_set():
                held.set()
                go.wait(PATIENCE)

        self.watched.before = before
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(self.call)
            held.wait(PATIENCE)
            second = self.call()
            go.set()
            return [first.result(), second]


def _nothing(message: Request, answer: Any) -> None:
    """No word before or after an answer."""


class _Arrivals:
    """Lets those who wait go on when `count` have arrived."""

    def __init__(self, count: int) -> None:
        self._missing = count
        self._lock = threading.Lock()
        self._all = threading.Event()
        self.missed = False

    def arrive(self) -> None:
        with self._lock:
            self._missing -= 1
            if self._missing == 0:
                self._all.set()

    def wait(self, seconds: float) -> None:
        if not self._all.wait(seconds):
            self.missed = True

"""Trials of an auth scheme on a real server: what each of its calls did, by the events.

    with SchemeTrial(ArticleAuth) as trial:
        trial.clock.advance(61)
        trial.call()          # Outcome: [("/home", 403), ("/refresh", 200), ("/home", 200)], 200
        trial.together(4)     # four calls that are refused before the first refresh is answered

`AuthClient` drives the scheme in real threads. `Watched`, between the two, holds answers back, so
that every run is the same race.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from client_widget import AuthClient, Request, TokenStore
from client_widget.client.actions import one_action
from client_widget.protocol.auth_flow import Auth, AuthFlow
from demo_server import DemoClock

from ..concurrency import Call, Race, Runaway
from ..lab import trial

#: A call needs three messages at most. One that sends more than eight would never stop.
MESSAGES = 8

#: Real seconds without any message after which calls that poll in a loop are taken for waiting.
PATIENCE = 0.5

#: Seconds: longer than all the expiries that a judge lets pass, so that only the access token
#: expires.
REFRESH_LIFETIME = 100_000


@dataclass(frozen=True)
class Outcome:
    """What one call did.

    Attributes:
        messages (tuple[tuple[str, int], ...]): path and status of each of its answers.
        returned (int | None): the status that the caller was given.
        error (BaseException | None): what was raised instead: `Abandoned` if the call hung.
        stopped_at (str): where in the learner's code it hung, as words; "" if it did not.
    """

    messages: tuple[tuple[str, int], ...]
    returned: int | None
    error: BaseException | None
    stopped_at: str = ""

    @property
    def sent(self) -> int:
        """How often the call itself was sent."""
        return sum(path != "/refresh" for path, _ in self.messages)

    @property
    def refreshes(self) -> int:
        """How many refreshes it sent."""
        return len(self.messages) - self.sent


class Watched:
    """An auth scheme, unchanged, whose answers can be held on their way to it.

    Attributes:
        hold: called with each message and its answer before the scheme sees the answer. It may
            wait.
    """

    def __init__(self, auth: Auth) -> None:
        self._auth = auth
        self.hold: Callable[[Request, Any], None] = _let_pass

    def auth_flow(self, request: Request) -> AuthFlow:
        """The scheme's own flow.

        Raises:
            Runaway: it sends more than `MESSAGES` messages.
        """
        flow = self._auth.auth_flow(request)
        message = next(flow)
        for _ in range(MESSAGES):
            answer = yield message
            self.hold(message, answer)
            try:
                message = flow.send(answer)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
        raise Runaway


class SchemeTrial:
    """A server, a stopped clock, and a user who has just logged in.

    Args:
        scheme: makes the auth scheme from the store.
    """

    def __init__(self, scheme: Callable[[TokenStore], Auth]) -> None:
        self._scheme = scheme
        self._stack = ExitStack()

    def __enter__(self) -> SchemeTrial:
        lab = self._stack.enter_context(trial(self._watch, refresh_token_ttl=REFRESH_LIFETIME))
        self.clock, self.log, self.server, self.client = lab.clock, lab.log, lab.server, lab.client
        self.store = lab.store
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _watch(self, store: TokenStore) -> Watched:
        self.auth = self._scheme(store)
        self.watched = Watched(self.auth)
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
            except (Exception, Runaway) as raised:
                error = raised
        answers = [e.fields for e in self.log.action(correlation) if e.name == "response.received"]
        messages = tuple((fields["path"], fields["status"]) for fields in answers)
        return Outcome(messages, returned, error)

    def together(self, count: int) -> tuple[list[Outcome], bool]:
        """What `count` calls do, all refused before any refresh is answered.

        Returns:
            tuple: the outcomes, and whether all calls were under way at the same time.
        """
        arrived: list[Request] = []
        with Race(progress=self.log.__len__, patience=PATIENCE) as race:
            refresh = race.gate()

            def hold(message: Request, answer: Any) -> None:
                if message.path != "/refresh":
                    arrived.append(message)
                elif answer is not None:
                    refresh.wait()

            self.watched.hold = hold
            calls = [race.call(self.call) for _ in range(count)]
            race.settle()
            parallel = len(arrived) >= count
        return [_outcome(call) for call in calls], parallel

    def late(self) -> list[Outcome]:
        """What two calls do, when the first gets its 403 after the second has ended."""
        with Race(progress=self.log.__len__, patience=PATIENCE) as race:
            late = race.gate()

            def hold(message: Request, answer: Any) -> None:
                if not late.came:
                    late.wait()

            self.watched.hold = hold
            calls = [race.call(self.call)]
            race.settle()
            calls.append(race.call(self.call))
            race.settle()
        return [_outcome(call) for call in calls]


def _outcome(call: Call) -> Outcome:
    if call.error is not None:
        return Outcome((), None, call.error, call.stopped_at)
    outcome: Outcome = call.value
    return outcome


def _let_pass(message: Request, answer: Any) -> None:
    """Hold nothing."""


def expiries(client: AuthClient, clock: DemoClock, count: int) -> list[int]:
    """The statuses that a caller gets, when the access token expires before each call."""
    statuses = []
    for _ in range(count):
        clock.advance(61)
        statuses.append(client.request("GET", "/home").status_code)
    return statuses

"""Lesson 04: what the judges take and refuse, the trials, and the calls by hand."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from jwt_course import Exercise, Wrong
from jwt_course.concurrency import Runaway
from jwt_course.lesson_04 import exercises
from jwt_course.lesson_04.calls_by_hand import Table
from jwt_course.lesson_04.judges import judge_fixed, judge_one, judge_own
from jwt_course.lesson_04.scheme_trial import Outcome, SchemeTrial, expiries

from client_widget import (
    ArticleAuth,
    AuthClient,
    BearerAuth,
    EventLog,
    LoginRequired,
    Request,
    TokenStore,
)
from client_widget.protocol.auth_flow import read_token, refresh_request, with_bearer
from demo_server import DemoClock, DemoServer

from ..client_widget.log.pictures.reading import SVG, root_of, texts_in
from ..conftest import PASSWORD
from .learner import cell

CALL = [("/home", 403), ("/refresh", 200), ("/home", 200)]


class Lowered(ArticleAuth):
    """Fixes fault one."""

    def auth_flow(self, request: Request) -> Any:
        answer = yield from super().auth_flow(request)
        self.refresh = False
        return answer


class NewForEach(ArticleAuth):
    """Fixes both faults."""

    def auth_flow(self, request: Request) -> Any:
        return ArticleAuth(self._store).auth_flow(request)


class PerCall(ArticleAuth):
    """Fixes both faults."""

    def auth_flow(self, request: Request) -> Any:
        pair = self._store.get()
        response: Any = yield with_bearer(request, pair)
        if pair is None or response.status_code != 403:
            return response
        answer: Any = yield self.asks(pair)
        if answer.status_code != 200:
            return answer
        self._store.set(pair.with_access(read_token(answer, "accessToken")))
        return (yield with_bearer(replace(request, purpose="retry"), self._store.get()))

    def asks(self, pair: Any) -> Request:
        return replace(refresh_request(pair), replaces=None)


class Compare(PerCall):
    """Does not know of the refresh that is on its way."""

    def auth_flow(self, request: Request) -> Any:
        pair = self._store.get()
        assert pair is not None
        response: Any = yield with_bearer(request, pair)
        if response.status_code != 403:
            return response
        if self._store.get() is pair:
            answer: Any = yield self.asks(pair)
            if answer.status_code != 200:
                return answer
            self._store.set(pair.with_access(read_token(answer, "accessToken")))
        return (yield with_bearer(replace(request, purpose="retry"), self._store.get()))


class Locked(Compare):
    """One refresh, with its own lock."""

    def __init__(self, store: Any) -> None:
        super().__init__(store)
        self.lock = threading.Lock()

    def auth_flow(self, request: Request) -> Any:
        pair = self._store.get()
        assert pair is not None
        response: Any = yield with_bearer(request, pair)
        if response.status_code != 403:
            return response
        with self.lock:
            if self._store.get() is pair:
                answer: Any = yield self.asks(pair)
                if answer.status_code != 200:
                    return answer
                self._store.set(pair.with_access(read_token(answer, "accessToken")))
        return (yield with_bearer(replace(request, purpose="retry"), self._store.get()))


class OneAtATime(ArticleAuth):
    """The whole call under a lock: all are answered, but none is sent beside another."""

    def __init__(self, store: Any) -> None:
        super().__init__(store)
        self.lock = threading.Lock()

    def auth_flow(self, request: Request) -> Any:
        with self.lock:
            return (yield from PerCall(self._store).auth_flow(request))


class WithoutEnd(BearerAuth):
    def auth_flow(self, request: Request) -> Any:
        while True:
            response = yield from PerCall(self._store).auth_flow(request)
            if response.status_code != 403:
                return response


class Before(ArticleAuth):
    """Refreshes although nothing was refused."""

    def auth_flow(self, request: Request) -> Any:
        pair = self._store.get()
        assert pair is not None
        answer: Any = yield replace(refresh_request(pair), replaces=None)
        self._store.set(pair.with_access(read_token(answer, "accessToken")))
        return (yield with_bearer(request, self._store.get()))


class Twice(PerCall):
    """Sends the retry twice."""

    def auth_flow(self, request: Request) -> Any:
        yield from super().auth_flow(request)
        return (yield with_bearer(replace(request, purpose="retry"), self._store.get()))


class Fake(ArticleAuth):
    def auth_flow(self, request: Request) -> Any:
        answer = yield from super().auth_flow(request)
        return SimpleNamespace(status_code=200) if answer.status_code == 403 else answer


class FakeInPlace(ArticleAuth):
    def auth_flow(self, request: Request) -> Any:
        answer: Any = yield from super().auth_flow(request)
        if answer.status_code == 403:
            answer.status_code = 200
        return answer


class Thrice(PerCall):
    """Three sends for each expiry."""

    def auth_flow(self, request: Request) -> Any:
        pair = self._store.get()
        answer: Any = yield from super().auth_flow(request)
        if self._store.get() is not pair:
            answer = yield with_bearer(replace(request, purpose="retry"), self._store.get())
        return answer


class NoRetry(ArticleAuth):
    """Gives the answer to the refresh."""

    def auth_flow(self, request: Request) -> Any:
        pair = self._store.get()
        assert pair is not None
        response: Any = yield with_bearer(request, pair)
        return response if response.status_code != 403 else (yield refresh_request(pair))


class GivesUp(ArticleAuth):
    def auth_flow(self, request: Request) -> Any:
        answer: Any = yield from super().auth_flow(request)
        if answer.status_code == 403:
            raise LoginRequired("log in again")
        return answer


class NoAnswer(ArticleAuth):
    def auth_flow(self, request: Request) -> Any:
        yield from super().auth_flow(request)


class OldToken(PerCall):
    """Retries with the token that was refused."""

    def auth_flow(self, request: Request) -> Any:
        pair = self._store.get()
        assert pair is not None
        response: Any = yield with_bearer(request, pair)
        if response.status_code != 403:
            return response
        yield self.asks(pair)
        return (yield with_bearer(replace(request, purpose="retry"), pair))


class Broken(ArticleAuth):
    def auth_flow(self, request: Request) -> Any:
        answer: Any = yield from super().auth_flow(request)
        return answer.status  # no such attribute


class Late(PerCall):
    """Single flight, but the call looks into the store too early to see a refresh."""

    flying: Any = None

    def auth_flow(self, request: Request) -> Any:
        pair = self._store.get()
        assert pair is not None
        response: Any = yield with_bearer(request, pair)
        if response.status_code != 403:
            return response
        done = threading.Event()
        flying, self.flying = self.flying, self.flying or done
        if flying is not None:
            flying.wait(5)
        else:
            answer: Any = yield self.asks(pair)
            self.flying = None
            if answer.status_code == 200:
                self._store.set(pair.with_access(read_token(answer, "accessToken")))
            done.set()
            if answer.status_code != 200:
                return answer
        return (yield with_bearer(replace(request, purpose="retry"), self._store.get()))


class OwnFlag(ArticleAuth):
    """A flag for each thread, which is one for each call that runs."""

    def __init__(self, store: Any) -> None:
        super().__init__(store)
        self.own = threading.local()

    def auth_flow(self, request: Request) -> Any:
        pair = self._store.get()
        response: Any = yield with_bearer(request, pair)
        if pair is None or response.status_code != 403 or getattr(self.own, "up", False):
            return response
        self.own.up = True
        try:
            answer: Any = yield replace(refresh_request(pair), replaces=None)
        finally:
            self.own.up = False
        if answer.status_code != 200:
            return answer
        self._store.set(pair.with_access(read_token(answer, "accessToken")))
        return (yield with_bearer(replace(request, purpose="retry"), self._store.get()))


class Shared(PerCall):
    """The client coordinates."""

    def auth_flow(self, request: Request) -> Any:
        pair = self._store.get()
        response: Any = yield with_bearer(request, pair)
        if pair is None or response.status_code != 403:
            return response
        answer: Any = yield refresh_request(pair)
        if answer is not None and answer.status_code != 200:
            self._store.replace(pair, None)
        elif answer is not None:
            self._store.replace(pair, pair.with_access(read_token(answer, "accessToken")))
        fresh = self._store.get()
        if fresh is None:
            raise LoginRequired("log in")
        return (yield with_bearer(replace(request, purpose="retry"), fresh))


class Polls(PerCall):
    """One refresh, and those that wait look again and again."""

    def __init__(self, store: Any) -> None:
        super().__init__(store)
        self.guard, self.busy = threading.Lock(), False

    def auth_flow(self, request: Request) -> Any:
        pair = self._store.get()
        response: Any = yield with_bearer(request, pair)
        if pair is None or response.status_code != 403:
            return response
        while not self.mine():
            time.sleep(0.005)
        try:
            if self._store.get() is pair:
                answer: Any = yield self.asks(pair)
                if answer.status_code != 200:
                    return answer
                self._store.set(pair.with_access(read_token(answer, "accessToken")))
        finally:
            self.busy = False
        return (yield with_bearer(replace(request, purpose="retry"), self._store.get()))

    def mine(self) -> bool:
        with self.guard:
            free, self.busy = not self.busy, True
        return free


class Deaf(PerCall):
    """The second call waits for the first, which wakes nobody."""

    def __init__(self, store: Any) -> None:
        super().__init__(store)
        self.first, self.done = threading.Lock(), threading.Event()

    def auth_flow(self, request: Request) -> Any:
        pair = self._store.get()
        response: Any = yield with_bearer(request, pair)
        if pair is None or response.status_code != 403:
            return response
        if not self.first.acquire(blocking=False):
            self.done.wait()
        try:
            answer: Any = yield self.asks(pair)
            if answer.status_code != 200:
                return answer
            self._store.set(pair.with_access(read_token(answer, "accessToken")))
            return (yield with_bearer(replace(request, purpose="retry"), self._store.get()))
        finally:
            if self.first.locked():
                self.first.release()


class Renamed(BearerAuth):
    """The reference under another name."""


class Hidden(ArticleAuth):
    """The reference inside, stepped by hand."""

    def auth_flow(self, request: Request) -> Any:
        flow = BearerAuth(self._store).auth_flow(request)
        message = next(flow)
        while True:
            try:
                message = flow.send((yield message))
            except StopIteration as end:
                return end.value


class Aliased(BearerAuth):
    """The reference's method under another name."""

    other = BearerAuth.auth_flow

    def auth_flow(self, request: Request) -> Any:
        return self.other(request)


def flow_only(request: Any) -> Any:
    yield request


class NoFlow:
    def __init__(self, store: Any) -> None: ...


class WrongFlow(ArticleAuth):
    def auth_flow(self) -> Any:  # type: ignore[override]
        yield


@pytest.mark.parametrize(
    ("judge", "scheme", "praise"),
    [
        *[(judge_fixed, scheme, "5 expiries in a row: 5 refreshes, 5 times 200.")
          for scheme in (Lowered, NewForEach, PerCall, Compare, Locked, OwnFlag, Shared)],
        *[(judge_own, scheme, "4 calls that expired together: 4 refreshes, 4 times 200.")
          for scheme in (NewForEach, PerCall, Compare, OwnFlag, lambda s: PerCall(s))],
        *[(judge_own, scheme, "4 calls that expired together: 1 refresh, 4 times 200.")
          for scheme in (Locked, Shared)],
        *[(judge_one, scheme, "4 calls that expired together: 1 refresh, 4 times 200.")
          for scheme in (Locked, Shared, Polls)],
    ],
)  # fmt: skip
def test_each_right_way_is_taken(judge: Any, scheme: Any, praise: str) -> None:
    assert judge(scheme) == praise


@pytest.mark.parametrize(
    ("judge", "scheme", "words"),
    [
        (judge_fixed, ArticleAuth, "Expiry 2 of 5 ended with 403, and sent no refresh"),
        (judge_fixed, WithoutEnd, "is always refused did not stop after 8 messages"),
        (judge_fixed, Before, "with a valid token sent a refresh before the server had refused "
                               "anything"),
        (judge_fixed, Twice, "with a valid token sent too much: /home 200, /home 200."),
        (judge_fixed, Thrice, "Expiry 1 of 5 was sent 3 times, with 1 refresh."),
        (judge_fixed, Fake, "Expiry 2 of 5 returned 200 to its caller, but the server's last "
                             "response was 403"),
        (judge_fixed, FakeInPlace, "the server's last response was 403"),
        (judge_fixed, NoRetry, "Expiry 1 of 5 returned the response to the refresh"),
        (judge_fixed, GivesUp, "Expiry 2 of 5 ended with LoginRequired, although the refresh "
                                "token"),
        (judge_fixed, NoAnswer, "returned nothing to its caller: auth_flow must return the last "
                                 "response"),
        (judge_fixed, OldToken, "Expiry 1 of 5 ended with 403 instead of 200: "
                                 "/home 403, /refresh 200, /home 403."),
        (judge_fixed, Broken, "with a valid token raised AttributeError: 'Response' object has no "
                               "attribute 'status', at line"),
        (judge_fixed, Broken, "`return answer.status  # no such attribute`. Sent so far: /home 2"),
        (judge_fixed, "x", "`FixedAuth` is a str. It should be a class: `class FixedAuth:`."),
        (judge_fixed, None, "`FixedAuth` is None. It should be a class: `class FixedAuth:`."),
        (judge_own, flow_only, "`OwnState` is a function that yields. It should be a class: the"),
        (judge_own, lambda store: None, "what it returned has no method `auth_flow`."),
        (judge_own, lambda: None, "`OwnState` takes (), but it is called with (store)."),
        (judge_one, PerCall(TokenStore()), "`OneRefresh` is an instance of PerCall. Hand in the "
                                           "class itself: its name, without parentheses after it."),
        (judge_one, NoFlow, "`OneRefresh` has no method `auth_flow`."),
        (judge_one, WrongFlow, "`OneRefresh.auth_flow` takes (self), but it is called with (self, "
                               "request)."),
        (judge_one, Deaf, "One of 4 calls that expired together never ended: it was still waiting "
                          "at line"),
        (judge_one, Lowered, "One of 4 calls that expired together ended with 403, and sent no"),
        (judge_one, ArticleAuth, "Expiry 2 of 5 ended with 403, and sent no refresh"),
        (judge_own, Fake, "Expiry 2 of 5 returned 200 to its caller"),
        (judge_own, WithoutEnd, "is always refused did not stop after 8 messages"),
        (judge_own, GivesUp, "Expiry 2 of 5 ended with LoginRequired"),
        (judge_own, Lowered, "One of 4 calls that expired together ended with 403, and sent no "
                             "refresh"),
        (judge_own, OneAtATime, "The calls were sent one after the other"),
        (judge_one, NewForEach, "4 calls that expired together sent 4 refreshes"),
        (judge_one, Compare, "4 calls that expired together sent 4 refreshes"),
        (judge_one, Late, "A call whose 403 came late, after another call had refreshed"),
    ],
)  # fmt: skip
def test_each_wrong_way_is_refused_with_what_was_seen(judge: Any, scheme: Any, words: str) -> None:
    with pytest.raises(Wrong) as wrong:
        judge(scheme)
    assert words in str(wrong.value)


@pytest.mark.parametrize("judge", [judge_fixed, judge_own, judge_one])
@pytest.mark.parametrize("scheme", [BearerAuth, Renamed, Hidden, Aliased])
def test_the_reference_is_refused(scheme: Any, judge: Any) -> None:
    with pytest.raises(
        Wrong, match=r"come from `BearerAuth.auth_flow`. That is the lab's fix. Wri"
    ):
        judge(scheme)


LOCKED_AROUND_THE_CALL = """
    import threading
    from client_widget import ArticleAuth

    class FixedAuth(ArticleAuth):
        lock = threading.Lock()

        def auth_flow(self, request):
            with self.lock:  # the article's flow sends its refresh through this flow
                self.refresh = False
                return (yield from super().auth_flow(request))
"""


def test_a_lock_around_the_whole_call_does_not_hang_the_notebook(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Exercise, "limit", 1.0)
    before = set(threading.enumerate())
    namespace = cell(LOCKED_AROUND_THE_CALL)
    exercises(namespace)[0].check()
    assert capsys.readouterr().out == (
        "q1 is not right yet: after 1 s your code still waited at line 8 of your cell: `with "
        "self.lock:  # the article's flow sends its refresh through this flow`. The check was "
        "stopped. What should end that wait, and which thread does it?\n"
    )
    assert set(threading.enumerate()) <= before
    assert not namespace["FixedAuth"].lock.locked()


class TestTrial:
    def test_an_outcome_is_what_the_events_say(self) -> None:
        with SchemeTrial(BearerAuth) as trial:
            assert trial.call() == Outcome((("/home", 200),), 200, None)
            trial.clock.advance(61)
            assert trial.call() == Outcome(tuple(CALL), 200, None)
            trial.refuse_always()
            outcome = trial.call()
            assert outcome.messages == (("/home", 403), ("/refresh", 200), ("/home", 403))
            assert (outcome.returned, outcome.sent, outcome.refreshes) == (403, 2, 1)

    def test_a_call_without_end_is_stopped(self) -> None:
        with SchemeTrial(WithoutEnd) as trial:
            trial.refuse_always()
            outcome = trial.call()
        assert isinstance(outcome.error, Runaway)
        assert len(outcome.messages) == 8

    def test_calls_that_are_held_together_are_all_refused_before_a_refresh(self) -> None:
        with SchemeTrial(Compare) as trial:
            trial.clock.advance(61)
            outcomes, together = trial.together(4)
        assert together
        assert [list(outcome.messages) for outcome in outcomes] == [CALL] * 4

    def test_of_two_calls_the_first_is_late(self) -> None:
        with SchemeTrial(Compare) as trial:
            trial.clock.advance(61)
            first, second = trial.late()
        assert first.messages == (("/home", 403), ("/home", 200))
        assert list(second.messages) == CALL

    def test_the_server_stops_when_the_scheme_cannot_be_made(self) -> None:
        before = set(threading.enumerate())
        with pytest.raises(ZeroDivisionError), SchemeTrial(lambda store: 1 / 0):  # type: ignore[arg-type, return-value]
            pass
        assert set(threading.enumerate()) <= before


def columns(table: Table) -> dict[str, list[str]]:
    """What each call did, by the places of the words in the picture."""
    drawn = [t for t in root_of(table.picture().svg).iter(f"{SVG}text") if t.text]
    lefts = {t.text: float(t.get("x", 0)) for t in drawn[:2]}
    named: dict[str, list[str]] = {str(name): [] for name in lefts}
    for text in drawn[2:]:
        words = text.text or ""
        if not words.isdigit():
            # Words in a badge are centred, so they are to the right of the column's beginning.
            x = float(text.get("x", 0))
            named[max((n for n in named if lefts[n] <= x), key=lambda n: lefts[n])].append(words)
    return named


class TestByHand:
    def test_the_articles_calls_fail_each_other(
        self, ada: AuthClient, clock: DemoClock, log: EventLog
    ) -> None:
        clock.advance(61)
        table = Table(ada, ArticleAuth)
        a, b = table.call("A"), table.call("B")
        begun = len(log)
        a.send()
        b.send()
        a.receive()
        b.receive()
        assert [(e.source, e.name) for e in list(log)[begun:]] == [
            ("A", "request.sent"),
            ("server", "token.rejected"),
            ("B", "request.sent"),
            ("server", "token.rejected"),
            ("A", "response.received"),
            ("B", "response.received"),
        ]
        assert (a.status, b.status) == (None, 403)
        a.finish()
        assert a.status == 200
        refresh = next(e for e in log.action("A") if e.fields.get("path") == "/refresh")
        assert refresh.fields["kind"] == "refresh"
        assert "B  has ended: the caller gets 403" in repr(table)
        assert columns(table) == {
            "A": ["→ GET /home", "← 403", "→ POST /refresh", "← 200", "→ GET /home again", "← 200",
                  "has ended: the caller gets 200"],
            "B": ["→ GET /home", "← 403", "has ended: the caller gets 403"],
        }  # fmt: skip
        assert texts_in(table.picture().svg, "bad") == ["← 403", "← 403"]

    def test_one_refresh_is_on_its_way_and_the_other_call_waits(
        self, ada: AuthClient, clock: DemoClock, log: EventLog
    ) -> None:
        clock.advance(61)
        table = Table(ada, BearerAuth)
        a, b = table.call("A"), table.call("B")
        for call in (a, b):
            call.send()
            call.receive()
        a.send()
        with pytest.raises(RuntimeError, match="B waits"):
            b.finish()
        b.send()
        a.receive()
        b.finish()
        a.finish()
        assert (a.status, b.status) == (200, 200)
        sent = [e.fields["path"] for e in log if e.source in "AB" and e.name == "request.sent"]
        assert sent == ["/home", "/home", "/refresh"]
        assert "     B  waits: a refresh for this token is under way\n" in repr(table)
        assert columns(table)["B"][2:4] == [
            "waits: a refresh for this token is under way",
            "sends no refresh: the token in the store has changed",
        ]

    def test_what_is_not_there_cannot_be_sent_or_received(self, ada: AuthClient) -> None:
        call = Table(ada, BearerAuth).call("A")
        with pytest.raises(RuntimeError, match="A has no response to receive"):
            call.receive()
        call.send()
        with pytest.raises(RuntimeError, match="A has nothing to send now"):
            call.send()

    def test_a_call_is_signed_when_it_is_laid_on_the_table(
        self, ada: AuthClient, clock: DemoClock
    ) -> None:
        table = Table(ada, BearerAuth)
        call = table.call("A")
        clock.advance(61)
        other = table.call("B")
        other.finish()
        call.send()
        call.receive()
        call.send()  # the token has changed, so no refresh
        call.finish()
        assert (call.status, repr(call)) == (200, "<SteppedCall A>")


def test_five_expiries_in_a_row(
    server: DemoServer, ada: AuthClient, clock: DemoClock, log: EventLog
) -> None:
    article = AuthClient(server.url, store=ada.store, log=log, clock=clock, auth=ArticleAuth)
    assert expiries(article, clock, 4) == [200, 403, 200, 403]
    ada.login("ada", PASSWORD)
    assert expiries(ada, clock, 4) == [200] * 4

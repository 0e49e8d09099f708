"""Threads that share a client and meet one expired token together.

The server is held at chosen events, so each case is the race that its name says, every time.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from typing import Any

from client_widget import (
    ArticleAuth,
    AuthClient,
    EventLog,
    LoginRequired,
    ServerUnreachable,
)
from demo_server import DemoClock, DemoServer

from ...conftest import PASSWORD, Gate, hold_refresh_until_rejected, in_threads

THREADS = 32


def counted(log: EventLog) -> Counter[str]:
    """How often each thing happened."""
    counts = Counter(event.name for event in log)
    counts["refresh"] = sum(
        event.name == "request.sent" and event.fields["path"] == "/refresh" for event in log
    )
    return counts


def test_32_threads_cost_one_refresh_and_get_32_answers(
    ada: AuthClient, clock: DemoClock, gate: Gate, log: EventLog
) -> None:
    clock.advance(61)
    hold_refresh_until_rejected(gate, THREADS)
    answers = in_threads(THREADS, ada.home)
    assert answers == [{"message": "Welcome ada"}] * THREADS
    counts = counted(log)
    assert (counts["refresh"], counts["token.refreshed"]) == (1, 1)
    assert (counts["token.expired"], counts["request.retried"]) == (THREADS, THREADS)


def test_when_the_refresh_is_refused_all_32_are_told_to_log_in(
    ada: AuthClient, clock: DemoClock, gate: Gate, log: EventLog
) -> None:
    clock.advance(301)
    hold_refresh_until_rejected(gate, THREADS)
    outcome = in_threads(THREADS, lambda: ada.request("GET", "/home"))
    assert [type(result) for result in outcome] == [LoginRequired] * THREADS
    counts = counted(log)
    assert (counts["refresh"], counts["session.ended"], counts["request.retried"]) == (1, 1, 0)
    assert ada.store.get() is None


def test_when_the_refresh_gets_no_answer_all_32_are_told_and_stay_logged_in(
    ada: AuthClient, clock: DemoClock, server: DemoServer, gate: Gate, log: EventLog
) -> None:
    clock.advance(61)
    hold_refresh_until_rejected(gate, THREADS)
    server.app.view_functions["refresh"] = held = HeldRefresh(gate)
    outcome = in_threads(THREADS, ada.home)
    assert [type(result) for result in outcome] == [ServerUnreachable] * THREADS
    # A thread that reads its 403 only when that answer is there may ask once more.
    assert held.calls <= 3
    assert ada.store.get() is not None


class HeldRefresh:
    """A /refresh that waits for all the 403s and then is not there."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.calls = 0

    def __call__(self) -> Any:
        self.calls += 1
        self._gate("waiting", kind="refresh")
        return {"message": "try later"}, 503


def test_a_late_403_costs_no_refresh(
    ada: AuthClient, clock: DemoClock, gate: Gate, log: EventLog
) -> None:
    """Its token was replaced while it was on its way: the retry is all that is needed."""
    clock.advance(61)
    first, rejected, go = [True], threading.Event(), threading.Event()

    def hold(name: str, fields: dict[str, Any]) -> threading.Event | None:
        if name == "token.rejected" and first.pop() if first else False:
            rejected.set()
            return go
        return None

    gate.hold = hold
    late: list[Any] = []
    thread = threading.Thread(target=lambda: late.append(ada.home()))
    thread.start()
    assert rejected.wait(timeout=20)
    assert ada.home() == {"message": "Welcome ada"}  # meets the expiry too, and refreshes
    go.set()
    thread.join(timeout=20)
    assert late == [{"message": "Welcome ada"}]
    counts = counted(log)
    assert (counts["refresh"], counts["token.expired"], counts["request.retried"]) == (1, 2, 2)


def test_retries_run_in_parallel(ada: AuthClient, clock: DemoClock, gate: Gate) -> None:
    """Four retries are inside the server at once, so none waits for another."""
    clock.advance(61)
    inside = threading.Barrier(4)
    hold_refresh_until_rejected(gate, 4)
    wait_for_rejections = gate.hold

    def hold(name: str, fields: dict[str, Any]) -> threading.Event | None:
        if name == "token.accepted" and fields["kind"] == "access":
            inside.wait(timeout=20)
        return wait_for_rejections(name, fields)

    gate.hold = hold
    assert in_threads(4, ada.home) == [{"message": "Welcome ada"}] * 4


def test_a_call_that_needs_no_refresh_does_not_wait_for_one(
    ada: AuthClient, clock: DemoClock, gate: Gate
) -> None:
    clock.advance(61)
    refreshing, go = threading.Event(), threading.Event()

    def hold(name: str, fields: dict[str, Any]) -> threading.Event | None:
        if fields.get("kind") == "refresh":
            refreshing.set()
            return go
        return None

    gate.hold = hold
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(ada.home()))
    thread.start()
    assert refreshing.wait(timeout=20)
    assert ada.request("GET", "/nope").status_code == 404
    go.set()
    thread.join(timeout=20)
    assert results == [{"message": "Welcome ada"}]


def test_expiry_after_expiry_under_threads(
    ada: AuthClient, clock: DemoClock, gate: Gate, log: EventLog
) -> None:
    """Nothing of one refresh is left to disturb the next; the shared session holds."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    try:
        for round_ in range(1, 5):
            clock.advance(61)
            hold_refresh_until_rejected(gate, THREADS)
            assert in_threads(THREADS, ada.home) == [{"message": "Welcome ada"}] * THREADS
            assert counted(log)["refresh"] == round_
    finally:
        sys.setswitchinterval(interval)


def test_a_log_in_during_a_refresh_wins(ada: AuthClient, clock: DemoClock, gate: Gate) -> None:
    ada.register("bob", PASSWORD)
    clock.advance(61)
    refreshing, go = threading.Event(), threading.Event()

    def hold(name: str, fields: dict[str, Any]) -> threading.Event | None:
        if name == "token.accepted" and fields["kind"] == "refresh":
            refreshing.set()
            return go
        return None

    gate.hold = hold
    outcome: list[Any] = []

    def home() -> None:
        try:
            outcome.append(ada.home())
        except LoginRequired as error:
            outcome.append(error)

    thread = threading.Thread(target=home)
    thread.start()
    assert refreshing.wait(timeout=20)
    ada.login("bob", PASSWORD)
    go.set()
    thread.join(timeout=20)
    assert [type(result) for result in outcome] == [LoginRequired]
    assert ada.home() == {"message": "Welcome bob"}


def test_of_the_articles_parallel_calls_some_fail(
    ada: AuthClient, server: DemoServer, clock: DemoClock, gate: Gate, log: EventLog
) -> None:
    article = AuthClient(server.url, log=log, clock=clock, store=ada.store, auth=ArticleAuth)
    clock.advance(61)
    hold_refresh_until_rejected(gate, 10)
    answers = in_threads(10, lambda: article.request("GET", "/home").status_code)
    counts = Counter(answers)
    assert counts[200] + counts[403] == 10
    assert counts[403] >= 1
    assert counted(log)["refresh"] > 1

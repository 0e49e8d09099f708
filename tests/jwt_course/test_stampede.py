"""The stampede: for each strategy and scenario the whole result, on a real server."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from jwt_course.concurrency import Race
from jwt_course.lesson_05.stampede import Gates, StampedeResult, run_stampede, table
from jwt_course.lesson_05.strategies import (
    STRATEGIES,
    CommonQueue,
    CoordinatedAuth,
    EachForItself,
    FlagAuth,
    coordinated,
)

from client_widget import BearerAuth, Request, TokenPair, TokenStore

CALLS = 10
EACH, FLAG, QUEUE, OURS = STRATEGIES
LOGIN = ("LoginRequired",)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert [t.name for t in threading.enumerate() if t.name.startswith("caller")] == []


def result(
    answers: int = 0,
    refused: int = 0,
    errors: int = 0,
    hangs: int = 0,
    *,
    refreshes: int,
    revoked: int = 0,
) -> StampedeResult:
    """A result, with `LoginRequired` for its only errors."""
    calls = answers + refused + errors + hangs
    kinds = LOGIN if errors else ()
    return StampedeResult(calls, answers, refused, errors, hangs, refreshes, revoked, kinds)


# Of ten calls five find the article's flag down and refresh.
EXPECTED: dict[tuple[str, ...], dict[str, StampedeResult]] = {
    (): {
        EACH: result(10, refreshes=10),
        FLAG: result(5, refused=5, refreshes=5),
        QUEUE: result(10, refreshes=1),
        OURS: result(10, refreshes=1),
    },
    # One call's refresh succeeded, but its token is of a session that was ended.
    ("rotation",): {
        EACH: result(refused=1, errors=9, refreshes=10, revoked=1),
        FLAG: result(refused=10, refreshes=5, revoked=1),
        QUEUE: result(10, refreshes=1),
        OURS: result(10, refreshes=1),
    },
    # The article's refresh goes through its own interceptor: a refusal of it, a 403, finds the
    # flag down and causes one more.
    ("refused",): {
        EACH: result(errors=10, refreshes=10),
        FLAG: result(refused=10, refreshes=10),
        QUEUE: result(errors=1, hangs=9, refreshes=1),
        OURS: result(errors=10, refreshes=1),
    },
    # A refusal by the RFCs is a 400, which the flag takes for an answer.
    ("rotation", "refused"): {
        EACH: result(errors=10, refreshes=10),
        FLAG: result(refused=10, refreshes=5),
        QUEUE: result(errors=1, hangs=9, refreshes=1),
        OURS: result(errors=10, refreshes=1),
    },
    # Nine calls leave the flag up, so the tenth fails.
    ("late",): {
        EACH: result(10, refreshes=10),
        FLAG: result(5, refused=5, refreshes=5),
        QUEUE: result(10, refreshes=2),
        OURS: result(10, refreshes=1),
    },
    # The refused refreshes have lowered the flag, so the tenth refreshes, with a spent token.
    ("rotation", "late"): {
        EACH: result(refused=1, errors=9, refreshes=10, revoked=1),
        FLAG: result(refused=10, refreshes=6, revoked=1),
        QUEUE: result(10, refreshes=2),
        OURS: result(10, refreshes=1),
    },
    # The late call finds no session any more.
    ("rotation", "refused", "late"): {
        EACH: result(errors=10, refreshes=9),
        FLAG: result(refused=10, refreshes=6),
        QUEUE: result(errors=2, hangs=8, refreshes=1),
        OURS: result(errors=10, refreshes=1),
    },
}


@pytest.mark.parametrize("troubles", EXPECTED, ids=lambda troubles: "+".join(troubles) or "none")
@pytest.mark.parametrize("name", STRATEGIES)
def test_the_whole_result_is_the_same_every_time(name: str, troubles: tuple[str, ...]) -> None:
    given = dict.fromkeys(troubles, True)
    assert run_stampede(STRATEGIES[name], CALLS, **given) == EXPECTED[troubles][name]


@pytest.mark.parametrize("calls", [2, 3, 64])
def test_single_flight_costs_one_refresh_however_many_they_are(calls: int) -> None:
    assert run_stampede(BearerAuth, calls, rotation=True) == result(calls, refreshes=1)


def test_64_calls_hang_in_the_queue_and_end_when_they_are_released() -> None:
    seen = run_stampede(STRATEGIES[QUEUE], 64, refused=True)
    assert seen == result(errors=1, hangs=63, refreshes=1)


def test_two_calls_are_enough_to_lose_the_session() -> None:
    seen = run_stampede(STRATEGIES[EACH], 2, rotation=True)
    assert seen == result(refused=1, errors=1, refreshes=2, revoked=1)


def test_of_two_calls_the_flag_refreshes_for_one() -> None:
    seen = run_stampede(FlagAuth, 2, rotation=True)
    assert seen == result(1, refused=1, refreshes=1)


def test_waves_are_counted_together() -> None:
    assert run_stampede(BearerAuth, 4, rotation=True, waves=3) == result(12, refreshes=3)


def test_runs_at_once_do_not_disturb_each_other() -> None:
    runs = [partial(run_stampede, STRATEGIES[name], CALLS, rotation=True) for name in STRATEGIES]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda run: run(), runs))
    assert results == list(EXPECTED["rotation",].values())


def test_threads_that_switch_all_the_time_change_nothing() -> None:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for name in STRATEGIES:
            seen = run_stampede(STRATEGIES[name], CALLS, rotation=True)
            assert seen == EXPECTED["rotation",][name]
    finally:
        sys.setswitchinterval(interval)


@pytest.mark.parametrize("calls", [-1, 0, 1, 65])
def test_the_number_of_calls_has_limits(calls: int) -> None:
    with pytest.raises(ValueError, match="2 to 64"):
        run_stampede(BearerAuth, calls)


def test_the_table_has_the_counts() -> None:
    seen = StampedeResult(9, 1, 2, 3, 3, 4, 5, LOGIN)
    assert table({"one": seen}).splitlines() == [
        "     refreshes    answers    refused     errors      hangs    revoked",
        "one          4          1          2          3          3          5",
    ]


class TestGates:
    def test_each_gate_holds_its_messages_only(self) -> None:
        purposes: list[Any] = ["refresh", "retry", "call", "call"]
        messages = [Request("GET", "/home", purpose=purpose) for purpose in purposes]
        with Race() as race:
            gates = Gates(race, "caller 3")
            calls = [race.call(partial(gates, message)) for message in messages]
            race.settle()
            assert [call.value for call in calls if call.done] == [messages[2]]
            for gate, still_held in ((gates.refresh, 2), (gates.retry, 1), (gates.late, 0)):
                gate.open()
                race.settle()
                assert sum(not call.done for call in calls) == still_held


class TestCoordinators:
    """By hand, with no server."""

    def test_each_for_itself_always_refreshes(self) -> None:
        each = EachForItself()
        assert [each.begin(TokenPair("a", "r")) for _ in range(3)] == [True] * 3

    def test_the_queue_refreshes_again_once_the_token_is_published(self) -> None:
        queue, pair = CommonQueue(), TokenPair("a", "r")
        assert queue.begin(pair)
        queue.end(pair.with_access("b"))
        assert queue.begin(pair)

    def test_the_end_is_told_even_if_no_answer_comes(self) -> None:
        ends: list[TokenPair | None] = []

        class Recorder(EachForItself):
            def end(self, fresh: TokenPair | None) -> None:
                ends.append(fresh)

        store = TokenStore()
        store.set(TokenPair("a", "r"))
        flow = CoordinatedAuth(store, Recorder()).auth_flow(Request("GET", "/home"))
        next(flow)
        assert flow.send(Answer(401)).path == "/refresh"
        with pytest.raises(OSError, match="cut"):
            flow.throw(OSError("cut"))
        assert ends == [None]


class Answer:
    """What the flow reads of an answer."""

    def __init__(self, status_code: int) -> None:
        self.status_code = status_code
        self.headers: dict[str, str] = {}

    def json(self) -> Any:
        return {}


def test_calls_that_look_again_and_again_do_not_hang() -> None:

    class Looks:
        def __init__(self, store: TokenStore) -> None:
            self.store, self.lock, self.busy = store, threading.Lock(), False
            self.pause = threading.Event()

        def begin(self, pair: TokenPair) -> bool:
            while True:
                with self.lock:
                    if self.store.get() is not pair:
                        return False
                    if not self.busy:
                        self.busy = True
                        return True
                self.pause.wait(0.001)

        def end(self, fresh: TokenPair | None) -> None:
            self.busy = False

    assert run_stampede(coordinated(Looks), 2, rotation=True) == result(2, refreshes=1)

"""The harness for calls that run together: it knows when none of them can move, and ends them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from jwt_course.concurrency import Gate, Race, Runaway, together
from jwt_course.judging.ending import end


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert [thread.name for thread in threading.enumerate() if thread not in before] == []


class TestSettle:
    def test_it_settles_when_all_wait(self) -> None:
        with Race() as race:
            gate, after = race.gate(), race.gate()
            calls = [race.call(gate.wait) for _ in range(3)] + [race.call(after.wait)]
            race.settle()
            assert [call.done for call in calls] == [False] * 4
            gate.open()
            race.settle()
            assert [call.done for call in calls] == [True, True, True, False]
            after.open()
            race.settle()
            assert [call.done for call in calls] == [True] * 4

    def test_a_call_that_waits_for_a_lock_waits(self) -> None:
        lock = threading.Lock()

        def take() -> None:
            with lock:
                pass

        with Race() as race:
            with lock:
                call = race.call(take)
                race.settle()
                assert not call.done
            race.settle()
            assert call.done
        assert not call.hung

    def test_a_call_at_work_is_waited_for(self) -> None:
        """The calls hand work from one to the next, so each of them seems to wait at times."""
        baton = [threading.Event() for _ in range(4)]
        done = [0] * len(baton)

        def pass_on(number: int) -> None:
            baton[number].wait()
            for turn in range(20_000):
                done[number] = turn
            if number + 1 < len(baton):
                baton[number + 1].set()

        with Race() as race:
            calls = [race.call(lambda n=n: pass_on(n)) for n in range(len(baton))]  # type: ignore[misc]
            baton[0].set()
            race.settle()
            assert all(call.done for call in calls)

    def test_a_call_whose_server_is_held_cannot_move(self) -> None:
        """The call looks busy, as one does that reads from a socket; a gate holds its server."""
        with ThreadPoolExecutor(1) as server, Race() as race:
            gate, looks = race.gate(), []

            def read() -> None:
                served = server.submit(gate.wait)
                while not served.done():
                    looks.append(time.sleep(0.001))

            call = race.call(read)
            began = time.monotonic()
            race.settle()
            assert time.monotonic() - began < 2  # and not the patience of three seconds
            assert (call.done, gate.came) == (False, 1)
            gate.open()
            race.settle()
            assert call.done

    def test_a_call_that_polls_is_not_waited_for_without_end(self) -> None:
        stop: list[bool] = []

        def poll() -> None:
            while not stop:
                time.sleep(0.001)

        with Race(patience=0.05) as race:
            call = race.call(poll)
            race.settle()
            assert not call.done
            stop.append(True)
            assert race.wait(lambda: call.done)


class TestWait:
    def test_it_says_whether_it_was_reached(self) -> None:
        with Race(patience=0.02) as race:
            assert race.wait(lambda: True)
            assert not race.wait(lambda: False)

    def test_progress_renews_the_patience(self) -> None:
        looks: list[int] = []
        with Race(progress=lambda: len(looks) // 5, patience=0.01) as race:
            assert race.wait(lambda: looks.append(1) or len(looks) > 100)  # type: ignore[func-returns-value]


class TestCall:
    def test_it_ends_with_a_value_or_an_error(self) -> None:
        with Race() as race:
            calls = race.call(lambda: 7), race.call(lambda: 1 // 0)
        assert [(call.value, type(call.error)) for call in calls] == [
            (7, type(None)),
            (None, ZeroDivisionError),
        ]

    def test_a_runaway_passes_an_except_of_exceptions(self) -> None:
        def swallow() -> None:
            try:
                raise Runaway
            except Exception:
                pass

        with Race() as race:
            call = race.call(swallow)
        assert type(call.error) is Runaway


def on_event() -> None:
    threading.Event().wait()


def on_future() -> None:
    Future[None]().result()


def on_lock() -> None:
    lock = threading.Lock()
    with lock:
        lock.acquire()


def on_sleep() -> None:
    while True:
        time.sleep(0.001)


def on_a_lock_of_an_object() -> None:
    tab = SimpleNamespace(lock=threading.Lock())
    tab.lock.acquire()
    tab.lock.acquire()


@pytest.mark.parametrize(
    "wait_in_vain", [on_event, on_future, on_lock, on_a_lock_of_an_object, on_sleep]
)
def test_a_call_that_never_ends_is_abandoned_and_its_thread_ends(
    wait_in_vain: Callable[[], None],
) -> None:
    def call_in_vain() -> None:
        try:
            wait_in_vain()
        except Exception:
            return

    with Race(patience=0.02) as race:
        call, other = race.call(call_in_vain), race.call(lambda: 7)
    assert (call.hung, call.done, other.hung) == (True, True, False)


def test_a_thread_that_outlasts_the_farewell_is_released_in_the_background() -> None:
    lock = threading.Lock()
    lock.acquire()

    def wait_again() -> None:
        try:
            lock.acquire()
        except SystemExit:
            lock.acquire()

    with Race(patience=20) as race:
        call = race.call(wait_again)
        race.settle()
        end([call.thread], farewell=0)
        assert race.wait(lambda: "hunt" not in [each.name for each in threading.enumerate()])
        assert call.done


class TestGate:
    def test_it_opens_by_itself_when_enough_have_come(self) -> None:
        gate = Gate(opens_at=2, patience=20)
        with Race() as race:
            first = race.call(gate.wait)
            race.settle()
            assert (first.done, gate.is_open) == (False, False)
            race.call(gate.wait)
            race.settle()
            assert (first.done, gate.is_open) == (True, True)
        gate.wait()  # a third comes, and goes on
        assert gate.held() == set()

    def test_it_opens_by_itself_when_nobody_else_comes(self) -> None:
        gate = Gate(opens_at=2, patience=0.01)
        gate.wait()
        assert gate.is_open

    def test_the_end_of_a_race_opens_it(self) -> None:
        with Race() as race:
            call = race.call(race.gate().wait)
            race.settle()
        assert not call.hung


def test_together_returns_what_each_returned_or_raised() -> None:
    at_once = threading.Barrier(2, timeout=20)
    seven, error = together(lambda: (at_once.wait() and 7) or 7, lambda: at_once.wait() // 0)
    assert seven == 7
    assert isinstance(error, ZeroDivisionError)

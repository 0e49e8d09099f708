"""What the lab relies on in threads: it must hold for real ones, and for those of a browser tab.

`check()` runs each of `FACTS` and returns what failed. The standard library is enough for it, so
that it can be sent to a tab as a text.
"""

from __future__ import annotations

import ctypes
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress


def started(*calls: Callable[[], object]) -> list[threading.Thread]:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    return threads


def joined(*calls: Callable[[], object]) -> None:
    for thread in started(*calls):
        thread.join(10)
        assert not thread.is_alive()


def a_lock_is_waited_for_until_the_timeout() -> None:
    lock = threading.Lock()
    assert lock.acquire()
    assert not lock.acquire(timeout=0.01)
    assert not lock.acquire(blocking=False)
    lock.release()
    assert lock.acquire(timeout=0.01)
    assert lock.locked()


def a_lock_goes_from_one_thread_to_the_next() -> None:
    lock, order = threading.Lock(), []

    def turn() -> None:
        with lock:
            order.append("in")
            time.sleep(0.001)
            order.append("out")

    joined(*[turn] * 5)
    assert order == ["in", "out"] * 5


def a_free_lock_cannot_be_released() -> None:
    try:
        threading.Lock().release()
    except RuntimeError:
        return
    raise AssertionError


def an_rlock_belongs_to_its_thread() -> None:
    lock, others = threading.RLock(), []
    with lock, lock:
        joined(lambda: others.append(lock.acquire(timeout=0.01)))
    joined(lambda: others.append(lock.acquire(timeout=0.01)))
    assert others == [False, True]


def an_event_wakes_all_who_wait() -> None:
    event, woken = threading.Event(), []
    assert not event.wait(0.01)
    threads = started(*[lambda: woken.append(event.wait(10))] * 3)
    time.sleep(0.01)
    assert woken == []
    event.set()
    for thread in threads:
        thread.join(10)
    assert woken == [True] * 3


def a_condition_wakes_one() -> None:
    condition, woken = threading.Condition(), []

    def wait() -> None:
        with condition:
            woken.append(condition.wait(10))

    threads = started(wait, wait)
    time.sleep(0.01)
    with condition:
        condition.notify()
    threads[0].join(10)
    assert woken == [True]
    with condition:
        condition.notify()
    threads[1].join(10)
    assert woken == [True, True]
    with condition:
        assert not condition.wait(0.01)


def a_barrier_lets_all_go_or_breaks() -> None:
    barrier, passed = threading.Barrier(3), []
    joined(*[lambda: passed.append(barrier.wait(10))] * 3)
    assert sorted(passed) == [0, 1, 2]

    def wait() -> None:
        with suppress(threading.BrokenBarrierError):
            passed.append(barrier.wait(10))

    threads = started(wait, wait)
    time.sleep(0.01)
    barrier.abort()
    for thread in threads:
        thread.join(10)
    assert len(passed) == 3


def a_pool_runs_its_calls_at_once() -> None:
    meeting = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: meeting.wait(10), range(4)))) == 4
        assert list(pool.map(lambda n: n * n, range(8))) == [n * n for n in range(8)]
        failed = pool.submit(lambda: [][1])
        assert isinstance(failed.exception(10), IndexError)


def a_queue_keeps_the_order_and_its_bound() -> None:
    bounded: queue.Queue[int] = queue.Queue(1)
    simple: queue.SimpleQueue[int] = queue.SimpleQueue()

    def produce() -> None:
        for number in range(5):
            bounded.put(number)

    def consume() -> None:
        for _ in range(5):
            simple.put(bounded.get(timeout=10))

    joined(produce, consume)
    assert [simple.get() for _ in range(5)] == list(range(5))
    for empty in (bounded, simple):
        try:
            empty.get(timeout=0.01)
        except queue.Empty:
            continue
        raise AssertionError


def each_thread_has_its_own_locals_name_and_number() -> None:
    own, seen, meeting = threading.local(), [], threading.Barrier(3)
    own.value = "main"

    def look() -> None:
        before = getattr(own, "value", None)
        own.value = threading.current_thread().name
        meeting.wait(10)  # the number of a thread that has ended may be given again
        seen.append((before, own.value == threading.current_thread().name, threading.get_ident()))

    joined(look, look, look)
    assert [line[:2] for line in seen] == [(None, True)] * 3
    assert len({ident for *_, ident in seen} | {threading.get_ident()}) == 4
    assert own.value == "main"


def a_join_has_a_timeout() -> None:
    go = threading.Event()
    [thread] = started(lambda: go.wait(10))
    thread.join(0.01)
    assert thread.is_alive()
    places, frame = [], sys._current_frames()[thread.ident or 0]
    while frame is not None:
        places.append(frame.f_code)
        frame = frame.f_back  # type: ignore[assignment]
    assert places[0] is threading.Condition.wait.__code__
    assert threading.Thread.run.__code__ in places
    go.set()
    thread.join(10)
    assert not thread.is_alive()


def an_exception_ends_its_thread_and_no_other() -> None:
    reported: list[type] = []
    hook, lock, going = threading.excepthook, threading.Lock(), []

    def fail() -> None:
        with lock:
            time.sleep(0.001)
            raise ValueError

    def go_on() -> None:
        for _ in range(5):
            with lock:
                time.sleep(0.001)
        going.append(True)

    threading.excepthook = lambda args: reported.append(args.exc_type)
    try:
        for _ in range(10):
            joined(fail, go_on)
    finally:
        threading.excepthook = hook
    assert reported == [ValueError] * 10
    assert going == [True] * 10


def an_exception_goes_through_a_wait() -> None:
    for _ in range(20):
        try:
            with threading.Lock():
                time.sleep(0)
                raise KeyError
        except KeyError:
            time.sleep(0)


def a_thread_that_waits_is_ended_from_outside() -> None:
    go, lock, passed = threading.Event(), threading.Lock(), []

    def wait() -> None:
        go.wait(10)
        passed.append("event")

    def take() -> None:
        with lock:
            passed.append("lock")

    hook, threading.excepthook = threading.excepthook, lambda args: None
    try:
        lock.acquire()
        threads = started(wait, take, take)
        time.sleep(0.01)
        for thread in threads[:2]:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit)
            )
        go.set()
        lock.release()
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()
    finally:
        threading.excepthook = hook
    assert "event" not in passed
    assert passed[-1] == "lock"  # the third one has its turn, whatever became of the second


FACTS = [
    a_lock_is_waited_for_until_the_timeout,
    a_lock_goes_from_one_thread_to_the_next,
    a_free_lock_cannot_be_released,
    an_rlock_belongs_to_its_thread,
    an_event_wakes_all_who_wait,
    a_condition_wakes_one,
    a_barrier_lets_all_go_or_breaks,
    a_pool_runs_its_calls_at_once,
    a_queue_keeps_the_order_and_its_bound,
    each_thread_has_its_own_locals_name_and_number,
    a_join_has_a_timeout,
    an_exception_ends_its_thread_and_no_other,
    an_exception_goes_through_a_wait,
    a_thread_that_waits_is_ended_from_outside,
]


def check() -> list[str]:
    """The facts that do not hold, each with where it failed."""
    failed = []
    for fact in FACTS:
        try:
            fact()
        except Exception:
            failed.append(f"{fact.__name__}:\n{traceback.format_exc()}")
    return failed

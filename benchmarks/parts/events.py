"""The event log: time and memory of an event, up to a million of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple, ParamSpec, TypeVar

import psutil

from client_widget import EventLog

from ..table import Part, Row, measured, ratio
from ..turns import take_turns

P, T = ParamSpec("P"), TypeVar("T")

#: Events of which the time is taken together.
CHUNK = 1000

#: Events among which the last action is looked for.
MANY = 100_000


class Filled(NamedTuple):
    """A log that was filled: microseconds of an event in each chunk, and bytes of an event."""

    times: list[float]
    size: float


def measure(quick: bool) -> Part:
    many = 100_000 if quick else 1_000_000
    part = Part(
        "Event log",
        f"Events like those of a request, recorded in chunks of {CHUNK:,}. Each log has its own "
        "process and keeps all of its events. So its memory can be measured, and the garbage "
        "collector looks through no other objects.",
    )
    for subscribers in (0, 1):
        filled = alone(fill, many, subscribers)
        what = "with a subscriber" if subscribers else "without a subscriber"
        tenth = len(filled.times) // 10
        first, last = filled.times[:tenth], filled.times[-tenth:]
        name = f"time of an event, {what}: last tenth of {many:,} / first"
        part.rows.append(ratio(name, last, first, at_most=1.5))
        part.rows.append(measured(f"microseconds of an event, {what}", filled.times))
    part.rows.append(Row("bytes of an event", filled.size))
    for threads, least in ((1, 300_000), (8, 150_000)):
        name = "one thread" if threads == 1 else f"{threads} threads"
        rates = alone(rates_of, threads, 3 if quick else 7)
        what = f"events a second, one subscriber, {name}"
        part.rows.append(measured(what, rates, at_least=least))
    times = take_turns({"action": many_actions().action}, rounds=200)["action"]
    microseconds = [seconds * 1e6 for seconds in times]
    what = f"microseconds to find the last action among {MANY:,} events"
    part.rows.append(measured(what, microseconds, at_most=100))
    part.rows.append(
        measured("a picture of 100 events, ms", alone(pictures, 20 if quick else 100), at_most=10)
    )
    return part


def pictures(rounds: int) -> list[float]:
    """Milliseconds of each picture of a log with 100 events: half requests, half answers."""
    log = EventLog()
    about = {"source": "client", "method": "GET", "path": "/home", "purpose": "call"}
    for call in range(50):
        log.record("request.sent", correlation=f"{call}", **about)
        log.record("response.received", correlation=f"{call}", status=200, **about)
    times = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        log.to_svg()
        times.append((time.perf_counter() - start) * 1000)
    return times[1:]  # the first imports the library


def alone(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `function` returns in its own process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()


def fill(count: int, subscribers: int) -> Filled:
    """Record `count` events."""
    log = EventLog(limit=count)
    for _ in range(subscribers):
        log.subscribe(lambda _: None)
    process = psutil.Process()
    before = process.memory_info().rss
    times = []
    for _ in range(count // CHUNK):
        start = time.perf_counter()
        for _ in range(CHUNK):
            record(log)
        times.append((time.perf_counter() - start) / CHUNK * 1e6)
    return Filled(times, (process.memory_info().rss - before) / len(log))


def record(log: EventLog) -> None:
    """An event as of a request."""
    log.record("request.sent", source="bench", correlation="b", method="GET", path="/")


def many_actions() -> EventLog:
    """A log of `MANY` events, ten for each action."""
    log = EventLog()
    for index in range(MANY):
        log.record("request.sent", source="bench", correlation=f"action {index // 10}")
    return log


def rates_of(threads: int, rounds: int) -> list[float]:
    """`a_second` in each round."""
    return [a_second(threads) for _ in range(rounds)]


def a_second(threads: int) -> float:
    """How many events all threads together record in a second, with one subscriber."""
    log = EventLog()
    log.subscribe(lambda _: None)
    each = 80_000 // threads

    def work() -> None:
        for _ in range(each):
            record(log)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return each * threads / (time.perf_counter() - start)

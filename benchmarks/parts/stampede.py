"""The stampede: how many refreshes, and how long, when callers of one client meet one expiry."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait

from jwt_course.lab import START
from jwt_course.lesson_05.stampede import USER, refreshes_in

from client_widget import AuthClient, EventLog, Request
from demo_server import DemoClock, DemoServer, ServerConfig

from ..plots import plot
from ..table import Grid, Part, Row, measured, number, quartiles

MOST = 256


class Crowd:
    """Threads that call at one instant: each call is signed, then all are sent.

    Args:
        client (AuthClient): the one that they share.
        callers (int): how many.
    """

    def __init__(self, client: AuthClient, callers: int) -> None:
        self._client = client
        self._callers = callers
        self._start = threading.Barrier(callers, self._note)
        self._pool = ThreadPoolExecutor(callers)
        self._began = 0.0
        client.before_send = self._hold

    def call(self) -> float:
        """Seconds from the instant to the last answer; each must be a 200."""
        calls = [
            self._pool.submit(self._client.request, "GET", "/home") for _ in range(self._callers)
        ]
        wait(calls)
        seconds = time.perf_counter() - self._began
        assert [call.result().status_code for call in calls] == [200] * self._callers
        return seconds

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()

    def _note(self) -> None:
        self._began = time.perf_counter()

    def _hold(self, message: Request) -> Request:
        if message.purpose == "call":
            self._start.wait(timeout=30)
        return message


def measure(quick: bool) -> Part:
    part = Part(
        "Stampede",
        "N threads share one `AuthClient`. All have attached the same expired access token to "
        "their calls when they are released together: N refusals, one refresh, N retries. The "
        "server rotates (policy `rfc`), so a second refresh would end the session. It runs in the "
        "same process. For comparison: the same threads with a valid token, N calls.",
    )
    sizes = [1 << power for power in range(0, 9, 4 if quick else 1)]
    most_refreshes, rows, good_line, expired_line = 0, [], [], []
    for callers in sizes:
        good, expired, refreshes = _stampede(callers, rounds=2 if quick else 9)
        most_refreshes = max(most_refreshes, *refreshes)
        good_line.append(quartiles(good)[1] * 1000)
        expired_line.append(quartiles(expired)[1] * 1000)
        ratios = [e / g for e, g in zip(expired, good, strict=True)]
        cells = (good_line[-1], expired_line[-1], quartiles(ratios)[1])
        rows.append([str(callers), str(max(refreshes)), *map(number, cells)])
    part.rows.append(
        Row(f"refreshes of one expiry, the most of 1 to {MOST} callers", most_refreshes, at_most=1)
    )
    what = f"time of {MOST} calls: with expiry, refresh and retry / with a valid token"
    part.rows.append(measured(what, ratios))
    head = ("callers", "refreshes", "valid token, ms", "expired token, ms", "expired / valid")
    part.grids.append(Grid(head, rows))
    lines = {"expired token": (sizes, expired_line), "valid token": (sizes, good_line)}
    if not quick:
        plot(part, "stampede", lines, across="callers", up="ms to the last answer")
    return part


def _stampede(callers: int, rounds: int) -> tuple[list[float], list[float], list[int]]:
    """Seconds with a good token, seconds with an expired one, and the refreshes, by round."""
    clock = DemoClock(start=START, rate=0)
    log = EventLog(clock=clock)
    config = ServerConfig(policy="rfc", bcrypt_cost=4)
    good, expired, refreshes = [], [], []
    with DemoServer(config, clock=clock, name="stampede") as server:
        client = AuthClient(server.url, log=log, clock=clock)
        client.register(*USER)
        client.login(*USER)
        crowd = Crowd(client, callers)
        crowd.call()  # connections are made
        for _ in range(rounds):
            good.append(crowd.call())
            clock.advance(config.access_token_ttl + 1)
            before = refreshes_in(log)
            expired.append(crowd.call())
            refreshes.append(refreshes_in(log) - before)
        crowd.close()
    return good, expired, refreshes

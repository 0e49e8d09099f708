"""Background work: a repeated task whose thread exits when idle, one-off calls, calls at once.

A process can run out of threads for a moment. So a thread is published only once it runs
(`start_thread`); otherwise everybody would wait for a thread that never began.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ..client.actions import new_id, one_action, starting_with

_logger = logging.getLogger("client_widget")

T = TypeVar("T")


class NoThread(RuntimeError):
    """No thread can be started at the moment."""

    def __init__(self) -> None:
        super().__init__("This process cannot start a thread right now. Try again in a moment.")


def start_thread(name: str, call: Callable[[], object]) -> threading.Thread:
    """Run `call` in a daemon thread, and return the thread, which is running.

    Raises:
        NoThread: the thread cannot be started.
    """
    thread = threading.Thread(target=call, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise NoThread from error
    return thread


class Pulse:
    """Calls `step` repeatedly in its own thread, until `step` has nothing left to do.

    Args:
        interval (float): seconds to wait before each step. All the work that arrives meanwhile
            is done in one step.
        step: returns True to be called again after the interval, False to end the thread.
        first (float | None): seconds to wait before the first step after an idle time; the
            interval by default.
    """

    def __init__(
        self, interval: float, step: Callable[[], bool], *, first: float | None = None
    ) -> None:
        self._interval = interval
        self._first = interval if first is None else first
        self._step = step
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wanted = False
        self._stopped = threading.Event()
        self._short = False  # did the last start find no thread?

    def start(self) -> None:
        """Make sure that a step begins within the interval. Cheap if one is already due.

        If no thread can be started, this says so in the Python log, and the next call tries again.
        """
        with self._lock:
            self._wanted = True
            if self._thread is None and not self._stopped.is_set():
                try:
                    self._thread = start_thread("pulse", self._run)
                except NoThread:
                    if not self._short:
                        _logger.warning("A view is late: no thread can be started yet")
                    self._short = True
                else:
                    self._short = False

    def stop(self) -> None:
        """Take no further step. Waits up to a second for a step that is under way."""
        self._stopped.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=1.0)

    def _run(self) -> None:
        pause = self._first
        while not self._stopped.wait(pause):
            pause = self._interval
            with self._lock:
                self._wanted = False
            try:
                more = self._step()
            except BaseException:
                with self._lock:
                    self._thread = None
                raise
            with self._lock:
                if not more and not self._wanted:
                    self._thread = None
                    return


class Workers:
    """Runs each call in its own thread, which ends with the call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()

    def start(self, name: str, call: Callable[[], object]) -> None:
        """Run `call` in a thread with this name.

        Raises:
            NoThread: the thread cannot be started, and `call` does not run.
        """

        def work() -> None:
            try:
                call()
            finally:
                with self._lock:
                    self._threads.discard(threading.current_thread())

        with self._lock:
            self._threads.add(start_thread(name, work))

    def wait(self, timeout: float) -> None:
        """Wait until all calls have ended.

        Raises:
            TimeoutError: a call is still running after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        with self._lock:
            threads = tuple(self._threads)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                raise TimeoutError(f"{thread.name} is still under way after {timeout:g} s")


def at_once(count: int, call: Callable[[], T]) -> list[T]:
    """Make `count` calls at once, each in its own thread, and return what they return.

    They are one action, in which each has its own id: "<action>.1", "<action>.2" …
    Their messages leave together: see `starting_with`.

    Raises:
        NoThread: not all threads can be started.
        Exception: what the first failed call raises.
    """
    action, start = new_id(), threading.Barrier(count)

    def run(number: int) -> T:
        with one_action(f"{action}.{number}"), starting_with(start):
            return call()

    with ThreadPoolExecutor(count) as pool:
        try:
            calls = [pool.submit(run, number) for number in range(1, count + 1)]
        except RuntimeError as error:
            start.abort()  # the calls that have begun wait for those that never will
            raise NoThread from error
        return [each.result() for each in calls]

"""Background work: a repeated task whose thread exits when idle, and one-off calls."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


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

    def start(self) -> None:
        """Make sure that a step begins within the interval. Cheap if one is already due."""
        with self._lock:
            self._wanted = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        pause = self._first
        while True:
            time.sleep(pause)
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
        self._threads: set[threading.Thread] = set()

    def start(self, name: str, call: Callable[[], object]) -> None:
        """Run `call` in a thread with this name."""

        def work() -> None:
            try:
                call()
            finally:
                self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=work, name=name, daemon=True)
        self._threads.add(thread)
        thread.start()

    def wait(self, timeout: float) -> None:
        """Wait until all calls have ended.

        Raises:
            TimeoutError: a call is still running after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        for thread in tuple(self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                raise TimeoutError(f"{thread.name} is still under way after {timeout:g} s")

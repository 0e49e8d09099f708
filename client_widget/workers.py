"""The threads of a widget: its calls run in them, so that a click comes back at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Workers:
    """Runs calls, each in a thread of its own that ends with the call."""

    def __init__(self) -> None:
        self._threads: set[threading.Thread] = set()

    def start(self, name: str, call: Callable[[], object]) -> None:
        """Run `call` in a thread of that name."""

        def work() -> None:
            try:
                call()
            finally:
                self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=work, name=name, daemon=True)
        self._threads.add(thread)
        thread.start()

    def wait(self, timeout: float) -> None:
        """Wait until no call is under way.

        Raises:
            TimeoutError: one still is after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        for thread in tuple(self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                raise TimeoutError(f"{thread.name} is still under way after {timeout:g} s")

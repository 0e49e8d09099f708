"""Single flight: of all callers that need the same refresh, one refreshes and the others wait.

Rules:

- a caller asks whether a refresh is still needed under the lock, and decides there who refreshes.
  No lock is held while the refresh is under way;
- the waiting callers are released on every exit path: success, refusal or failure;
- a failure is shared: the waiting callers get it too, instead of trying one after the other;
- after a success or a refusal they check again, and find that no refresh is needed any more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType


class Flight:
    """One refresh under way. Leaving its `with` block releases the callers that wait for it."""

    def __init__(self, owner: SingleFlight) -> None:
        self._owner = owner
        self._done: Future[None] = Future()
        self._waiting = 0

    def fail(self, error: Exception) -> None:
        """Share a failure with the waiting callers."""
        self._done.set_exception(error)

    def __enter__(self) -> Flight:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._owner.lock:
            self._owner.current = None
        if not self._done.done():
            if isinstance(error, self._owner.shared):
                self._done.set_exception(error)
            else:
                self._done.set_result(None)


class SingleFlight:
    """Decides who refreshes.

    Args:
        shared (type[Exception]): the failures that the waiting callers get too.

    Attributes:
        lock (Lock): held for the decision.
        current (Flight | None): the refresh under way.
        waiting (int): how many callers wait for it.
    """

    def __init__(self, shared: type[Exception]) -> None:
        self.shared = shared
        self.lock = threading.Lock()
        self.current: Flight | None = None

    @property
    def waiting(self) -> int:
        """How many callers wait for the refresh under way."""
        with self.lock:
            return 0 if self.current is None else self.current._waiting

    def take_off(self, is_needed: Callable[[], bool]) -> Flight | None:
        """The flight to lead, or None if another caller has refreshed meanwhile.

        Args:
            is_needed: asked under the lock: does this caller still need the refresh?

        Raises:
            Exception: the failure of the refresh that this caller waited for.
        """
        while True:
            with self.lock:
                if not is_needed():
                    return None
                if self.current is None:
                    self.current = Flight(self)
                    return self.current
                other = self.current
                other._waiting += 1
            other._done.result()

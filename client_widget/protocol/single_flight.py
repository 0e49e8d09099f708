"""Single flight: of all callers that need the same refresh, one refreshes and the others wait.

Rules:

- the first caller with an expired pair leads, and the others follow. When the flight has landed
  they look again, and need no refresh any more;
- a failure is shared: the callers that waited get it too, instead of trying one after the other;
- nothing is locked, so nothing can stay locked. An interrupt (Ctrl-C) may come at any line, even
  between taking a lock and the line that would release it. So a flight is claimed by
  `dict.setdefault`, which is atomic, and it is under way while `SingleFlight.run` is on its
  thread's stack. It is not after an interrupt, after the end of its thread, or in a child process,
  which has no such thread: there the next caller takes its place;
- no wait is unbounded, and a caller that would wait for itself gets an error at once.
"""

from __future__ import annotations

import copy
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import TypeVar

from ..errors import Deadlock, RefreshPending, ServerUnreachable

T = TypeVar("T")

#: A caller that waits looks this often, in seconds, whether the flight is still under way.
LOOK_AGAIN = 0.5


def never() -> bool:
    """No one pauses the refresh."""
    return False


@dataclass(eq=False)
class Flight:
    """One refresh under way.

    Attributes:
        is_paused: is a person looking at the refresh, as in step mode? That time does not count.
        error (ServerUnreachable | None): what the callers that wait get too.
    """

    is_paused: Callable[[], bool] = never
    error: ServerUnreachable | None = None
    _thread: int = field(default_factory=threading.get_ident)
    _process: int = field(default_factory=os.getpid)
    _frame: FrameType | None = field(default=None, repr=False)
    _place: object = field(default=None, repr=False)
    _followers: list[Flight] = field(default_factory=list, repr=False)
    _landed: threading.Event = field(default_factory=threading.Event, repr=False)

    def _is_under_way(self) -> bool:
        frame = self._frame
        if frame is None or self._process != os.getpid():
            return False
        try:
            frame.clear()  # refused as long as the frame runs, and harmless after that
        except RuntimeError:
            return True
        return False

    def _wait(self, patience: float) -> ServerUnreachable | None:
        """Wait until it is no longer under way; returns what went wrong."""
        until = time.monotonic() + patience
        while self._is_under_way() and not self._landed.wait(min(LOOK_AGAIN, patience)):
            if self.is_paused():
                until = time.monotonic() + patience
            elif time.monotonic() >= until:
                return RefreshPending(
                    "Another call is refreshing the tokens and does not finish: you are still "
                    "logged in, try again in a moment"
                )
        return copy.copy(self.error)


class SingleFlight:
    """Decides who refreshes. Safe under threads, interrupts and forks.

    Attributes:
        lock (Lock): for a subclass of the client that decides by another rule; `run` needs none.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        # Which flight is in which place. The place is the pair to refresh. Only its leader takes
        # a flight away, so one that was abandoned stays, and is itself the place of the next.
        self._flights: dict[object, Flight] = {}

    @property
    def waiting(self) -> int:
        """How many callers have come to wait for the refreshes under way."""
        return sum(len(flight._followers) for flight in self._flights.copy().values())

    def run(
        self,
        pair: object,
        is_needed: Callable[[], bool],
        lead: Callable[[Flight], T],
        follow: Callable[[ServerUnreachable | None], T],
        *,
        patience: float,
        is_paused: Callable[[], bool] = never,
    ) -> T:
        """Refresh, or wait for the caller that does.

        Args:
            pair: what to refresh, compared by identity.
            is_needed: does this caller still need the refresh?
            lead: refreshes; called for one caller at a time. Its `ServerUnreachable`, or the
                flight's `error`, is shared.
            follow: called instead when another caller has refreshed, with what went wrong.
            patience (float): how many seconds to wait for another caller.
            is_paused: is a person looking at this caller's refresh? Then others wait longer.

        Returns:
            What `lead` or `follow` returns.

        Raises:
            Deadlock: this thread is refreshing already, and would wait for itself.
        """
        mine = Flight(is_paused, _frame=sys._getframe())
        try:
            mine._place = pair
            while is_needed():
                other = self._flights.setdefault(mine._place, mine)
                if other is mine:
                    # Looked at again: the last leader may have landed since.
                    return lead(mine) if is_needed() else follow(None)
                failure = self._follow(other, mine, patience)
                if failure is not None:
                    return follow(failure)
            return follow(None)
        except ServerUnreachable as error:
            mine.error = error
            raise
        finally:
            if self._flights.get(mine._place) is mine:
                del self._flights[mine._place]
            mine._landed.set()
            mine._frame = None

    def _follow(self, other: Flight, mine: Flight, patience: float) -> ServerUnreachable | None:
        if other._thread == mine._thread and other._is_under_way():
            raise Deadlock(
                "This call was made during the refresh that it needs, and would wait for itself: "
                "in before_send, use another client with its own TokenStore"
            )
        other._followers.append(mine)
        failure = other._wait(patience)
        abandoned = self._flights.get(mine._place) is other and not other._is_under_way()
        mine._place = other if abandoned else mine._place
        return failure

"""The numbers of calls, which the log, the sequence and the timeline share.

A log's first call is 1, and its refresh and its retry belong to it: see `is_call`.
"""

from __future__ import annotations

from collections import OrderedDict

from .event import Event, is_call

#: Calls whose number is remembered. Of older ones no event arrives any more.
REMEMBERED = 10_000


class CallNumbers:
    """Numbers calls in the order in which they begin."""

    def __init__(self) -> None:
        self._count = 0
        # By correlation. A dict is slow to find its oldest entry after many were deleted.
        self._numbers: OrderedDict[str, int] = OrderedDict()

    def of(self, event: Event) -> int | None:
        """The number of the call that an event belongs to; None if it belongs to no call.

        Args:
            event (Event): the next one of the log; each is asked for once and in order.
        """
        if event.correlation is None:
            return None
        if is_call(event):
            self._count += 1
            self._numbers[event.correlation] = self._count
            if len(self._numbers) > REMEMBERED:
                self._numbers.popitem(last=False)
        return self._numbers.get(event.correlation)

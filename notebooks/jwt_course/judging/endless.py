"""Ends an endless loop of the learner's code in a browser tab, where no other thread can do it.

Python calls `sys.monitoring`'s callback at each jump, and so at each turn of a loop. Code that is
not the learner's is left alone after its first jump, so a check takes no longer. What cannot be
stopped is a call that runs no Python code, such as `sum(itertools.count())`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Any

from .learners_code import is_learners, place_of

# One that no debugger, profiler or coverage tool has.
_TOOL = 4


@contextmanager
def loops_end(limit: float, error: type[BaseException]) -> Iterator[list[str]]:
    """In this block, raise `error` in the learner's loops once `limit` real seconds have passed.

    It is raised again at the next turn of a loop which has caught it.

    Returns:
        list[str]: where a loop was ended, such as "line 3 of your cell: `…`".
    """
    places: list[str] = []
    deadline = time.monotonic() + limit
    monitoring: Any = vars(sys)["monitoring"]  # since Python 3.12

    def jumped(code: CodeType, _from: int, _to: int) -> object:
        if not is_learners(code):
            return monitoring.DISABLE
        if time.monotonic() > deadline:
            places.append(place_of(sys._getframe(1)))
            raise error
        return None

    monitoring.use_tool_id(_TOOL, "jwt_course")
    monitoring.register_callback(_TOOL, monitoring.events.JUMP, jumped)
    monitoring.set_events(_TOOL, monitoring.events.JUMP)
    try:
        yield places
    finally:
        monitoring.free_tool_id(_TOOL)

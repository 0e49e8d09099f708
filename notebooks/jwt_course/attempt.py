"""A judge's run of the learner's code, with a time limit.

The judge runs in its own thread, so that it can be abandoned: the learner's code may loop
without end, or wait for something that never comes. Then `Abandoned` is raised in the thread, and
whatever lock it waits for is released. That frees what it holds, stops the servers that the judge
has started, and ends the loop. What cannot be stopped is a call that runs no Python code, such as
a long `time.sleep`: it ends as soon as it returns, before it can print anything.

In a browser tab, a loop keeps every other thread from running. There it is ended at one of its
turns, once its time is up: see `judging.endless`.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from functools import partial

from .concurrency import Call
from .judging.answers import Wrong
from .judging.ending import Abandoned, end
from .judging.endless import loops_end
from .judging.learners_code import frame_in, place_in
from .judging.waiting import waits

#: Seconds between two looks: on some systems, an interrupt cannot end a longer wait.
_LOOK = 0.05

# The name of a check's thread, by which it is found after an interrupt while it was starting.
_CHECK = "check"


def attempt(judge: Callable[[], str], limit: float) -> str:
    """What the judge returned.

    Args:
        judge: runs the learner's code.
        limit (float): real seconds.

    Raises:
        Wrong: the judge says so, or it did not end in time. So does whatever it raised.
        KeyboardInterrupt: the learner interrupted it; the judge was stopped.
    """
    if sys.platform != "emscripten":
        return _attempt(judge, limit)
    with loops_end(limit, Abandoned) as places:
        try:
            return _attempt(judge, limit)
        except BaseException:
            if places:
                raise Wrong(_still_running(limit, places[0])) from None
            raise


def _attempt(judge: Callable[[], str], limit: float) -> str:
    known = set(threading.enumerate())
    ended = threading.Event()

    def run() -> str:
        try:
            return judge()
        finally:
            ended.set()

    call: Call | None = None
    try:
        call = Call(partial(copy_context().run, run), _CHECK)
        # Not `Thread.join`: an interrupt there makes Python 3.11 take the thread for ended.
        deadline = time.monotonic() + limit
        while not ended.wait(_LOOK) and time.monotonic() < deadline:
            pass
        if ended.is_set():
            call.thread.join()
        else:
            raise Wrong(_where(known, limit))
    finally:
        if call is None or not call.done:
            _stop(known)
    if call.error is not None:
        raise call.error
    verdict: str = call.value
    return verdict


def _learners(known: set[threading.Thread]) -> list[threading.Thread]:
    """The new threads that run the learner's code now, the check's own first."""
    new = [thread for thread in threading.enumerate() if thread not in known]
    new.sort(key=lambda thread: thread.name != _CHECK)
    return [thread for thread in new if frame_in(thread) is not None]


def _where(known: set[threading.Thread], limit: float) -> str:
    threads = _learners(known)
    if not threads:
        return (
            f"the check had not ended after {limit:g} s, and was stopped. Your code was not "
            "running at that moment. Is this computer busy? Run the check again."
        )
    thread = threads[0]
    place = place_in(thread)
    if waits(thread):
        return (
            f"after {limit:g} s your code still waited at {place}. The check was stopped. What "
            "should end that wait, and which thread does it?"
        )
    return _still_running(limit, place)


def _still_running(limit: float, place: str) -> str:
    return (
        f"after {limit:g} s your code was still running, at {place}. The check was stopped. What "
        "should have ended it?"
    )


def _stop(known: set[threading.Thread]) -> None:
    """End the check, and the threads that it has left in the learner's code."""
    new = [thread for thread in threading.enumerate() if thread not in known]
    check = [thread for thread in new if thread.name == _CHECK]
    end(list(dict.fromkeys([*check, *_learners(known)])))

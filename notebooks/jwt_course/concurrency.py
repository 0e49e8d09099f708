"""Calls that run at the same time, in an order that is the same at every run.

    with Race(progress=lambda: len(log)) as race:
        refresh = race.gate()                      # whatever calls `refresh.wait()` stops there
        calls = [race.call(client.home) for _ in range(4)]
        race.settle()                              # all four are done, or wait for something
        refresh.open()
        race.settle()
    print([call.value for call in calls])          # a call that still waits is abandoned: `hung`

Nothing here sleeps "long enough". `settle` looks at the threads themselves. Once each call has
ended, waits for another thread, or is held at a gate inside the server, none of them can move, so
everything that can happen has happened. That makes a race repeatable, and a hang certain.
"""

from __future__ import annotations

import ctypes
import linecache
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from inspect import getattr_static
from types import FrameType
from typing import Any

from .judging.frames import current_frames, frame_of, variables_of
from .judging.learners_code import frame_in, place_in

#: Seconds between two looks at the threads.
_LOOK = 0.001

#: How many looks in a row must find that no call can move, before we believe it. A wait for a
#: notification is certain, up to a thread that was about to record something. A lock that was
#: released a moment ago still looks taken, and a wait with a timeout may be about to end.
_LOOKS_AT_WAITS, _LOOKS_AT_LOCKS = 5, 100
if sys.platform == "emscripten":
    # In a browser tab no thread is interrupted: one that was released goes on at the next look.
    _LOOKS_AT_LOCKS = 20

#: Seconds without progress after which `wait` and `settle` return, whatever the threads do: a
#: call that polls in a loop never stops. Counted in looks, which take longer on a busy machine.
PATIENCE = 3.0

#: Seconds to wait for abandoned threads to end, and seconds after which one that is still in the
#: learner's code has caught what was raised in it. One that runs no Python code is left alone; it
#: is a daemon, so it ends with the kernel.
_FAREWELL, _CAUGHT = 2.0, 0.2

_LOCKS = (type(threading.Lock()), type(threading.RLock()))


class Runaway(BaseException):
    """A call sent more messages than any correct one would. No `except Exception` stops it."""


class Abandoned(SystemExit):
    """A call was still waiting when its race ended. Raised inside its thread, to end it.

    A `SystemExit` ends a thread without a traceback on the screen.
    """


class Call:
    """One call, running in its own thread.

    Attributes:
        value (Any): what it returned; None until then.
        error (BaseException | None): what it raised; `Abandoned` if it never came back.
        stopped_at (str): where in the learner's code it was abandoned, as words, or "".
        thread (Thread): a daemon, so that a call that never ends does not keep Python alive.
    """

    def __init__(self, function: Callable[[], Any], name: str) -> None:
        self.value: Any = None
        self.error: BaseException | None = None
        self.stopped_at = ""
        self._function = function
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.value = self._function()
        except BaseException as error:
            self.error = self.error or error

    @property
    def done(self) -> bool:
        """Has it ended?"""
        return not self.thread.is_alive()

    @property
    def hung(self) -> bool:
        """Was it abandoned?"""
        return isinstance(self.error, Abandoned)

    def abandon(self) -> None:
        """If it is still running: set `error` to `Abandoned`, and end its thread."""
        abandon([self])


def abandon(calls: Iterable[Call]) -> None:
    """Abandon those of the calls that are still running: see `Call.abandon`."""
    running = [call for call in calls if not call.done]
    for call in running:
        call.stopped_at = place_in(call.thread)
        call.error = Abandoned("the call was still waiting")
    end([call.thread for call in running])


def end(threads: Sequence[threading.Thread], farewell: float = _FAREWELL) -> None:
    """Raise `Abandoned` in threads, and wait until they have ended.

    Args:
        threads (Sequence[Thread])
        farewell (float): real seconds to wait at most. What is left then is hunted in the
            background.
    """
    for thread in threads:
        _raise_in(thread)
    began = time.monotonic()
    while left := [thread for thread in threads if thread.is_alive()]:
        waited = time.monotonic() - began
        for thread in left:
            _release(thread)
            if waited > _CAUGHT:
                _insist(thread)
        if waited > farewell:
            threading.Thread(target=_hunt, args=(left,), name="hunt", daemon=True).start()
            return
        left[0].join(timeout=0.01)


def _hunt(threads: Sequence[threading.Thread]) -> None:
    """Insist in the background, more and more seldom, so that no loop takes the processor."""
    pause = 0.05
    while left := [thread for thread in threads if thread.is_alive()]:
        for thread in left:
            _release(thread)
            _insist(thread)
        time.sleep(pause)
        pause = min(2 * pause, 5.0)


def _raise_in(thread: threading.Thread) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Abandoned)
    )


def _insist(thread: threading.Thread) -> None:
    """Raise again and again for a moment, in a thread that is in the learner's code.

    A loop around a bare `except:` catches what is raised inside the `try`. Sooner or later an
    exception comes while another is handled, and ends the loop. A thread that has left the
    learner's code is cleaning up, and must not be disturbed.
    """
    moment = time.monotonic() + 20 * _LOOK
    with short_switches():
        while frame_in(thread) is not None and time.monotonic() < moment:
            _raise_in(thread)


class _Switches:
    """Counts the blocks of `short_switches` that are open: the interval is the process's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open, self._before = 0, 0.0

    def shorten(self) -> None:
        with self._lock:
            if self._open == 0:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(1e-6)
            self._open += 1

    def restore(self) -> None:
        with self._lock:
            self._open -= 1
            if self._open == 0:
                sys.setswitchinterval(self._before)


_switches = _Switches()


@contextmanager
def short_switches() -> Iterator[None]:
    """Threads switch far more often than by default."""
    _switches.shorten()
    try:
        yield
    finally:
        _switches.restore()


class Gate:
    """Holds the threads that come to it until it opens. Once open, it stays open.

    Args:
        opens_at (int | None): opens by itself when so many threads have come.
        patience (float | None): opens by itself once a thread has waited so many seconds.

    Attributes:
        came (int): how many threads have come so far.
    """

    def __init__(self, opens_at: int | None = None, patience: float | None = None) -> None:
        self.came = 0
        self._opens_at, self._patience = opens_at, patience
        self._changed = threading.Condition()
        self._is_open = False
        self._held: set[threading.Thread] = set()

    def wait(self) -> None:
        """Return when the gate is open."""
        thread = threading.current_thread()
        with self._changed:
            self.came += 1
            if self.came == self._opens_at:
                self.open()
            self._held.add(thread)
            try:
                if not self._changed.wait_for(lambda: self._is_open, self._patience):
                    self.open()
            finally:
                self._held.discard(thread)

    def open(self) -> None:
        """Let through the threads that wait here, and all that come later."""
        with self._changed:
            self._is_open = True
            self._changed.notify_all()

    @property
    def is_open(self) -> bool:
        """Does it let threads through?"""
        return self._is_open

    def held(self) -> set[threading.Thread]:
        """The threads that wait here now."""
        with self._changed:
            return set(self._held)


class Race:
    """Calls, the gates that hold them, and the question whether any of them can still move.

    Leaving the `with` block closes it: see `close`.

    Args:
        progress: returns a number that grows when something happens, such as a log's length.
        patience (float): see `PATIENCE`.
    """

    def __init__(self, progress: Callable[[], int] = int, patience: float = PATIENCE) -> None:
        self._progress, self._patience = progress, patience
        self._calls: list[Call] = []
        self._gates: list[Gate] = []

    def call(self, function: Callable[[], Any]) -> Call:
        """Start a call. Its thread is named "caller 0", the next one's "caller 1", and so on."""
        call = Call(function, f"caller {len(self._calls)}")
        self._calls.append(call)
        return call

    def gate(self) -> Gate:
        """A closed gate, for calls or for the server's threads that serve them."""
        gate = Gate()
        self._gates.append(gate)
        return gate

    def wait(self, reached: Callable[[], bool]) -> bool:
        """Wait until `reached()` is true; False if nothing has happened for too long."""
        seen, looks = self._happened(), 0
        while not reached():
            if (now := self._happened()) != seen:
                seen, looks = now, 0
            elif looks * _LOOK > self._patience:
                return False
            looks += 1
            time.sleep(_LOOK)
        return True

    def settle(self) -> None:
        """Wait until no call can move: each has ended, or waits, or is held at a gate."""
        seen, looks = self._happened(), 0

        def settled() -> bool:
            nonlocal seen, looks
            if all(call.done for call in self._calls):
                return True
            needed, now = self._looks_needed(), self._happened()
            looks = looks + 1 if needed and now == seen else 0
            seen = now
            return needed is not None and looks >= needed

        self.wait(settled)

    def close(self) -> None:
        """Open every gate, let what can move come to an end, and abandon the rest."""
        for gate in self._gates:
            gate.open()
        self.settle()
        abandon(self._calls)

    def __enter__(self) -> Race:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _happened(self) -> tuple[int, int, int]:
        ended = sum(call.done for call in self._calls)
        return self._progress(), ended, sum(gate.came for gate in self._gates)

    def _looks_needed(self) -> int | None:
        """How many looks must find the threads like this; None if a call can move."""
        frames = current_frames()  # of all threads at one instant
        threads = [call.thread for call in self._calls if not call.done]
        waits = [_wait(frames.get(thread.ident or 0)) for thread in threads]
        moving = sum(wait is None for wait in waits)
        # A call that is being served looks as if it can move, even if the server is held. Each
        # held thread that is not a call's own serves one call.
        held = {thread for gate in self._gates for thread in gate.held()}
        if moving > len(held - set(threads)):
            return None
        return max((wait for wait in waits if wait is not None), default=_LOOKS_AT_WAITS)


def together(*functions: Callable[[], Any]) -> list[Any]:
    """What each function returned or raised. They start together, each in its own thread."""
    with Race() as race:
        start = race.gate()

        def started(function: Callable[[], Any]) -> Callable[[], Any]:
            def run() -> Any:
                start.wait()
                return function()

            return run

        calls = [race.call(started(function)) for function in functions]
        race.wait(lambda: start.came == len(calls))
        start.open()
        race.settle()
    return [call.value if call.error is None else call.error for call in calls]


def waits(thread: threading.Thread) -> bool:
    """Can only another thread move this one?"""
    return _wait(frame_of(thread)) is not None


def _wait(frame: FrameType | None) -> int | None:
    """How many looks must find a thread here, to know that only another thread can move it.

    None if it can move by itself.
    """
    if frame is None:
        return None
    if frame.f_code is threading.Condition.wait.__code__:  # an Event's, a Future's, a Queue's too
        known = variables_of(frame)
        if known.get("waiter") not in known["self"]._waiters:
            return None  # it was notified, and is about to go on
        return _LOOKS_AT_WAITS if known.get("timeout") is None else _LOOKS_AT_LOCKS
    # Taking a lock leaves no Python frame: the thread is at the line that takes it.
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno or 0).strip()
    takes_lock = line.startswith("with ") or (".acquire(" in line and "False" not in line)
    return _LOOKS_AT_LOCKS if takes_lock else None


def _release(thread: threading.Thread) -> None:
    """Release what a thread waits for, if it waits.

    Python cannot stop a thread from outside. It can set an exception in it, which is raised once
    the thread runs Python code again; so whatever lock it waits for must be released.
    """
    frame = frame_of(thread)
    if frame is None or _wait(frame) is None or frame.f_code.co_name == "_wait_for_tstate_lock":
        return  # it runs, or it waits for the end of a thread, which is not to be feigned
    known = variables_of(frame)
    waiter = known.get("waiter")  # in `Condition.wait`: the lock that a notify releases
    me = known.get("self")
    own = getattr(me, "__dict__", {})
    named = [
        found
        for name in frame.f_code.co_names
        for found in (frame.f_globals.get(name), getattr_static(type(me), name, None))
    ]
    named += [  # such as `tab.lock`
        getattr(value, "__dict__", {}).get(name)
        for value in known.values()
        for name in frame.f_code.co_names
    ]
    for lock in [waiter] if waiter else [*known.values(), *own.values(), *named]:
        if isinstance(lock, _LOCKS):
            with suppress(RuntimeError):  # nobody holds it, or another thread must release it
                lock.release()

"""Threads in a browser tab, where Python has one thread: each becomes a task of the event loop.

Pyodide cannot start a thread. It can suspend a call until an awaitable is done (`run_sync`, on top
of WebAssembly's JavaScript Promise Integration), and this is all that a thread's waits need:

- a thread runs as a task, from its start to its first wait, then from wait to wait. Nobody
  interrupts it in between, so a race happens only where code waits;
- `install` gives `threading` a lock and a way to start threads that are made of tasks. Events,
  conditions, queues and pools of the standard library are built on these two, and so work too;
- what is not in a task (a handler that JavaScript called) cannot wait. It can start threads;
- an exception that is set in a thread from outside is raised where it waits, when it goes on. A
  loop that never waits keeps the tab busy: a restart of the kernel ends it, and the check of an
  exercise ends the learner's.

The lab runs unchanged on it: the same gates, the same order, the same counts.

The technique is that of gevent; the reference is pyodide.org/en/stable, "Synchronously waiting for
an awaitable".
"""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import gc
import itertools
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from types import FrameType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

_ids = itertools.count(1 << 20)
_id_of_task: WeakKeyDictionary[asyncio.Task[None], int] = WeakKeyDictionary()

# Where each thread waits: the frame that it will go on with.
_waiting_at: dict[int, Any] = {}

# What is to be raised in each thread, as soon as it goes on.
_to_raise: dict[int, type[BaseException]] = {}

_main = threading.get_ident()


def get_ident() -> int:
    """The id of the running thread."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # called by JavaScript, outside of the event loop
        return _main
    return _main if task is None else _id_of_task.get(task, _main)


class WaitingFrame:
    """A frame of a thread that waits, with the frame that called it.

    The real frame must not be asked for its `f_back` then: the answer is partly on WebAssembly's
    stack, which is put aside while the thread waits, and reading it ends the runtime.
    """

    def __init__(self, frame: FrameType) -> None:
        self._frame = frame
        self.f_back = None if frame.f_back is None else WaitingFrame(frame.f_back)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._frame, name)


def current_frames() -> dict[int, Any]:
    """The frame of each thread, as from `sys._current_frames`."""
    return {**_waiting_at, get_ident(): sys._getframe(1)}


def wait_for(awaitable: Awaitable[Any], timeout: float = -1) -> bool:
    """Suspend this thread until `awaitable` is done; returns False after `timeout` seconds.

    Raises:
        RuntimeError: this code was called by JavaScript, and cannot wait.
        BaseException: what `raise_in` has set for this thread.
    """
    from pyodide.ffi import run_sync

    me, frame = get_ident(), sys._getframe(1)
    while frame.f_back is not None and frame.f_globals is globals():
        frame = frame.f_back  # a lock of C has no frame either
    outer = _waiting_at.get(me)
    _waiting_at[me] = WaitingFrame(frame)
    # `asyncio.wait` raises nothing. After an exception from `run_sync`, Pyodide 314.0 refuses the
    # next call now and then.
    what = asyncio.ensure_future(awaitable)
    try:
        done, _ = run_sync(asyncio.wait({what}, timeout=None if timeout < 0 else timeout))
    finally:
        if outer is None:
            del _waiting_at[me]
        else:
            _waiting_at[me] = outer
    if me in _to_raise:
        raise _to_raise.pop(me)
    return bool(done)


def raise_in(ident: ctypes.c_ulong, kind: ctypes.py_object[type[BaseException]]) -> int:
    """Raise an exception in another thread. The interface is `PyThreadState_SetAsyncExc`'s."""
    known = ident.value in _id_of_task.values()
    if known:
        _to_raise[ident.value] = kind.value
    return int(known)


class Lock:
    """A lock that suspends the thread which waits for it. The interface is `threading.Lock`'s."""

    def __init__(self) -> None:
        self._locked = False
        self._waiters: deque[asyncio.Future[None]] = deque()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock; returns whether it was taken within `timeout` seconds."""
        until = time.monotonic() + timeout
        while self._locked:
            if not blocking:
                return False
            left = -1.0 if timeout < 0 else max(0.0, until - time.monotonic())
            free = asyncio.get_event_loop().create_future()
            self._waiters.append(free)
            try:
                if not wait_for(free, left):
                    return False
            except BaseException:
                if free.done() and not self._locked:
                    self._wake_one()  # it was this thread's turn
                raise
            finally:
                if free in self._waiters:
                    self._waiters.remove(free)
        self._locked = True
        return True

    def release(self) -> None:
        """Give it back: the thread that has waited longest goes on."""
        if not self._locked:
            raise RuntimeError("release unlocked lock")
        self._locked = False
        self._wake_one()

    def _wake_one(self) -> None:
        while self._waiters:
            free = self._waiters.popleft()
            if not free.done():
                free.set_result(None)
                return

    def locked(self) -> bool:
        """Whether a thread has it."""
        return self._locked

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *error: object) -> None:
        self.release()

    def _at_fork_reinit(self) -> None:
        self.__init__()  # type: ignore[misc]


class ThreadHandle:
    """What `threading.Thread` keeps of its thread. The interface is `_thread._ThreadHandle`'s."""

    def __init__(self) -> None:
        self.ident = 0
        self._task: asyncio.Task[None] | None = None
        self._ended: asyncio.Future[None] | None = None

    def is_done(self) -> bool:
        """Whether the thread has ended."""
        return self._ended is not None and self._ended.done()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended, for `timeout` seconds at most."""
        if self._ended is not None and not self._ended.done():
            wait_for(self._ended, -1 if timeout is None else timeout)

    def _set_done(self) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)


def start(call: Callable[[], object], handle: ThreadHandle, daemon: bool = True) -> None:
    """Run `call` in a new task, as `_thread.start_joinable_thread` runs it in a thread."""
    handle.ident = next(_ids)
    handle._ended = asyncio.get_event_loop().create_future()

    async def run() -> None:
        try:
            call()
        finally:
            _to_raise.pop(handle.ident, None)
            handle._set_done()

    task = asyncio.get_event_loop().create_task(run(), context=contextvars.Context())
    _id_of_task[task] = handle.ident
    handle._task = task  # the event loop itself holds a task weakly
    # `Thread.start` waits for this, and the one who starts a thread may not be able to wait.
    thread = getattr(call, "__self__", None)
    if thread is not None:
        thread._started.set()


def sleep(seconds: float) -> None:
    """Suspend this thread, as `time.sleep` does."""
    wait_for(asyncio.sleep(seconds))


def install() -> None:
    """Make the threads of this interpreter tasks; call it before anything uses `threading`.

    Raises:
        ImportError: this browser cannot suspend a call. The message names browsers that can.
    """
    import _threading_local

    from js import WebAssembly

    if not hasattr(WebAssembly, "Suspending"):
        raise ImportError(
            "This browser cannot run the lab: it lacks JavaScript Promise Integration, with which "
            "a cell waits. Open this page in a current Chrome, Edge or Firefox."
        )

    parts: dict[ModuleType | ctypes.PyDLL, dict[str, object]] = {
        threading: {
            "get_ident": get_ident,
            "Lock": Lock,
            "_allocate_lock": Lock,
            "_CRLock": None,  # then an RLock is made of a lock
            "_ThreadHandle": ThreadHandle,
            "_start_joinable_thread": start,
            "local": _threading_local.local,
        },
        queue: {"SimpleQueue": vars(queue)["_PySimpleQueue"]},
        sys: {"_current_frames": current_frames},
        time: {"sleep": sleep},
        ctypes.pythonapi: {"PyThreadState_SetAsyncExc": raise_in},
    }
    # In Python 3.14 the collector walks the frames of a stack, some of which may be put aside, and
    # that ends the runtime. Objects in a cycle then stay until the kernel ends.
    gc.disable()
    for module, names in parts.items():
        for name, part in names.items():
            setattr(module, name, part)

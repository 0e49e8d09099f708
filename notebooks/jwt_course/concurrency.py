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

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from .judging.ending import Abandoned, end
from .judging.frames import current_frames
from .judging.learners_code import place_in
from .judging.waiting import LOOK, LOOKS_AT_WAITS, looks_needed

#: Seconds without progress after which `wait` and `settle` return, whatever the threads do: a
#: call that polls in a loop never stops. Counted in looks, which take longer on a busy machine.
PATIENCE = 3.0


class Runaway(BaseException):
    """A call sent more messages than any correct one would. No `except Exception` stops it."""


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
            elif looks * LOOK > self._patience:
                return False
            looks += 1
            time.sleep(LOOK)
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
        waits = [looks_needed(frames.get(thread.ident or 0)) for thread in threads]
        moving = sum(wait is None for wait in waits)
        # A call that is being served looks as if it can move, even if the server is held. Each
        # held thread that is not a call's own serves one call.
        held = {thread for gate in self._gates for thread in gate.held()}
        if moving > len(held - set(threads)):
            return None
        return max((wait for wait in waits if wait is not None), default=LOOKS_AT_WAITS)


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

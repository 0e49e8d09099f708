"""`Tour`: runs the story step by step. You guess, it does the step and says what happened.

Rules:
- a step is real: it sends requests through the client and moves the clock;
- a step's trace is what its thread recorded, and what the server recorded under the same
  correlation ids. Other users of the same log do not appear in it;
- the learner shares the client with others. If somebody logs out or in, the learner logs in again
  and the step is done from its beginning, so the story goes on;
- if the server cannot be reached, the step stays open. Parts that are done, such as a move of the
  clock, are not repeated when you try again;
- from the first step to the last, the clock stands still while you think, if it can: a class that
  talks for two minutes should not find its token expired. Then it gets its rate back.

One call at a time: a tour is not for several threads at once.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..clock import MovableClock
from ..log.event import Event
from ..log.event_log import EventLog
from .learner import Client, Learner
from .story import STEPS, Choice, Deed, Step

__all__ = ["STEPS", "Choice", "Score", "Step", "StepResult", "Tour"]


@dataclass(frozen=True)
class StepResult:
    """What happened in a step.

    Attributes:
        happened_index (int): the answer that is true of the events.
        guessed_index (int): the answer that was chosen.
        events (tuple[Event, ...]): the trace of the step.
        why (str): what happened and why, in words, from the events.
        logged_in_again (bool): had somebody ended the learner's session before or during the step?
    """

    happened_index: int
    guessed_index: int
    events: tuple[Event, ...]
    why: str
    logged_in_again: bool = False

    @property
    def right(self) -> bool:
        """Was the guess right?"""
        return self.happened_index == self.guessed_index


class Score(NamedTuple):
    """How many guesses were right, of how many."""

    right: int
    guesses: int


#: How often a step is done from its beginning before its events are taken as they are.
TRIES = 3


class Tour:
    """The story, for one learner or one class.

    Args:
        client (AuthClient): sends the requests; step 1 logs out the current user.
        clock (MovableClock | None): the server's clock, with `advance`; the client's by default.
        steps (Sequence[Step]): the story.

    Attributes:
        results (list[StepResult]): of the steps that are done.

    Raises:
        ValueError: the clock cannot be moved.
    """

    def __init__(
        self,
        client: Client,
        *,
        clock: MovableClock | None = None,
        steps: Sequence[Step] = STEPS,
    ) -> None:
        given = clock if clock is not None else client.clock
        if not isinstance(given, MovableClock):
            raise ValueError("The tour moves the clock: give it one with advance(), as DemoClock")
        self.steps = tuple(steps)
        self.results: list[StepResult] = []
        self._client = client
        self._log: EventLog = client.log
        self._clock: Any = given
        self._learner = Learner(client, given)
        self._index = 0
        self._rate: float | None = None
        # The learner's session, as the last part of the story has left it.
        self._session: object = None
        self._begin_step()

    @property
    def step(self) -> Step:
        """The step at hand."""
        return self.steps[self._index]

    @property
    def number(self) -> int:
        """The number of the step at hand, from 1."""
        return self._index + 1

    @property
    def result(self) -> StepResult | None:
        """What happened in the step at hand; None before the guess."""
        return self.results[self._index] if len(self.results) > self._index else None

    @property
    def finished(self) -> bool:
        """Is the last step done?"""
        return len(self.results) == len(self.steps)

    @property
    def score(self) -> Score:
        """How many guesses were right so far, and how many there were."""
        return Score(sum(result.right for result in self.results), len(self.results))

    def guess(self, index: int) -> StepResult:
        """Choose an answer, do the step, and return what happened.

        Args:
            index (int): of the answer in `step.answers`.

        Raises:
            ClientError: the step could not be completed, for example because the server is down.
                Guess again when it is back.
            IndexError: there is no such answer.
            RuntimeError: the step is already done.
        """
        if self.result is not None:
            raise RuntimeError("This step is done: go on with next(), or back with restart()")
        if not 0 <= index < len(self.step.answers):
            raise IndexError(f"There is no answer {index}: there are {len(self.step.answers)}")
        self._stop_clock()
        for left in reversed(range(TRIES)):
            self._restore_session()
            if self._do_the_rest(take_it=left == 0):
                break
        events = tuple(self._events)
        [happened] = [i for i, a in enumerate(self.step.answers) if a.happened(events)]
        why = self.step.answers[happened].why(events)
        result = StepResult(happened, index, events, why, self._logged_in_again)
        self.results.append(result)
        if self.finished:
            self._release_clock()
        return result

    def next(self) -> Step:
        """Go on to the next step, and return it.

        Raises:
            RuntimeError: the step at hand is not done yet, or is the last.
        """
        if self.result is None:
            raise RuntimeError("Choose an answer first")
        if self.finished:
            raise RuntimeError("This was the last step: go back with restart()")
        self._index += 1
        self._begin_step()
        return self.step

    def restart(self) -> Step:
        """Start again at the first step as another user; returns the step."""
        self._release_clock()
        self._index = 0
        self._session = None
        self.results.clear()
        self._begin_step()
        return self.step

    def close(self) -> None:
        """Give the clock its rate back."""
        self._release_clock()

    def _begin_step(self) -> None:
        self._start_again()
        self._logged_in_again = False

    def _start_again(self) -> None:
        self._to_do: list[Deed] = list(self.step.act)
        self._events: list[Event] = []

    def _session_now(self) -> object:
        pair = self._client.store.get()
        return None if pair is None else pair.session

    def _restore_session(self) -> None:
        """Log the learner in again if somebody has ended or replaced the session."""
        if self._session is not None and self._session_now() is not self._session:
            self._start_again()
            self._logged_in_again = True
            self._learner.log_in()
            self._session = self._session_now()

    def _do_the_rest(self, *, take_it: bool) -> bool:
        """Do what is left of the step, and return True.

        If somebody changes the session meanwhile, return False, or take it as it is.
        """
        while self._to_do:
            before = self._session or self._session_now()
            events, others = self._do(self._to_do[0])
            now, own = self._session_now(), _of_session(events)
            if not own:
                changed = now is not before
            elif own[-1].name == "session.started":
                changed = now is None
            else:
                changed = any(e.source == self._client.name for e in _of_session(others))
            if changed and not take_it:
                self._start_again()
                return False
            self._session = now
            self._events += events
            del self._to_do[0]
        return True

    def _do(self, deed: Deed) -> tuple[list[Event], list[Event]]:
        """Do a part of a step; return the events that it caused, and those of others meanwhile."""
        me = threading.get_ident()
        seen: list[tuple[bool, Event]] = []

        def on_event(event: Event) -> None:
            # A subscriber runs in the thread that records.
            seen.append((threading.get_ident() == me, event))

        unsubscribe = self._log.subscribe(on_event)
        try:
            deed(self._learner)
        finally:
            unsubscribe()
        ours = {e.correlation for mine, e in seen if mine and e.correlation is not None}
        caused = [e for mine, e in seen if mine or e.correlation in ours]
        return caused, [e for _, e in seen if e not in caused]

    def _stop_clock(self) -> None:
        if self._rate is None and hasattr(self._clock, "rate"):
            self._rate = self._clock.rate
            self._clock.rate = 0

    def _release_clock(self) -> None:
        if self._rate is not None:
            if self._clock.rate == 0:  # otherwise somebody else has set it meanwhile
                self._clock.rate = self._rate
            self._rate = None

    def __repr__(self) -> str:
        return f"<Tour, step {self.number} of {len(self.steps)}>"


def _of_session(events: Sequence[Event]) -> list[Event]:
    return [e for e in events if e.name in ("session.started", "session.ended")]

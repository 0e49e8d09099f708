"""`Tour`: runs the story step by step. You guess, it does the step and says what happened.

Rules:
- a step is real: it sends requests through the client and moves the clock;
- a step's trace is what its thread recorded, and what the server recorded under the same
  correlation ids. Other users of the same log do not appear in it;
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
    """

    happened_index: int
    guessed_index: int
    events: tuple[Event, ...]
    why: str

    @property
    def right(self) -> bool:
        """Was the guess right?"""
        return self.happened_index == self.guessed_index


class Score(NamedTuple):
    """How many guesses were right, of how many."""

    right: int
    guesses: int


class Tour:
    """The story, for one learner or one class.

    Args:
        client (AuthClient): sends the requests; whoever is logged in is logged out by step 1.
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
        self._log: EventLog = client.log
        self._clock: Any = given
        self._learner = Learner(client, given)
        self._index = 0
        self._rate: float | None = None
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
        while self._to_do:
            self._events += self._do(self._to_do[0])
            del self._to_do[0]
        events = tuple(self._events)
        [happened] = [i for i, a in enumerate(self.step.answers) if a.happened(events)]
        result = StepResult(happened, index, events, self.step.answers[happened].why(events))
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
        self.results.clear()
        self._begin_step()
        return self.step

    def close(self) -> None:
        """Give the clock its rate back."""
        self._release_clock()

    def _begin_step(self) -> None:
        self._to_do: list[Deed] = list(self.step.act)
        self._events: list[Event] = []

    def _do(self, deed: Deed) -> list[Event]:
        """Do a part of a step, and return the events that it caused."""
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
        return [e for mine, e in seen if mine or e.correlation in ours]

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

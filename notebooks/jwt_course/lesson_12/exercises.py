"""The exercises of lesson 12: a refresh under a lock, a grace period, a lost update in a trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..exercise import Exercise
from ..solutions import right_answers
from .judges import judge_goes_on, judge_lost_update, judge_refresh


def exercises(namespace: Mapping[str, Any]) -> tuple[Exercise, ...]:
    """q1 to q3, for the notebook's `globals()`."""
    solutions = right_answers(__package__)
    return (
        Exercise(
            namespace,
            "q1",
            wants=["refresh_under_lock"],
            judge=judge_refresh,
            hints=[
                "Take the lock, then look into the store, then decide.",
                "If `tab.store.get()` is not `tab.pair`, another tab has refreshed: return what is "
                "in the store.",
                "Otherwise store what `tab.send(tab.pair)` returns, and return it, before the lock "
                "is released.",
            ],
            solution=solutions["q1"],
        ),
        Exercise(
            namespace,
            "q2",
            wants=["goes_on"],
            judge=judge_goes_on,
            hints=[
                "A grace period of 5 s has ended when 5 s have passed.",
                "The server returns the same successor again, until somebody uses it.",
            ],
            solution=solutions["q2"],
        ),
        Exercise(
            namespace,
            "q3",
            wants=["lost_update"],
            judge=judge_lost_update,
            hints=[
                "Look only at events whose name is `store.written`, and at `fields['token']`.",
                "Keep the tokens that were written so far. Which write repeats one of them?",
                "To write the newest token a second time does no harm.",
            ],
            solution=solutions["q3"],
        ),
    )

"""The exercises of lesson 05: predict a stampede, prevent it, and choose a refresh window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..exercise import Exercise
from ..solutions import right_answers
from .judges import judge_forecast, judge_single_flight, judge_window


def exercises(namespace: Mapping[str, Any]) -> tuple[Exercise, ...]:
    """q1 to q3, for the notebook's `globals()`."""
    solutions = right_answers(__package__)
    return (
        Exercise(
            namespace,
            "q1",
            wants=["forecast"],
            judge=judge_forecast,
            hints=[
                "Follow the flag from call to call. It is down at first.",
                "The first call raises it and refreshes. The second finds it up: what does it do "
                "with it?",
                "Odd calls refresh, even calls fail. The fifth, the seventh and the ninth are odd "
                "too.",
            ],
            solution=solutions["q1"],
        ),
        Exercise(
            namespace,
            "q2",
            wants=["SingleFlight"],
            judge=judge_single_flight,
            hints=[
                "Two questions under one lock: is `pair` still in the store, and is a refresh "
                "under way?",
                "Use a threading.Condition. In `begin`, wait while a refresh is under way. In "
                "`end`, record that none is, and wake all, whether `fresh` is a pair or None.",
                "After the wait check the store again: if it no longer holds `pair`, return "
                "False. It holds another pair after a success, and None after a refusal.",
            ],
            solution=solutions["q2"],
        ),
        Exercise(
            namespace,
            "q3",
            wants=["my_window"],
            judge=judge_window,
            hints=[
                "There are two limits, and the smaller one counts.",
                "Use min() of 10 and a fifth of the lifetime.",
            ],
            solution=solutions["q3"],
        ),
    )

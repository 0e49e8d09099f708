"""The exercises of lesson 06: spend a token atomically, detect its reuse, and choose a grace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..exercise import Exercise
from ..solutions import right_answers
from .judges import RETRY_AFTER, THIEF_AFTER, judge_grace, judge_spend, judge_what_follows


def exercises(namespace: Mapping[str, Any]) -> tuple[Exercise, ...]:
    """q1 to q3, for the notebook's `globals()`."""
    solutions = right_answers(__package__)
    return (
        Exercise(
            namespace,
            "q1",
            wants=["spend"],
            judge=judge_spend,
            hints=[
                "What can another caller do after you look, and before you write?",
                "Put the condition into the write: let the database change the document only if "
                "spent_at is still None, and report whether it did.",
                'update_one({"_id": jti, "spent_at": None}, …) returns a result with '
                "modified_count.",
            ],
            solution=solutions["q1"],
        ),
        Exercise(
            namespace,
            "q2",
            wants=["what_follows"],
            judge=judge_what_follows,
            hints=[
                "Three cases: never used, used just now, used before.",
                'Without a grace nothing is "just now", not even the same second.',
                "A token that was spent 5 s ago is past a grace of 5 s: compare with <.",
            ],
            solution=solutions["q2"],
        ),
        Exercise(
            namespace,
            "q3",
            wants=["grace"],
            judge=judge_grace,
            hints=[
                "The app's second attempt must fall inside the window, the thief's attempt "
                "outside.",
                f"Longer than {RETRY_AFTER} s, and at most {THIEF_AFTER} s.",
            ],
            solution=solutions["q3"],
        ),
    )

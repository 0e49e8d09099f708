"""The exercises of lesson 03: predict what a flow yields, and write one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..exercise import Exercise
from ..solutions import right_answers
from .judges import judge_flow, judge_predictions


def exercises(namespace: Mapping[str, Any]) -> tuple[Exercise, ...]:
    """q1 and q2, for the notebook's `globals()`."""
    solutions = right_answers(__package__)
    return (
        Exercise(
            namespace,
            "q1",
            wants=["predictions"],
            judge=judge_predictions,
            hints=[
                "For each case, follow the diagram at the top of auth_flow.py.",
                "Only a 403 to the call starts a refresh. Only a successful refresh, here or in "
                "another call, leads to a retry. Nothing follows a retry.",
                "a, e: one message. c, f: two. b, d, g: three.",
            ],
            solution=solutions["q1"],
        ),
        Exercise(
            namespace,
            "q2",
            wants=["my_flow"],
            judge=judge_flow,
            hints=[
                "response = yield message: what you yield is sent, and what comes back is the "
                "response. return response ends the flow.",
                "No loop: first the call, then one if for the 403, then the refresh, then the "
                "retry. Each yield appears once.",
                "After the refresh: if its status is not 200, store.clear() and raise "
                "LoginRequired. Else make pair.with_access(answer.json()['accessToken']), "
                "store.set it, and put its access token on the retry.",
                "The retry is with_bearer(replace(request, purpose='retry'), fresh). Without a "
                "pair in the store there is nothing to refresh with: return the response.",
            ],
            solution=solutions["q2"],
        ),
    )

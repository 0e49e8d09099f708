"""The exercises of lesson 04: fix the two faults of the article's interceptor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..exercise import Exercise
from ..solutions import right_answers
from .judges import judge_fixed, judge_one, judge_own


def exercises(namespace: Mapping[str, Any]) -> tuple[Exercise, ...]:
    """q1 to q3, for the notebook's `globals()`."""
    solutions = right_answers(__package__)
    return (
        Exercise(
            namespace,
            "q1",
            wants=["FixedAuth"],
            judge=judge_fixed,
            hints=[
                "At the second expiry no refresh was sent. Which line decides that, and what does "
                "it read?",
                "The flag is raised before the refresh. Find each line that lowers it: is there "
                "one on the path that ends well?",
                "You need not copy the method: `answer = yield from super().auth_flow(request)` "
                "runs the article's flow to its end. What is left to do before you return the "
                "answer?",
            ],
            solution=solutions["q1"],
        ),
        Exercise(
            namespace,
            "q2",
            wants=["OwnState"],
            judge=judge_own,
            hints=[
                "Which objects exist once in the app, and which once per call?",
                "A generator's local variables belong to one call. So do the attributes of an "
                "object that is made for one call.",
                "Write the flow without a flag: send with the bearer header; after a 403 send "
                "the refresh, and after its 200 the retry. The position in the code is the "
                "state. Or make a new ArticleAuth for each call.",
            ],
            solution=solutions["q2"],
        ),
        Exercise(
            namespace,
            "q3",
            wants=["OneRefresh"],
            judge=judge_one,
            hints=[
                "Two questions before a refresh: is the token in the store still the one that I "
                "sent? And is a refresh for it already under way?",
                "The first is `self._store.get() is pair`. The flow cannot answer the second, "
                "because it does not send. Who does?",
                "Leave `replaces=pair` in the message, as refresh_request(pair) makes it. "
                "AuthClient then sends one at a time, and answers None to calls that no longer "
                "need a refresh.",
                "`answer = yield refresh_request(pair)`; store the new pair if the answer is not "
                "None; then send the retry with `self._store.get()`, whichever call put it there.",
            ],
            solution=solutions["q3"],
        ),
    )

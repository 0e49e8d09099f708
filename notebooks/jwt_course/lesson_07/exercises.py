"""The exercises of lesson 07: read a challenge, act on a response, and write a challenge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..exercise import Exercise
from ..solutions import right_answers
from .judges import judge_answer, judge_parameters, judge_what_to_do


def exercises(namespace: Mapping[str, Any]) -> tuple[Exercise, ...]:
    """q1 to q3, for the notebook's `globals()`."""
    solutions = right_answers(__package__)
    return (
        Exercise(
            namespace,
            "q1",
            wants=["parameters"],
            judge=judge_parameters,
            hints=[
                "A quoted string may contain a comma, so do not split at commas.",
                're.findall can find everything that looks like name="value" or name=value.',
                "Inside quotes comes either a backslash with any character, or anything but a "
                'quote and a backslash: "((?:\\\\.|[^"\\\\])*)". Remove the backslashes '
                "afterwards.",
            ],
            solution=solutions["q1"],
        ),
        Exercise(
            namespace,
            "q2",
            wants=["what_to_do"],
            judge=judge_what_to_do,
            hints=[
                "The status alone is not enough: look for a code in the body, or else in the "
                "challenge.",
                "A 401 without a code means that the request carried no token. A 401 to a login "
                "has a code, but not about a token.",
                "A refresh may fix these codes: invalid_token, token_expired, token_invalid.",
                "The article's token_missing, user_unknown and password_wrong ask for a login, "
                "and so do invalid_credentials, invalid_grant and a 401 without a code.",
            ],
            solution=solutions["q2"],
        ),
        Exercise(
            namespace,
            "q3",
            wants=["answer"],
            judge=judge_answer,
            hints=[
                "401 is for a missing or invalid token, 403 for a valid token without the right.",
                "A request without a token contains no error: its challenge names the realm only.",
                "The codes of RFC 6750, section 3.1: invalid_request (400), invalid_token (401), "
                "insufficient_scope (403).",
            ],
            solution=solutions["q3"],
        ),
    )

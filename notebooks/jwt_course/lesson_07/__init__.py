"""Lesson 07, from 403 to 401.

`both_policies` compares the two servers, `challenges` reads `WWW-Authenticate`, `guessing` plays a
stranger; `judges` checks the learner's answers.
"""

from .both_policies import as_text, ask_all, side_by_side
from .exercises import exercises
from .guesses import guesses
from .guessing import try_names, try_to_register, waits

__all__ = [
    "as_text",
    "ask_all",
    "exercises",
    "guesses",
    "side_by_side",
    "try_names",
    "try_to_register",
    "waits",
]

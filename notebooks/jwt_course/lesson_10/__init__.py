"""Lesson 10, where tokens live.

`cookies` is a model of a browser's rules for cookies. `checks` measures what a logout costs a
service that verifies tokens. `judges` checks the learner's answers; `request` has what exercise 2
looks at.
"""

from .checks import WAYS, costs_picture, lookups_of_home, session_length, try_check
from .cookies import CookieJar
from .exercises import exercises

__all__ = [
    "WAYS",
    "CookieJar",
    "costs_picture",
    "exercises",
    "lookups_of_home",
    "session_length",
    "try_check",
]

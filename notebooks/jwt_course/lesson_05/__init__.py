"""Lesson 05, stampede.

`stampede` lets many calls meet one expiry, with one of the `strategies` or a library of `peers`;
`comparisons` and `stampede_view` show the results, and `judges` checks the learner's strategy.
"""

from .comparisons import compare, compare_peers, compare_windows, story
from .exercises import exercises
from .guesses import guesses
from .stampede_view import StampedeView

__all__ = [
    "StampedeView",
    "compare",
    "compare_peers",
    "compare_windows",
    "exercises",
    "guesses",
    "story",
]

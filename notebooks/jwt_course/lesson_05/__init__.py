"""Lesson 05, stampede."""

from .comparisons import compare, compare_peers, compare_windows, story
from .exercises import exercises
from .stampede_view import StampedeView

__all__ = [
    "StampedeView",
    "compare",
    "compare_peers",
    "compare_windows",
    "exercises",
    "story",
]

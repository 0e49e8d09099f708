"""Lesson 05, stampede."""

from .exercises import compare, compare_peers, compare_windows, exercises, story
from .stampede_view import StampedeView

__all__ = [
    "StampedeView",
    "compare",
    "compare_peers",
    "compare_windows",
    "exercises",
    "story",
]

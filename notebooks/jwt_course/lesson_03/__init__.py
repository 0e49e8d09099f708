"""Lesson 03, step the refresh.

`walk` steps a flow with made-up responses; `judges` steps the learner's.
"""

from .exercises import exercises
from .walk import MadeUpResponse, made_up_store

__all__ = ["MadeUpResponse", "exercises", "made_up_store"]

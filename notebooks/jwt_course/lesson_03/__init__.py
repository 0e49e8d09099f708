"""Lesson 03, step the refresh.

`flow_by_hand` steps a flow with made-up responses; `judges` steps the learner's.
"""

from .exercises import exercises
from .flow_by_hand import MadeUpResponse, made_up_store
from .guesses import guesses

__all__ = ["MadeUpResponse", "exercises", "guesses", "made_up_store"]

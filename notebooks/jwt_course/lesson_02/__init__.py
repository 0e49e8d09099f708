"""Lesson 02, inside a token: `judges` checks what the learner decodes, signs and verifies."""

from .exercises import exercises
from .guesses import guesses

__all__ = ["exercises", "guesses"]

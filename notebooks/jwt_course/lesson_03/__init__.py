"""Lesson 03, step the refresh."""

from .exercises import exercises
from .walk import Answer, made_up_store

__all__ = ["Answer", "exercises", "made_up_store"]

"""Lesson 03, step the refresh."""

from .exercises import exercises
from .walk import MadeUpResponse, made_up_store

__all__ = ["MadeUpResponse", "exercises", "made_up_store"]

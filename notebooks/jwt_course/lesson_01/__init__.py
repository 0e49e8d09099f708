"""Lesson 01, a session from login to its end: its questions. The panel's tour has nine more."""

from .guesses import guesses
from .names import register_free

__all__ = ["guesses", "register_free"]

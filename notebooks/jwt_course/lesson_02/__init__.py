"""Lesson 02, inside a token."""

from .exercises import exercises

__all__ = ["exercises"]

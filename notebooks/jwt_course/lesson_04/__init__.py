"""Lesson 04, two faults."""

from .calls_by_hand import Table
from .exercises import exercises
from .scheme_trial import SchemeTrial, expiries

__all__ = ["SchemeTrial", "Table", "exercises", "expiries"]

"""Lesson 04, two faults."""

from .calls_by_hand import Table
from .exercises import exercises, expiries
from .scheme_trial import SchemeTrial

__all__ = ["SchemeTrial", "Table", "exercises", "expiries"]

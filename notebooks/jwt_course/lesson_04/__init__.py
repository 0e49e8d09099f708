"""Lesson 04, two faults.

`calls_by_hand` steps calls against a real server; `scheme_trial` races them in threads, for
`judges`.
"""

from .calls_by_hand import Table
from .exercises import exercises
from .guesses import guesses
from .scheme_trial import SchemeTrial, expiries

__all__ = ["SchemeTrial", "Table", "exercises", "expiries", "guesses"]

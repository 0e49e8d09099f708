"""Lesson 09, break and fix.

The notebook imports all of it: the faulty code, and each name that the code uses, so that a
learner can copy a class and fix it.
"""

from .exercises import exercises as exercises
from .faulty_auths import *  # noqa: F403
from .faulty_clients import *  # noqa: F403
from .grader import find_fault as find_fault
from .grader import grade as grade
from .mutants import MUTANTS as MUTANTS
from .mutants import SERVER_MUTANTS as SERVER_MUTANTS

"""Lesson 09, break and fix.

`mutants` lists the faulty clients (`faulty_auths`, `faulty_clients`) and servers. The judge is
`grader`: it plays `client_scenarios` or `server_scenarios` on a `stage`, and reads the `trace`.

The notebook imports everything from here, with each name that the faulty code uses, so that a
learner can copy a class and fix it.
"""

from .exercises import exercises as exercises
from .faulty_auths import *  # noqa: F403
from .faulty_clients import *  # noqa: F403
from .grader import find_fault as find_fault
from .grader import grade as grade
from .grader import trace_of as trace_of
from .guesses import guesses as guesses
from .mutants import MUTANTS as MUTANTS
from .mutants import SERVER_MUTANTS as SERVER_MUTANTS

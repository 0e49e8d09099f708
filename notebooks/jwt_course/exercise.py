"""Exercises that check themselves, with the interface of Kaggle's learntools.

    q1 = Exercise(globals(), "q1", wants=["expired"], judge=judge, hints=[…], solution="…")
    q1.check()      # right, or what is wrong
    q1.hint()       # a nudge; each further call says more
    q1.solution()

A judge runs the learner's code, and raises `Wrong` if it does something else than it should. Any
correct solution passes, unless it borrows the work from the course. A check ends after
`Exercise.limit` seconds, whatever the learner's code does. An exercise without an answer raises
nothing, so "Run All" goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from client_widget.display import in_short_lines

from .attempt import attempt
from .judging.answers import Wrong
from .judging.learners_code import told
from .progress import record

__all__ = ["UNANSWERED", "Exercise", "Wrong"]

#: The placeholder in a notebook, to be replaced with the answer.
UNANSWERED = ...


class Exercise:
    """One exercise of a lesson.

    Args:
        namespace (Mapping): the notebook's `globals()`, where the answer is looked up.
        name (str): such as "q1".
        wants (Sequence[str]): the names of the answer's parts, in the order in which the judge
            takes them.
        judge: called with their values. It raises `Wrong`, or returns a sentence of praise.
        hints (Sequence[str]): the first is a nudge, the last is nearly the answer.
        solution (str): the code of a right answer.

    Attributes:
        limit (float): real seconds for a check, of every exercise: `Exercise.limit = 30` on a slow
            machine. 60 in a browser tab, where Python is several times slower.
    """

    limit = 60.0 if sys.platform == "emscripten" else 10.0

    def __init__(
        self,
        namespace: Mapping[str, Any],
        name: str,
        *,
        wants: Sequence[str],
        judge: Callable[..., str],
        hints: Sequence[str],
        solution: str,
    ) -> None:
        self.name = name
        self._namespace = namespace
        self._wants = tuple(wants)
        self._judge = judge
        self._hints = tuple(hints)
        self._solution = solution
        self._hints_given = 0

    def check(self) -> None:
        """Run the answer, and print whether it is right or what is wrong."""
        passed, words = self._verdict()
        record(self._judge.__module__, self.name, "check", passed)
        print(in_short_lines(words))

    def hint(self) -> None:
        """Print the next hint; the last one is nearly the answer."""
        count = len(self._hints)
        self._hints_given = min(self._hints_given + 1, count)
        record(self._judge.__module__, self.name, "hint")
        hint = self._hints[self._hints_given - 1]
        print(in_short_lines(f"Hint {self._hints_given} of {count}: {hint}"))

    def solution(self) -> None:
        """Print a right answer. There may be others."""
        record(self._judge.__module__, self.name, "solution")
        print(f"A right answer to {self.name}:\n\n{self._solution}")

    def assert_check_passed(self) -> None:
        """As `check`, for CI: the answer in the notebook must be right.

        Raises:
            AssertionError: it is wrong, or there is none.
        """
        self._assert(True, "right")

    def assert_check_failed(self) -> None:
        """As `check`, for CI: the answer in the notebook must be wrong.

        Raises:
            AssertionError: it is right, or there is none.
        """
        self._assert(False, "wrong")

    def assert_check_unattempted(self) -> None:
        """As `check`, for CI: there must be no answer yet.

        Raises:
            AssertionError: there is one.
        """
        self._assert(None, "without an answer")

    def _assert(self, wanted: bool | None, what: str) -> None:
        passed, words = self._verdict()
        print(in_short_lines(words))
        assert passed is wanted, f"{self.name} should be {what}: {words}"

    def _verdict(self) -> tuple[bool | None, str]:
        """Right, wrong, or None for no answer; and a sentence that says so."""
        undefined = [f"`{name}`" for name in self._wants if name not in self._namespace]
        if undefined:
            places = " and ".join(undefined)
            return None, (
                f"{self.name} has no answer yet: no cell has defined {places}. Run the cell with "
                "your answer."
            )
        missing = [name for name in self._wants if self._namespace[name] is UNANSWERED]
        if missing:
            places = " and ".join(f"`{name} = ...`" for name in missing)
            return None, f"{self.name} has no answer yet. Replace {places} with your answer."
        answers = [self._namespace[name] for name in self._wants]
        try:
            praise = attempt(partial(self._judge, *answers), self.limit)
        except Wrong as wrong:
            return False, f"{self.name} is not right yet: {wrong}"
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # also SystemExit, or asyncio's CancelledError
            return False, f"{self.name} is not right yet: your code raised {_ended(told(error))}"
        return True, f"{self.name} is right. {praise}".rstrip()

    def __repr__(self) -> str:
        return f"<Exercise {self.name}>"


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith(("?", ".")) else f"{sentence}."

"""Exercises that check themselves, with the interface of Kaggle's learntools.

    q1 = Exercise(globals(), "q1", wants=["expired"], judge=judge, hints=[…], solution="…")
    q1.check()      # correct, or what is wrong
    q1.hint()       # a nudge; each further call says more
    q1.solution()

The judge is given the learner's own objects, tries them out, and raises `Wrong` with a sentence
if what happened is not what should. It never reads the text of the code, so each right way
passes. An exercise that is not answered yet stops nobody: "run all" goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

#: What stands in a notebook where the answer is to be written.
UNANSWERED = ...


class Wrong(Exception):
    """An answer is not right. The message tells the learner what was seen and what was wanted."""


class Exercise:
    """One exercise of a lesson.

    Args:
        namespace (Mapping): the notebook's `globals()`, in which the answer is looked up.
        name (str): such as "q1".
        wants (Sequence[str]): the names that the learner gives a value, in the order in which
            the judge takes them.
        judge: called with their values. It raises `Wrong`, or gives the sentence to praise with.
        hints (Sequence[str]): the first is a nudge, the last is nearly the answer.
        solution (str): code or prose that is a right answer.
    """

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
        """Try the answer and say whether it is right; says what is wrong if it is not."""
        print(self._verdict()[1])

    def hint(self) -> None:
        """Say a little more each time; the last hint is nearly the answer."""
        count = len(self._hints)
        self._hints_given = min(self._hints_given + 1, count)
        print(f"Hint {self._hints_given} of {count}: {self._hints[self._hints_given - 1]}")

    def solution(self) -> None:
        """Show a right answer. There may be others."""
        print(f"A right answer for {self.name}:\n\n{self._solution}")

    def assert_check_passed(self) -> None:
        """For CI: the answer in the notebook is taken.

        Raises:
            AssertionError: it is not.
        """
        passed, words = self._verdict()
        assert passed is True, f"{self.name} should be right: {words}"

    def assert_check_failed(self) -> None:
        """For CI: the answer in the notebook is wrong, and the check sees it.

        Raises:
            AssertionError: it is taken, or there is none.
        """
        passed, words = self._verdict()
        assert passed is False, f"{self.name} should be wrong: {words}"

    def assert_check_unattempted(self) -> None:
        """For CI: there is no answer yet.

        Raises:
            AssertionError: there is one.
        """
        passed, words = self._verdict()
        assert passed is None, f"{self.name} should be without an answer: {words}"

    def _verdict(self) -> tuple[bool | None, str]:
        """Right, wrong, or None for no answer; and the words for it."""
        missing = [n for n in self._wants if self._namespace.get(n, UNANSWERED) is UNANSWERED]
        if missing:
            return None, f"{self.name} has no answer yet: give {' and '.join(missing)} a value."
        try:
            praise = self._judge(*(self._namespace[name] for name in self._wants))
        except Wrong as wrong:
            return False, f"{self.name} is not right yet: {wrong}"
        except Exception as error:
            # The learner's own code failed. Its message may hold anything, a token as well.
            return False, f"{self.name} is not right yet: your code raised {type(error).__name__}."
        return True, f"{self.name} is right. {praise}".rstrip()

    def __repr__(self) -> str:
        return f"<Exercise {self.name}>"

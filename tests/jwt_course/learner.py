"""Answers as a learner writes them: code in a cell, and values that claim to be right."""

from __future__ import annotations

import linecache
import textwrap
from typing import Any

from jwt_course import Exercise


def cell(source: str, namespace: dict[str, Any] | None = None) -> dict[str, Any]:
    """Run a cell and return the names of its notebook. Its lines can be shown, as Jupyter's can."""
    namespace = {"__name__": "__main__"} if namespace is None else namespace
    text = textwrap.dedent(source).strip() + "\n"
    name = f"<cell {hash(text)}>"
    linecache.cache[name] = len(text), None, text.splitlines(keepends=True), name
    exec(compile(text, name, "exec"), namespace)
    return namespace


def verdict(exercise: Exercise) -> tuple[bool, str]:
    """Is the answer right; and what the check says about it, without the exercise's name."""
    try:
        exercise.assert_check_passed()
    except AssertionError as failed:
        return False, str(failed).partition(" is not right yet: ")[2] or str(failed)
    return True, ""


class _Any:
    """Claims to equal anything, as the value of the type that it is mixed into."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return super().__hash__()


class AnyText(_Any, str):
    """A text that claims to equal anything."""

    __slots__ = ()


class AnyNumber(_Any, int):
    """A whole number that claims to equal anything."""

    __slots__ = ()

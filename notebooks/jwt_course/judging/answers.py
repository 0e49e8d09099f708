"""Is an answer of the kind that a judge can run? A sentence for each way in which it is not."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from client_widget.display import cut

from .own_work import borrowed


class Wrong(Exception):
    """An answer is wrong. The message says what happened, and what should have."""


def check_function(
    name: str, answer: Any, parameters: str, *, forbidden: Sequence[str] = ()
) -> None:
    """The answer is a function with these parameters, and the learner's.

    Args:
        name (str): of the answer, such as "sign".
        answer: what the learner assigned to it.
        parameters (str): such as "header, payload, secret".
        forbidden (Sequence[str]): modules whose functions it may not call, besides the course's
            own.

    Raises:
        Wrong: it is something else.
    """
    wanted = f"It should be a function: `def {name}({parameters}):`"
    if answer is None:
        raise Wrong(f"`{name}` is None. {wanted}. Was it assigned the result of a call?")
    if isinstance(answer, type):
        raise Wrong(f"`{name}` is a class. {wanted}.")
    if not callable(answer):
        raise Wrong(f"`{name}` is {article(answer)}. {wanted}.")
    if inspect.iscoroutinefunction(answer) or inspect.isasyncgenfunction(answer):
        raise Wrong(f"`{name}` is an `async def`, so calling it runs nothing. Write a plain `def`.")
    _check_parameters(f"`{name}`", answer, parameters)
    check_own(name, answer, forbidden=forbidden)


def check_class(
    name: str,
    answer: Any,
    parameters: str,
    methods: Mapping[str, str],
    *,
    forbidden: Sequence[str] = (),
) -> None:
    """The answer is a class that is made with these parameters, and the learner's.

    A function that makes the object will do as well.

    Args:
        name (str): of the answer, such as "FixedAuth".
        answer: what the learner assigned to it.
        parameters (str): of the class, such as "store".
        methods (Mapping[str, str]): the parameters of each method that it needs, without `self`.
        forbidden (Sequence[str]): as for `check_function`.

    Raises:
        Wrong: it is something else.
    """
    if answer is None:
        raise Wrong(f"`{name}` is None. It should be a class: `class {name}:`.")
    if not isinstance(answer, type) and all(hasattr(answer, method) for method in methods):
        kind = type(answer).__name__
        raise Wrong(
            f"`{name}` is an instance of {kind}. Hand in the class itself: its name, without "
            "parentheses after it."
        )
    if not callable(answer):
        raise Wrong(f"`{name}` is {article(answer)}. It should be a class: `class {name}:`.")
    if inspect.isgeneratorfunction(answer) or inspect.iscoroutinefunction(answer):
        raise Wrong(
            f"`{name}` is a function that yields. It should be a class: the function belongs in "
            f"it, as its method {' or '.join(methods)}."
        )
    _check_parameters(f"`{name}`", answer, parameters)
    if isinstance(answer, type):
        for method, its in methods.items():
            function = getattr(answer, method, None)
            if not callable(function):
                raise Wrong(f"`{name}` has no method `{method}`.")
            given = f"self, {its}" if its else "self"
            _check_parameters(f"`{name}.{method}`", function, given)
    check_own(name, answer, forbidden=forbidden)


def check_made(name: str, made: Any, methods: Mapping[str, str]) -> None:
    """What a function made in place of a class has the methods.

    Raises:
        Wrong: it has not.
    """
    for method in methods:
        if not callable(getattr(made, method, None)):
            raise Wrong(
                f"`{name}` is a function, and it returned {a(made)}, which has no method "
                f"`{method}`. Write a class."
            )


def check_own(name: str, answer: Any, *, forbidden: Sequence[str] = ()) -> None:
    """The answer is the learner's own.

    Raises:
        Wrong: it is a part of the course, or it calls one that is not for the learner.
    """
    found = borrowed(answer, forbidden)
    if found:
        raise Wrong(
            f"`{name}` uses {found}, which does the work of this exercise. Write that part "
            "yourself."
        )


def check_number(what: str, value: Any) -> None:
    """The value is a number.

    Args:
        what (str): what it is, such as "my_window(60)".
        value: of the learner.

    Raises:
        Wrong: it is not.
    """
    if isinstance(value, str):
        text = cut(repr(plain(value)), 60)
        raise Wrong(f"{what} is the text {text}. Numbers stand without quotes.")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Wrong(f"{what} is {a(value)} instead of a number.")


def a(value: object) -> str:
    """What kind of thing came, without the thing: it could be a token."""
    return "None" if value is None else f"a value of type {type(value).__name__}"


def article(value: object) -> str:
    """Such as "an int", "a str" and "None"."""
    if value is None:
        return "None"
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def plain(value: Any) -> Any:
    """The value in Python's own types: a subclass could claim to equal anything."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytes):
        return bytes(memoryview(value))
    if isinstance(value, Mapping):
        return {plain(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    return _Other(value)


class _Other:
    """A value of no type that a judge wants: it equals nothing else."""

    def __init__(self, value: object) -> None:
        self._kind = type(value).__name__

    def __repr__(self) -> str:
        return f"<{self._kind}>"


def _check_parameters(what: str, function: Callable[..., Any], parameters: str) -> None:
    """It can be called with these."""
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):
        return  # some built-in functions do not say
    names = [name for name in parameters.split(", ") if name]
    try:
        signature.bind(*names)
    except TypeError:
        takes = ", ".join(signature.parameters)
        raise Wrong(f"{what} takes ({takes}), but it is called with ({parameters}).") from None

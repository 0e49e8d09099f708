"""Is an answer of lesson 09 a client that the grader can play with, and is it the learner's fix?"""

from __future__ import annotations

from types import FunctionType
from typing import Any

from client_widget import AuthClient, TokenStore

from ..exercise import Wrong
from ..judging.answers import a, article
from ..judging.own_work import defined_methods, own_methods
from .mutants import Mutant

#: A fix that only takes lines away leaves a method that calls the inherited one.
_MAY_ONLY_CALL = ("parcel",)


def check_candidate(name: str, candidate: Any) -> None:
    """The answer is an auth scheme, a client's class, or a function that makes a client.

    Raises:
        Wrong: it is something else.
    """
    if candidate is None:
        raise Wrong(f"`{name}` is None. It should be your fixed class: its name, and nothing else.")
    if isinstance(candidate, AuthClient) or hasattr(candidate, "auth_flow"):
        if not isinstance(candidate, type):
            raise Wrong(
                f"`{name}` is an instance of {type(candidate).__name__}. Hand in the class itself: "
                "its name, without parentheses after it."
            )
        return
    if not callable(candidate):
        raise Wrong(f"`{name}` is {article(candidate)}. It should be your fixed class.")
    if isinstance(candidate, type) and not hasattr(candidate, "request"):
        raise Wrong(
            f"`{name}` has neither `auth_flow`, as an auth scheme has, nor `request`, as a client "
            "has. Which class did the faulty one inherit from?"
        )
    if not isinstance(candidate, type):
        made = _made(candidate)
        if not hasattr(made, "request"):
            raise Wrong(
                f"`{name}` is a function, and it returned {a(made)}. It should be your fixed class."
            )


def check_work(name: str, candidate: Any, mutant: Mutant) -> None:
    """The answer's fix is in a method that the learner wrote.

    Raises:
        Wrong: it is the reference, whatever its name.
    """
    faulty = [
        name
        for name, value in vars(mutant.candidate).items()
        if isinstance(value, FunctionType) and name != "__init__"
    ]
    written = defined_methods if mutant.name in _MAY_ONLY_CALL else own_methods
    for kind in _kinds(candidate):
        whole = ["auth_flow"] if issubclass(kind, AuthClient) else ["auth_flow", "request"]
        if written(kind, [*faulty, *whole]):
            return
    methods = " and ".join(f"`{method}`" for method in faulty)
    raise Wrong(
        f"every scenario passes, but with the inherited {methods}: the reference did the work. "
        f"Copy the faulty class, and fix its {methods}."
    )


def _kinds(candidate: Any) -> list[type]:
    """The classes that the candidate is made of: its own, and those of what it makes."""
    if isinstance(candidate, type):
        kinds = [candidate]
        if issubclass(candidate, AuthClient):
            kinds.append(type(_scheme(_made(candidate))))
        return kinds
    made = _made(candidate)
    return [type(made), type(_scheme(made))]


def _made(candidate: Any) -> Any:
    """A client of the candidate's, which sends nothing."""
    return candidate("http://127.0.0.1:9", store=TokenStore(), log=None, clock=lambda: 0.0)


def _scheme(client: Any) -> Any:
    return getattr(client, "_auth", None)

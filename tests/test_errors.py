"""Errors cross processes: a pool of processes pickles what its workers raise."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import client_widget.errors
import demo_server.errors

VALUES: dict[str, Any] = {
    "status": 403,
    "code": "token_expired",
    "message": "The token has expired",
    "kind": "refresh",
    "claims": {"sub": "ada"},
    "wait": 7,
    "retry_after": 3.0,
    "args": "what happened",
    "what": "Too many logins at once",
}


def classes() -> list[type[Exception]]:
    return [
        error
        for module in (client_widget.errors, demo_server.errors)
        for error in vars(module).values()
        if inspect.isclass(error)
        and issubclass(error, Exception)
        and error.__module__ == module.__name__
    ]


def make(error: type[Exception]) -> Exception:
    """An error with a value for each argument that its class takes."""
    if error.__init__ is Exception.__init__:
        return error(VALUES["args"])
    names = [name for name in inspect.signature(error).parameters if name != "args"]
    values = [VALUES[name] for name in names]
    return error(*values)


@pytest.mark.parametrize("error", classes(), ids=lambda error: error.__name__)
@pytest.mark.parametrize(
    "through",
    [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy],
    ids=["pickle", "copy", "deepcopy"],
)
def test_an_error_survives(
    error: type[Exception], through: Callable[[Exception], Exception]
) -> None:
    original = make(error)
    copied = through(original)
    assert type(copied) is error
    assert (str(copied), copied.args) == (str(original), original.args)
    assert vars(copied) == vars(original)


def test_the_classes_are_found() -> None:
    assert {error.__name__ for error in classes()} >= {"Rejected", "TokenRefused", "StoreError"}

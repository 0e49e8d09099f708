"""What the server tells of what happens inside: `emit(name, **fields)`."""

from __future__ import annotations

from typing import Any, Protocol


class Emit(Protocol):
    """Receives an event: its name, and its fields as keywords. The return value is ignored."""

    def __call__(self, name: str, /, **fields: Any) -> object: ...


def ignore(name: str, /, **fields: object) -> None:
    """An `emit` that tells nobody."""


def both(first: Emit, second: Emit) -> Emit:
    """An `emit` that tells two listeners."""

    def emit(name: str, /, **fields: Any) -> None:
        first(name, **fields)
        second(name, **fields)

    return emit

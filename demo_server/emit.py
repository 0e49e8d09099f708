"""How the server reports what happens inside it: `emit(name, **fields)`."""

from __future__ import annotations

from typing import Any, Protocol


class Emit(Protocol):
    """Receives an event: its name, and its fields as keywords. The return value is ignored."""

    def __call__(self, name: str, /, **fields: Any) -> object: ...


def ignore(name: str, /, **fields: object) -> None:
    """An `emit` that discards events."""


def both(first: Emit, second: Emit) -> Emit:
    """An `emit` that passes each event to two others, in this order."""

    def emit(name: str, /, **fields: Any) -> None:
        first(name, **fields)
        second(name, **fields)

    return emit

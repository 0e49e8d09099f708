"""A trace in short: how often the server accepted, refused and refreshed, and how calls ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from client_widget import ClientError, Event, describe

from ..concurrency import Call, Runaway
from ..judging.learners_code import told


@dataclass(frozen=True)
class Counts:
    """How often each thing happened on the server."""

    refused: int
    served: int
    refreshes: int
    logins: int

    @classmethod
    def of(cls, events: list[Event]) -> Counts:
        """Those of a piece of the trace."""

        def count(name: str, kind: str | None = None) -> int:
            return sum(
                e.source == "server" and e.name == name and e.fields.get("kind") == kind
                for e in events
            )

        # A reused refresh token is accepted by its signature, and then rejected.
        reused = count("reuse.detected")
        return cls(
            refused=count("token.rejected", "access"),
            served=count("token.accepted", "access"),
            refreshes=count("token.accepted", "refresh")
            + count("token.rejected", "refresh")
            - reused,
            logins=count("login.accepted") + count("login.refused"),
        )

    def __str__(self) -> str:
        parts = [
            (self.refused, "refused access token"),
            (self.refreshes, "refresh"),
            (self.served, "accepted access token"),
            (self.logins, "login"),
        ]
        return ", ".join(many(number, what) for number, what in parts if number) or "no message"


def many(number: int, what: str) -> str:
    """Such as "1 refresh" and "2 refreshes"."""
    return f"{number} {what}{'' if number == 1 else 'es' if what.endswith('sh') else 's'}"


def lines(events: Sequence[Event]) -> list[str]:
    """The trace in words, one line for each event, in its order."""
    return [f"{event.source:>6}  {describe(event)}" for event in events]


def tally(events: Sequence[Event]) -> list[str]:
    """The trace of calls that race: equal lines once, with their number."""
    return [f"{number} × {line}" for line, number in Counter(lines(events)).items()]


def ending(call: Call) -> str:
    """What the caller got: "200", "403 token_expired", "LoginRequired", "no answer (…)"."""
    if call.hung:
        where = f", at {call.stopped_at}" if call.stopped_at else ""
        return f"no answer (the call hung){where}"
    if isinstance(call.error, Runaway):
        return "no answer (the client did not stop)"
    if isinstance(call.error, ClientError):
        return type(call.error).__name__
    if call.error is not None:
        return told(call.error)
    status = getattr(call.value, "status_code", None)
    if status is None:
        return f"an object of type {type(call.value).__name__}"
    return f"{status} {_code(call.value)}".rstrip()


def _code(response: Any) -> str:
    try:
        return str(response.json().get("error", ""))
    except (ValueError, AttributeError):
        return ""

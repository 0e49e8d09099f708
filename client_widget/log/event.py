"""An event: a fact in the past, who states it, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

#: Events in a drawing by default. JupyterLab draws at most 100,000 characters of Mermaid, and a
#: reader takes in far fewer.
LIMIT = 100


class Event(NamedTuple):
    """A fact.

    Attributes:
        seq (int): 1 for the first event of a log, and so on.
        at (float): when, in seconds since the epoch, on the log's clock.
        source (str): who recorded it: "client", "server" or "panel".
        name (str): such as "request.sent"; docs/reference/events.md lists them all.
        correlation (str | None): shared by all events that one user action caused.
        fields (Mapping[str, Any]): the rest, read-only and JSON-serialisable.
    """

    seq: int
    at: float
    source: str
    name: str
    correlation: str | None
    fields: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """The event as a new dict, for JSON."""
        return {
            "seq": self.seq,
            "at": self.at,
            "source": self.source,
            "name": self.name,
            "correlation": self.correlation,
            "fields": dict(self.fields),
        }


def action_named(correlation: str) -> str:
    """The action of a correlation id: calls made at once are `<action>.1`, `<action>.2` …"""
    return correlation.partition(".")[0]


def action_of(event: Event) -> str | None:
    """The action that an event belongs to."""
    return None if event.correlation is None else action_named(event.correlation)


def is_request(event: Event) -> bool:
    """Does a message leave the client with this event?"""
    return event.name in ("request.sent", "request.retried")


def is_call(event: Event) -> bool:
    """Does a call begin with this event? Its refresh and its retry belong to it."""
    return event.name == "request.sent" and event.fields.get("purpose") != "refresh"


def last_steps(steps: list[Event], limit: int) -> list[Event]:
    """The last steps to draw, without an action whose beginning is cut off."""
    cut_off = {action_of(event) for event in steps[:-limit]} - {None}
    last = steps[-limit:]
    return [event for event in last if action_of(event) not in cut_off] or last

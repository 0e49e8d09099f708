"""From events to what the timeline draws: tokens as bars, requests as marks.

Server and client both report a token; it is drawn once, as the first of them reported it. A token
is named only by its fingerprint.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..protocol.tokens import is_time, refresh_window
from .event import Event, is_call

#: The events that change a timeline.
DRAWN = frozenset(
    {
        "token.issued",
        "session.started",
        "token.refreshed",
        "login.accepted",
        "response.received",
        "request.failed",
        "token.spent",
        "clock.advanced",
    }
)


@dataclass(frozen=True)
class Bar:
    """A token's life.

    Attributes:
        label (str): such as "access a1b2c3d4".
        kind (str): "access" or "refresh".
        source (str): who reported it first, "server" or "client".
        token (str): its fingerprint.
        iat, exp (float): from when to when, in seconds since the epoch.
    """

    label: str
    kind: str
    source: str
    token: str
    iat: float
    exp: float

    @property
    def window(self) -> float:
        """When the refresh window begins, in seconds since the epoch; it ends at `exp`."""
        return self.exp - refresh_window(self.exp - self.iat)


@dataclass(frozen=True)
class Mark:
    """A response to a request, or the lack of one.

    Attributes:
        at (float): when, in seconds since the epoch.
        status (int | None): of the answer; None if none came.
        path, source, correlation: as in the event.
        call (int): the number of the call that it belongs to, as in the sequence; 0 if that is
            not known.
    """

    at: float
    status: int | None
    path: str
    source: str
    correlation: str | None
    call: int


@dataclass(frozen=True)
class Move:
    """The clock moved by `seconds` and now shows `at`, in seconds since the epoch."""

    at: float
    seconds: float


@dataclass(frozen=True)
class Timeline:
    """What is drawn, each part oldest first.

    Attributes:
        login (float | None): when the last login's tokens were issued; None without a login.
        spent (frozenset[str]): the fingerprints of the refresh tokens that were used up.
    """

    tokens: tuple[Bar, ...] = ()
    marks: tuple[Mark, ...] = ()
    moves: tuple[Move, ...] = ()
    login: float | None = None
    spent: frozenset[str] = frozenset()


def spans(
    events: Iterable[Event],
    *,
    number: Callable[[Event], int] | None = None,
    tokens: int = 8,
    marks: int = 60,
) -> Timeline:
    """The timeline of some events: the last `tokens` tokens, `marks` marks and as many moves.

    Args:
        events (Iterable[Event]): in order.
        number: returns the number of the call that begins with an event, as
            `EventLog.call_number` does; by default the first call of the events is 1.
        tokens, marks (int): how many to keep.
    """
    calls = 0
    numbers: dict[tuple[str, str | None], int] = {}
    spent: set[str] = set()
    bars: dict[str, Bar] = {}
    answers: deque[Mark] = deque(maxlen=marks)
    moves: deque[Move] = deque(maxlen=marks)
    login: float | None = None
    logging_in = False
    for event in events:
        fields = event.fields
        if is_call(event):
            calls += 1
            begun = number(event) if number is not None else calls
            numbers[event.source, event.correlation] = begun
        if event.name == "token.spent" and "token" in fields:
            spent.add(fields["token"])
        if event.name in ("login.accepted", "session.started"):
            logging_in = True
        for bar in _bars(event):
            bars.setdefault(bar.token, bar)
            if logging_in:
                login, logging_in = bar.iat, False
        if event.name in ("response.received", "request.failed"):
            answers.append(
                Mark(
                    event.at,
                    fields.get("status"),
                    fields["path"],
                    event.source,
                    event.correlation,
                    numbers.get((event.source, event.correlation), 0),
                )
            )
        elif event.name == "clock.advanced":
            moves.append(Move(event.at, fields["seconds"]))
    return Timeline(
        tuple(bars.values())[-tokens:], tuple(answers), tuple(moves), login, frozenset(spent)
    )


def numbered(facts: Timeline) -> Timeline:
    """The same with a1, a2 … and r1, r2 … in place of the fingerprints, from the oldest."""
    names: dict[str, str] = {}
    for kind in ("access", "refresh"):
        tokens = [bar.token for bar in facts.tokens if bar.kind == kind]
        names |= {token: f"{kind[0]}{number}" for number, token in enumerate(tokens, start=1)}
    bars = tuple(
        replace(bar, token=names[bar.token], label=f"{bar.kind} {names[bar.token]}")
        for bar in facts.tokens
    )
    spent = frozenset(names[token] for token in facts.spent if token in names)
    return replace(facts, tokens=bars, spent=spent)


def _bars(event: Event) -> list[Bar]:
    """The tokens that an event reports, except those whose times cannot be read."""
    told: dict[str, Mapping[str, Any]] = {}
    if event.name in ("token.issued", "token.refreshed"):
        told = {event.fields["kind"]: event.fields}
        if "refresh" in event.fields:  # rotation brings both
            told["refresh"] = event.fields["refresh"]
    elif event.name == "session.started":
        told = {kind: event.fields[kind] for kind in ("access", "refresh")}
    return [
        Bar(
            f"{kind} {facts['token']}",
            kind,
            event.source,
            facts["token"],
            facts["iat"],
            facts["exp"],
        )
        for kind, facts in told.items()
        # The events of a class server name no token; the client's own events do.
        if kind in ("access", "refresh")
        and "token" in facts
        and is_time(facts.get("iat"))
        and is_time(facts.get("exp"))
    ]

"""The headline of a story: what one user action did, in one line.

"Home: 403 → refresh → 200 · 3 requests · 12 ms". The panel's log folds a story to it, and a screen
reader hears it in place of the story's rows.

- It begins with the button. A call that code makes has no button, so its request is named. If code
  sends nothing, as when it logs out, the event is told in its own words.
- Equal answers to calls made at once are counted: "403 ×5 → refresh → 200 ×5".
- A message without a response is "…".
- The milliseconds are those of the messages of one call, of the slowest call if there are
  several. Time that a message is held does not count.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

from ..display import cut
from .event import Event, is_call, is_request
from .event_text import describe, tone

#: Steps that a headline shows at its beginning and at its end; those between them are "…".
FIRST, LAST = 5, 3


class Step(NamedTuple):
    """A step of a story, which is drawn as a badge.

    Attributes:
        text (str): such as "403 ×5".
        tone (str): "good", "bad", "late" or "plain".
    """

    text: str
    tone: str


#: The texts of all parts, in order, are the headline. The first is its title.
Part: TypeAlias = str | Step


def headline(events: Sequence[Event]) -> list[Part]:
    """The headline of a story, in parts.

    Args:
        events (Sequence[Event]): those of one action, in order; or one event that has no action.
    """
    requests = [event for event in events if is_request(event)]
    pressed = next((event for event in events if event.name == "button.pressed"), None)
    if pressed is None and not requests:
        return _without_a_message(events)
    parts: list[Part] = [_title(pressed or requests[0])]
    for index, step in enumerate(_steps(events)):
        parts += [" → " if index else ": ", *step]
    if requests:
        parts.append(f" · {_count(len(requests), 'request')}")
        milliseconds = _milliseconds(events)
        if milliseconds is not None:
            parts.append(f" · {milliseconds} ms")
    return parts


def text_of(parts: Sequence[Part]) -> str:
    """The whole headline as text."""
    return "".join(part if isinstance(part, str) else part.text for part in parts)


def milliseconds_of(event: Event) -> int | None:
    """How long a response took; None if the event has no duration."""
    elapsed = event.fields.get("elapsed")
    return round(elapsed * 1000) if isinstance(elapsed, (int, float)) else None


def _without_a_message(events: Sequence[Event]) -> list[Part]:
    """A story of the server alone, or of code that sent nothing: its worst event, in its words."""
    bad = (event for event in events if tone(event) in ("bad", "late"))
    told = describe(next(bad, events[0]))
    return [told] if len(events) == 1 else [told, f" · {_count(len(events), 'event')}"]


def _title(first: Event) -> str:
    """The button or the request; with the client's name, unless it is the default."""
    fields = first.fields
    if first.name == "button.pressed":
        words, name = fields.get("button", ""), fields.get("client", "client")
    else:
        words, name = f"{fields.get('method', '')} {fields.get('path', '')}", first.source
    return cut(words, 60) + ("" if name == "client" else f" ({cut(name, 24)})")


def _steps(events: Sequence[Event]) -> list[list[Part]]:
    """What happened, one step after the other. Calls made at once take their steps together."""
    calls: Counter[tuple[str, str | None]] = Counter()
    waiting = 0
    steps: defaultdict[object, Counter[Step]] = defaultdict(Counter)
    for event in events:
        call = (event.source, event.correlation)
        calls[call] += is_call(event)
        waiting += is_request(event)
        purpose = event.fields.get("purpose")
        if event.name in ("response.received", "request.failed"):
            waiting -= 1
            steps[calls[call], purpose][_answer(event, str(purpose))] += 1
        elif event.name == "session.ended":
            refused = event.fields.get("reason") == "refresh_refused"
            steps[event.name][Step("session ended", "bad" if refused else "plain")] += 1
        elif event.name in _NOTES:
            steps[event.name][_NOTES[event.name]] += 1
    if waiting > 0:
        steps["…"][Step("…", "plain")] += 1
    shown = [_step(outcomes) for outcomes in steps.values()]
    if len(shown) > FIRST + LAST:
        shown[FIRST:-LAST] = [[Step("…", "plain")]]
    return shown


#: Events besides responses that decide how a story goes on.
_NOTES = {
    "reuse.detected": Step("reuse detected", "bad"),
    "refresh.postponed": Step("refresh postponed", "late"),
}


def _step(outcomes: Counter[Step]) -> list[Part]:
    """The outcomes of equal messages, each with its count."""
    parts: list[Part] = []
    for (words, how), count in outcomes.items():
        parts += [", "] if parts else []
        parts.append(Step(words if count == 1 else f"{words} ×{count}", how))
    return parts


def _answer(event: Event, purpose: str) -> Step:
    fields = event.fields
    refresh = purpose == "refresh"
    if event.name == "request.failed":
        reason = "failed" if refresh else cut(fields.get("reason", "failed"), 40)
        return Step(f"refresh {reason}" if refresh else reason, "bad")
    status: Any = fields.get("status")
    refused = isinstance(status, int) and status >= 400
    if refresh:
        return Step(f"refresh {status}", "bad") if refused else Step("refresh", "late")
    return Step(f"{status}", "bad" if refused else "good")


def _milliseconds(events: Sequence[Event]) -> int | None:
    """Of the slowest call; the sum of what its rows show."""
    sums: Counter[str | None] = Counter()
    for event in events:
        took = milliseconds_of(event)
        if took is not None:
            sums[event.correlation] += took
    return max(sums.values()) if sums else None


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"

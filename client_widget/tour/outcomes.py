"""What a step's events say: its outcome in one word, and the events retold in sentences.

A trace is the events that one step caused on both sides. Each step of the tour uses one function
here to turn its trace into an outcome, so a trace never has two.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TypeAlias

from ..log.event import Event, is_request
from ..log.event_text import describe

Trace: TypeAlias = Sequence[Event]

# The server's own events say the same more precisely, if they are recorded.
_SECOND_HAND = ("response.received", "token.expired", "token.refused")


def requests_sent(events: Trace) -> list[Event]:
    """The messages that left the client, in order."""
    return [e for e in events if is_request(e)]


def page_requests(events: Trace) -> list[Event]:
    """What the client recorded of its requests to /home: sent, retried, received."""
    return [e for e in _exchanges(events) if e.fields["purpose"] in ("call", "retry")]


def refreshes(events: Trace) -> list[Event]:
    """What the client recorded of its refreshes: sent, received."""
    return [e for e in _exchanges(events) if e.fields["purpose"] == "refresh"]


def _exchanges(events: Trace) -> list[Event]:
    return [e for e in events if "purpose" in e.fields]


def retell(events: Trace) -> str:
    """The events as sentences: who did or said what, in order."""
    heard = any(e.source == "server" for e in events)
    told = [e for e in events if not (heard and e.name in _SECOND_HAND)]
    sentences = []
    for opening, group in groupby(told, key=_opening):
        sentences.append(f"{opening}{'; '.join(map(plain, group))}.")
    return " ".join(sentences)


def plain(event: Event) -> str:
    """The event in words, without the path that a server's event has in front."""
    fields = dict(event.fields)
    if event.source == "server":
        fields.pop("path", None)
    return describe(event._replace(fields=fields))


def _opening(event: Event) -> str:
    if event.name == "clock.advanced":
        return "Time passes: "
    if is_request(event):
        return "The client sends "
    if event.name == "response.received":
        return "The answer is "
    return f"The {event.source} says: "


# What happened, each as a function from a trace to a word.


def visit(events: Trace) -> str:
    """How the visits to /home ended: "page", "refreshed", "over", "no token" or "refused".

    Also "nothing" without an answer, "retried" for a retry without a refresh, and "failed" for any
    other refusal. No answer of the tour names these three.
    """
    answers = [e for e in page_requests(events) if e.name == "response.received"]
    renewals = [e.fields["status"] for e in refreshes(events) if e.name == "response.received"]
    if not answers:
        return "nothing"
    if any(status != 200 for status in renewals):
        return "over"
    if answers[-1].fields["status"] == 200:
        if renewals:
            return "refreshed"
        return "page" if all(e.fields["status"] == 200 for e in answers) else "retried"
    if answers[-1].fields["status"] != 403 or renewals:
        return "failed"
    return "refused" if "kind" in page_requests(events)[0].fields else "no token"


def registration(events: Trace) -> str:
    """What a registration brought: "account", "token" or "refused"; "nothing" without an answer."""
    if any(e.name == "session.started" or e.name == "token.issued" for e in events):
        return "token"
    return _accepted(events, "account")


def login(events: Trace) -> str:
    """What a login brought: how many tokens and who keeps them, or "refused"."""
    started = [e for e in events if e.name == "session.started"]
    issued = [e for e in events if e.name == "token.issued"]
    if started:
        kept = [kind for kind in ("access", "refresh") if started[-1].fields.get(kind)]
        return f"client keeps {len(kept)}"
    return f"server keeps {len(issued)}" if issued else _accepted(events, "no tokens")


def _accepted(events: Trace, success: str) -> str:
    answers = [e.fields["status"] for e in events if e.name == "response.received"]
    if not answers:
        return "nothing"
    return success if answers[-1] < 400 else "refused"


def lookup(events: Trace) -> str:
    """How the server found out who is asking: "token" or "database"; "refused" if it did not."""
    noted = [e.name for e in events if e.source == "server"]
    if any(name.startswith(("user.", "login.")) for name in noted):
        return "database"
    if visit(events) == "page":
        return "token" if noted == ["token.accepted"] else "not seen"
    return "refused" if "token.rejected" in noted else visit(events)


def requests_for_page(events: Trace) -> str:
    """A visit, and a refreshed one only if it took the three requests."""
    ended = visit(events)
    return ended if ended != "refreshed" else f"refreshed in {len(requests_sent(events))}"


def rotation(events: Trace) -> str:
    """Was the refresh token of the refreshes the "same", or a "new" one each time?"""
    if visit(events) == "over":
        return "over"
    used = [e.fields.get("token") for e in refreshes(events) if e.name == "request.sent"]
    if not used:
        return "none" if visit(events) == "page" else visit(events)
    if len(used) < 2:
        return "once"
    return {1: "same", len(used): "new"}.get(len(set(used)), "mixed")

"""The judges of lesson 12: two tabs run the learner's way, and a real server answers."""

from __future__ import annotations

from functools import cache
from typing import Any

from client_widget import EventLog

from ..exercise import Wrong
from ..judging.answers import check_function, plain
from ..lab import trial
from .losses import handed_in
from .tabs import Trial, try_tabs


def judge_refresh(refresh_under_lock: Any) -> str:
    """Two tabs need one refresh an expiry, and each gets its page.

    Raises:
        Wrong: the learner's way does something else.
    """
    check_function("refresh_under_lock", refresh_under_lock, "tab")
    for rounds in (1, 3):
        _check_tabs(try_tabs(refresh_under_lock, rounds=rounds), rounds)
    lost = try_tabs(refresh_under_lock, lost=True, grace=30)
    if lost.pages != (False, True):
        raise Wrong(
            "Tab 1 lost the response to its refresh. Tab 2 comes within the grace period of 30 s, "
            "and should refresh and get its page. Is the lock released after an error?"
        )
    return "Three expiries, two tabs, and one refresh each time. Both tabs always get their page."


def _check_tabs(seen: Trial, rounds: int) -> None:
    if seen.reuse:
        raise Wrong(
            f"{seen.refreshes} refreshes were sent, and one had a spent token, so the server "
            "ended the session. Tab 2 got the lock after tab 1 had refreshed. What is in the "
            "store then?"
        )
    if not all(seen.pages):
        number = seen.pages.index(False) + 1
        raise Wrong(
            f"Tab {number} did not get its page. It goes on with the pair that your function "
            "returns, and it must not wait for itself."
        )
    if seen.refreshes != rounds:
        raise Wrong(
            f"The token expired {rounds} times, and {seen.refreshes} refreshes were sent. Does "
            "your function send with `tab.send`, and only if no other tab has?"
        )
    if not seen.alive:
        raise Wrong(
            "Both tabs got their page, but the refresh token in the store is spent. Store what "
            "`tab.send` returns."
        )


#: Grace, seconds from tab 1's refresh to tab 2's, and whether tab 1's successor is used by then.
CASES = (
    (0, 0, False),
    (0, 3, False),
    (5, 0, False),
    (5, 4, False),
    (5, 5, False),
    (30, 29, False),
    (30, 31, False),
    (30, 10, True),
    (5, 4, True),
)


def server_goes_on(grace: int, gap: int, successor_used: bool) -> bool:
    """Does a session survive on a real server?"""
    with trial(policy="rfc", refresh_grace=grace, transport="in-process") as lab:
        successor = lab.client.probe(lab.pair.refresh, "refresh").json()["refreshToken"]
        if successor_used:
            lab.client.probe(successor, "refresh")
        lab.clock.advance(gap)
        return lab.client.probe(lab.pair.refresh, "refresh").status_code == 200


# Their clocks stand still, so a server does the same each time, and a trace is the same.
_goes_on, _handed_in = cache(server_goes_on), cache(handed_in)


def judge_goes_on(goes_on: Any) -> str:
    """The learner's rule is the server's.

    Raises:
        Wrong: it decides otherwise in one of the cases.
    """
    check_function("goes_on", goes_on, "grace, gap, successor_used")
    for grace, gap, used in CASES:
        does = _goes_on(grace, gap, used)
        said = plain(goes_on(grace, gap, used))
        if said is not True and said is not False:
            raise Wrong(f"goes_on should return True or False, and it returned {said!r}.")
        if said != does:
            after = "used, too" if used else "unused"
            raise Wrong(
                f"The grace is {grace} s, tab 2 comes {gap} s after tab 1, and the successor is "
                f"{after}: on a real server the session {'goes on' if does else 'ends'}."
            )
    return f"In all {len(CASES)} cases a real server did what you said."


#: What the traces of exercise 3 are made of.
TRACES: tuple[dict[str, Any], ...] = (
    {"before": 1},
    {"before": 3},
    {"before": 0},
    {"before": 2, "again": True},
    {"before": 2, "lost": False},
    {"before": 2, "lost": False, "again": True},
)


def lost_in(trace: EventLog) -> int | None:
    """The `seq` of the write that put an older token back."""
    seen: list[object] = []
    for event in trace:
        if event.name == "store.written":
            token = event.fields["token"]
            if token in seen and token != seen[-1]:
                return event.seq
            seen.append(token)
    return None


def judge_lost_update(lost_update: Any) -> str:
    """The learner finds the write in each trace.

    Raises:
        Wrong: in one of the traces it is another.
    """
    check_function("lost_update", lost_update, "trace")
    for made in TRACES:
        trace = EventLog.from_jsonl(_handed_in(**made))
        said, is_it = plain(lost_update(trace)), lost_in(trace)
        if said != is_it or isinstance(said, bool):
            where = "no tab wrote an old token" if is_it is None else f"event {is_it} is the write"
            raise Wrong(
                f"In a trace with {len(trace)} events {where}, and you said {said!r}. An old token "
                "is one that was written before, with another one in between."
            )
    return f"You found the lost update in {len(TRACES)} traces, or found that there is none."

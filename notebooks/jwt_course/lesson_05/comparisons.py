"""What the notebook of lesson 05 shows: strategies and libraries side by side."""

from __future__ import annotations

from client_widget import EventLog
from client_widget.log.token_lives import spans

from ..picture import Picture
from .peers import PEERS, refreshes_of, run_peer
from .stampede import StampedeResult, run_stampede
from .stampede_picture import stampede_picture
from .strategies import STRATEGIES


def compare(calls: int, **troubles: bool) -> Picture:
    """Run every strategy with the same `troubles`, those of `run_stampede`."""
    results = {name: run_stampede(each, calls, **troubles) for name, each in STRATEGIES.items()}
    return stampede_picture(results)


def compare_peers(calls: int) -> Picture:
    """Run other libraries on a server with rotation."""
    results: dict[str, StampedeResult] = {}
    for name in PEERS:
        result = run_peer(name, calls)
        if result is None:
            print(f"{name} is not installed, so it is left out.")
        else:
            results[name] = result
    return stampede_picture(results)


def compare_windows(lifetime: int, calls: int) -> None:
    """Print the default windows of other libraries, and what they cost a new token."""
    for name in PEERS:
        seen = refreshes_of(name, calls, lifetime)
        if seen is None:
            print(f"{name} is not installed, so it is left out.")
        else:
            window, refreshes = seen
            print(f"{name:<20} window {window:>3.0f} s: {refreshes} refreshes for {calls} calls")


def story(log: EventLog) -> str:
    """The timeline of a log in words: access tokens with their windows, and requests."""
    timeline = spans(log)
    start = timeline.login or 0.0
    bars = [bar for bar in timeline.tokens if bar.kind == "access"]
    lines = [
        f"access token {number}: {bar.iat - start:>3.0f} s to {bar.exp - start:>3.0f} s, "
        f"window from {bar.window - start:.0f} s"
        for number, bar in enumerate(bars, 1)
    ]
    lines += [
        f"at {mark.at - start:>3.0f} s: {mark.status} for {mark.path}"
        for mark in timeline.marks
        if mark.path in ("/home", "/refresh")
    ]
    return "\n".join(lines)

"""What the notebook of lesson 05 shows: strategies and libraries side by side."""

from __future__ import annotations

from collections.abc import Mapping

from IPython.display import display

from client_widget import EventLog
from client_widget.log.token_lives import spans

from .peers import PEERS, refreshes_of, run_peer
from .stampede import StampedeResult, run_stampede
from .stampede_picture import stampede_picture
from .strategies import STRATEGIES


def compare(calls: int, **troubles: bool) -> Mapping[str, StampedeResult]:
    """Run every strategy with the same `troubles`, those of `run_stampede`; show the picture.

    Returns:
        Mapping[str, StampedeResult]: the results, by the strategy's name.
    """
    results = {name: run_stampede(each, calls, **troubles) for name, each in STRATEGIES.items()}
    display(stampede_picture(results))  # type: ignore[no-untyped-call]
    return results


def compare_peers(calls: int) -> Mapping[str, StampedeResult]:
    """Run other libraries on a server with rotation, and show the picture.

    Returns:
        Mapping[str, StampedeResult]: the results, by the library's name.
    """
    results: dict[str, StampedeResult] = {}
    for name in PEERS:
        result = run_peer(name, calls)
        if result is None:
            print(f"{name} is not installed, so it is left out: see the text below.")
        else:
            results[name] = result
    if results:
        display(stampede_picture(results))  # type: ignore[no-untyped-call]
    return results


def compare_windows(lifetime: int, calls: int) -> Mapping[str, int]:
    """Print the default windows of other libraries, and what they cost a new token.

    Returns:
        Mapping[str, int]: how often each library refreshes, by its name.
    """
    counts: dict[str, int] = {}
    for name in PEERS:
        seen = refreshes_of(name, calls, lifetime)
        if seen is None:
            print(f"{name} is not installed, so it is left out: see the text below.")
        else:
            window, refreshes = seen
            counts[name] = refreshes
            print(f"{name:<20} window {window:>3.0f} s: {refreshes} refreshes for {calls} calls")
    return counts


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

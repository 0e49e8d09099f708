"""The judges of lesson 05: they run the learner's objects in real stampedes (`stampede.py`)."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from typing import Any

from client_widget import LoginRequired, TokenStore

from ..exercise import Wrong
from ..judging.answers import (
    check_class,
    check_function,
    check_made,
    check_number,
    plain,
)
from ..judging.learners_code import told
from .stampede import StampedeResult, run_stampede
from .strategies import FlagAuth, coordinated

#: The calls of the exercises: so many for the forecast, so many for the learner's own class.
FORECAST, CALLS = 9, 16

#: What a coordinator needs: its methods, and their parameters.
METHODS = {"begin": "pair", "end": "fresh"}

#: Real seconds without any message after which calls that poll in a loop are taken for waiting.
PATIENCE = 0.5


def judge_forecast(forecast: Any) -> str:
    """The numbers are those of a real run.

    Raises:
        Wrong: one is not.
    """
    wanted = ("refreshes", "answers", "refused")
    if isinstance(forecast, Mapping):
        forecast = dict(forecast.items())  # whatever else a subclass claims to hold
    if not isinstance(forecast, dict) or set(forecast) != set(wanted):
        raise Wrong(f"forecast must be a dict with the keys {', '.join(wanted)}.")
    for name in wanted:
        check_number(f'forecast["{name}"]', forecast[name])
    forecast = plain(forecast)
    seen = run_stampede(FlagAuth, FORECAST)
    off = [f"{name}: {forecast[name]}" for name in wanted if forecast[name] != getattr(seen, name)]
    if off:
        raise Wrong(
            f"the run of {FORECAST} calls did not show {', '.join(off)}. The flag goes up and "
            "down: what does it do to the second call, and to the third?"
        )
    return (
        f"{seen.refreshes} calls found the flag down and refreshed, {seen.refused} found it up, "
        "lowered it and returned their refusal to the caller."
    )


def judge_single_flight(make: Any) -> str:
    """One refresh for all calls, whether it succeeds, is refused, or is met too late.

    Raises:
        Wrong: it is not so.
    """
    check_class("SingleFlight", make, "store", METHODS, forbidden=("client_widget",))
    if not isinstance(make, type):
        check_made("SingleFlight", make(TokenStore()), METHODS)
    strategy = coordinated(make)
    _judge_success(run_stampede(strategy, CALLS, patience=PATIENCE, rotation=True))
    _judge_refusal(run_stampede(strategy, CALLS, patience=PATIENCE, rotation=True, refused=True))
    late = run_stampede(strategy, CALLS, patience=PATIENCE, rotation=True, late=True)
    _check_errors(late)
    if (late.refreshes, late.answers) != (1, CALLS):
        raise Wrong(
            f"one call was refused after the refresh had ended: {_summary(late)}. Its token had "
            "been replaced meanwhile. Is `pair` still what the store holds?"
        )
    again = run_stampede(strategy, CALLS, patience=PATIENCE, rotation=True, waves=2)
    _check_errors(again)
    if (again.refreshes, again.answers) != (2, 2 * CALLS):
        raise Wrong(
            f"two expiries in a row, {CALLS} calls each: {_summary(again)}; 2 refreshes and "
            f"{2 * CALLS} answers are wanted. Does `end` restore the initial state?"
        )
    return (
        f"{CALLS} calls: 1 refresh and {CALLS} answers. When the refresh was refused, "
        f"{CALLS} times LoginRequired and nobody hung."
    )


def _judge_success(seen: StampedeResult) -> None:
    _check_errors(seen)
    if seen.refreshes == 0:
        raise Wrong(f"{CALLS} calls were refused and none refreshed: {_summary(seen)}.")
    if seen.refreshes > 1:
        raise Wrong(
            f"{_summary(seen)}. One call must refresh, and the others must wait in `begin` until "
            "`end` is called."
        )
    if seen.hangs:
        raise Wrong(
            f"{_summary(seen)}, {_place(seen)}. The refresh succeeded: which line wakes the calls "
            "that wait?"
        )
    if seen.answers != CALLS:
        raise Wrong(f"{_summary(seen)}, where {CALLS} answers are wanted.")


def _judge_refusal(seen: StampedeResult) -> None:
    _check_errors(seen)
    if seen.hangs:
        raise Wrong(
            f"the refresh was refused: {_summary(seen)}. `end(None)` must wake the waiting calls "
            f"too."
        )
    if (seen.refreshes, seen.errors) != (1, CALLS):
        raise Wrong(
            f"the refresh was refused: {_summary(seen)}. One refresh and {CALLS} times "
            "LoginRequired are wanted."
        )


def _place(seen: StampedeResult) -> str:
    return f"at {seen.stopped_at}" if seen.stopped_at else "outside of your code"


def _check_errors(seen: StampedeResult) -> None:
    foreign = [kind for kind in seen.kinds if kind != LoginRequired.__name__]
    if foreign:
        said = told(seen.errors_raised[0]) if seen.errors_raised else " and ".join(foreign)
        raise Wrong(f"in a call, your class raised {said}.")


def _summary(seen: StampedeResult) -> str:
    counts = (
        (seen.refreshes, "refresh", "refreshes"),
        (seen.answers, "answer", "answers"),
        (seen.refused, "call refused", "calls refused"),
        (seen.errors, "error", "errors"),
        (seen.hangs, "call that hangs", "calls that hang"),
    )
    words = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
    return ", ".join(words) or "nothing happened"


#: Lifetimes in seconds, and the windows that the exercise asks for.
WINDOWS = {5: 1.0, 30: 6.0, 50: 10.0, 60: 10.0, 900: 10.0, 3600: 10.0}


def judge_window(window: Any) -> str:
    """Ten seconds, but no more than a fifth of the lifetime.

    Raises:
        Wrong: it is not so.
    """
    check_function("my_window", window, "lifetime", forbidden=("client_widget",))
    # A table of the lifetimes in this file would not do.
    other = secrets.choice([seconds for seconds in range(6, 46) if seconds % 5])
    for lifetime, wanted in {**WINDOWS, other: min(10.0, other / 5)}.items():
        given = window(lifetime)
        check_number(f"my_window({lifetime})", given)
        given = plain(given)
        if given >= lifetime:
            raise Wrong(
                f"my_window({lifetime}) returns {given:g} s: a new token is in its window at "
                "once, so every call refreshes."
            )
        if not math.isclose(given, wanted):
            raise Wrong(f"my_window({lifetime}) returns {given:g} s; {wanted:g} s is wanted.")
    return "A token of 5 s has a window of 1 s, and one of an hour has 10 s."

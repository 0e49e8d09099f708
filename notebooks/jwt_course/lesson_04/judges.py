"""The judges of lesson 04: has the learner fixed the article's interceptor?

The judges run the learner's auth scheme against a real server (`scheme_trial.py`) and read what its
calls did. A symptom can be hidden while its fault remains, so they also try a token that
is still valid, a user who is always refused, and an expired refresh token.
"""

from __future__ import annotations

from typing import Any

from client_widget import ArticleAuth, BearerAuth, LoginRequired

from ..concurrency import Runaway
from ..exercise import Wrong
from ..judging.answers import check_class
from ..judging.ending import Abandoned
from ..judging.learners_code import told
from .scheme_trial import REFRESH_LIFETIME, Outcome, SchemeTrial

EXPIRIES, TOGETHER = 5, 4

#: What an auth scheme needs: its method, and that method's parameters.
METHODS = {"auth_flow": "request"}


def judge_fixed(scheme: Any) -> str:
    """Expiries in a row are all answered.

    Raises:
        Wrong: they are not, or another case went wrong for it.
    """
    _try_alone("FixedAuth", scheme)
    return f"{EXPIRIES} expiries in a row: {EXPIRIES} refreshes, {EXPIRIES} times 200."


def judge_own(scheme: Any) -> str:
    """Calls that expire together are all answered.

    Raises:
        Wrong: they are not, or another case went wrong for it.
    """
    _try_alone("OwnState", scheme)
    refreshes = _try_together(scheme)
    return f"{TOGETHER} calls that expired together: {_refreshes(refreshes)}, {TOGETHER} times 200."


def judge_one(scheme: Any) -> str:
    """Calls that expire together are all answered, after one refresh.

    Raises:
        Wrong: they are not, or another case went wrong for it.
    """
    _try_alone("OneRefresh", scheme)
    refreshes = _try_together(scheme)
    if refreshes != 1:
        raise Wrong(
            f"{TOGETHER} calls that expired together sent {refreshes} refreshes. Each "
            "saw in the store the token that it had sent, because the first refresh was still "
            "under way. One is enough."
        )
    with SchemeTrial(scheme) as trial:
        trial.clock.advance(61)
        outcomes = trial.late()
    refreshes = sum(outcome.refreshes for outcome in outcomes)
    if refreshes != 1:
        raise Wrong(
            "A call whose 403 came late, after another call had refreshed, sent a second refresh. "
            "Did the token change since it was sent?"
        )
    return f"{TOGETHER} calls that expired together: 1 refresh, {TOGETHER} times 200."


def _try_alone(name: str, scheme: Any) -> None:
    """One call at a time: within the lifetime, after it, and where nothing helps."""
    if scheme not in (ArticleAuth, BearerAuth):  # those have their own sentences
        check_class(name, scheme, "store", METHODS)
    with SchemeTrial(scheme) as trial:
        if not callable(getattr(trial.auth, "auth_flow", None)):
            raise Wrong(
                f"`{name}` is a function, and what it returned has no method `auth_flow`. Write a "
                "class."
            )
        good = trial.call()
        if trial.store.read_by(BearerAuth.auth_flow):
            raise Wrong(
                f"the messages of `{name}` come from `BearerAuth.auth_flow`. That is the lab's "
                "fix. Write yours: which lines of ArticleAuth do you change?"
            )
        _check_answered(good, "A call with a valid token")
        if len(good.messages) != 1:
            raise Wrong(f"A call with a valid token sent too much: {_story(good)}.")
        for number in range(1, EXPIRIES + 1):
            trial.clock.advance(61)
            _check_answered(trial.call(), f"Expiry {number} of {EXPIRIES}")
    with SchemeTrial(scheme) as trial:
        trial.refuse_always()
        _check_refused(trial.call(), "A call of a user who is always refused")
    with SchemeTrial(scheme) as trial:
        trial.clock.advance(REFRESH_LIFETIME + 1)
        _check_refused(trial.call(), "A call with an expired refresh token")


def _try_together(scheme: Any) -> int:
    """Calls that expire together: how many refreshes they sent."""
    with SchemeTrial(scheme) as trial:
        trial.clock.advance(61)
        outcomes, parallel = trial.together(TOGETHER)
    for outcome in outcomes:
        _check_answered(outcome, f"One of {TOGETHER} calls that expired together")
    if not parallel:
        raise Wrong(
            "The calls were sent one after the other. Only a refresh is worth waiting for: calls "
            "with a valid token must not wait for each other."
        )
    return sum(outcome.refreshes for outcome in outcomes)


def _check_answered(outcome: Outcome, what: str) -> None:
    """The call got its 200, without a trick."""
    _check_honest(outcome, what)
    if isinstance(outcome.error, LoginRequired):
        raise Wrong(f"{what} ended with LoginRequired, although the refresh token was still valid.")
    if outcome.returned == 403 and not outcome.refreshes:
        raise Wrong(
            f"{what} ended with 403, and sent no refresh. Was the flag still up from another call?"
        )
    if outcome.returned != 200:
        raise Wrong(f"{what} ended with {outcome.returned} instead of 200: {_story(outcome)}.")


def _check_refused(outcome: Outcome, what: str) -> None:
    """The caller got the refusal, at no more than the allowed cost."""
    _check_honest(outcome, what)
    if outcome.returned is not None and outcome.returned < 400:
        raise Wrong(f"{what} was given {outcome.returned}: {_story(outcome)}.")


def _check_honest(outcome: Outcome, what: str) -> None:
    """No call costs too much, and its caller gets what the server said."""
    if isinstance(outcome.error, Abandoned):
        where = f" at {outcome.stopped_at}" if outcome.stopped_at else ""
        raise Wrong(
            f"{what} never ended: it was still waiting{where}. Which thread should end that wait?"
        )
    if isinstance(outcome.error, Runaway):
        raise Wrong(
            f"{what} did not stop after {len(outcome.messages)} messages. A call may cost one "
            f"refresh and one "
            "retry; a second 403 is final."
        )
    if outcome.error is not None and not isinstance(outcome.error, LoginRequired):
        raise Wrong(f"{what} raised {told(outcome.error)}. Sent so far: {_story(outcome)}.")
    if outcome.error is None and outcome.returned is None:
        raise Wrong(
            f"{what} returned nothing to its caller: auth_flow must return the last response."
        )
    if outcome.returned is not None and outcome.returned != outcome.messages[-1][1]:
        raise Wrong(
            f"{what} returned {outcome.returned} to its caller, but the server's last response was "
            f"{outcome.messages[-1][1]}. Return what the server said."
        )
    if outcome.returned == 200 and outcome.messages[-1][0] == "/refresh":
        raise Wrong(
            f"{what} returned the response to the refresh instead of the response to the call."
        )
    if outcome.messages and outcome.messages[0][0] == "/refresh":
        raise Wrong(
            f"{what} sent a refresh before the server had refused anything. Send the call first: "
            "most tokens are still valid."
        )
    if outcome.sent > 2 or outcome.refreshes > 1:
        raise Wrong(
            f"{what} was sent {outcome.sent} times, with {_refreshes(outcome.refreshes)}. One "
            "refresh and one retry are all that a call may cost."
        )


def _refreshes(count: int) -> str:
    return "1 refresh" if count == 1 else f"{count} refreshes"


def _story(outcome: Outcome) -> str:
    """Such as "/home 403, /refresh 200"."""
    return ", ".join(f"{path} {status}" for path, status in outcome.messages) or "nothing was sent"

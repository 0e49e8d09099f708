"""What a correct client does, as scenarios against a real server.

A scenario plays on a `Stage` and reads the trace: what the server accepted, refused and issued,
and what the caller got. It returns a sentence on what it saw, or raises `Wrong` with one. It never
reads the candidate's code.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from ..concurrency import Call
from ..exercise import Wrong
from .scenario import Scenario
from .stage import CONFIG, LIFETIME, Stage, digest
from .trace import Counts, ending, many

#: Calls that race: enough for one to refresh, one to wait, and two to come at any moment.
TOGETHER = 4

#: A server with rotation, and a route that only a teacher may call.
HARDENED = replace(CONFIG, policy="rfc", teachers=("tess",))


def five_in_a_row(stage: Stage) -> str:
    for turn in range(1, 6):
        stage.clock.advance(LIFETIME + 1)
        _expect(stage, stage.get, "200", Counts(1, 1, 1, 0), f"expiry {turn}")
    _expect(stage, stage.get, "200", Counts(0, 1, 0, 0), "a call with a valid token")
    return "each of 5 expiries cost one refresh, and the caller saw 200"


def four_together(stage: Stage) -> str:
    stage.clock.advance(LIFETIME + 1)
    counts = _meet_together(stage, "200")
    if counts.refreshes != 1:
        raise Wrong(f"{many(counts.refreshes, 'refresh')} for one expiry")
    if (counts.refused, counts.served) != (TOGETHER, TOGETHER):
        raise Wrong(f"for {TOGETHER} calls: {counts}")
    return f"{TOGETHER} calls shared one refresh, and each was answered"


def a_late_refusal(stage: Stage) -> str:
    stage.clock.advance(LIFETIME + 1)
    mark = len(stage.log)
    hold = stage.hold(_rejects_access, once=True)
    late = stage.call()
    stage.wait(lambda: hold.reached)
    other = stage.call()
    in_time = stage.wait(lambda: other.done)
    hold.release()
    stage.gather([late, other])
    counts = Counts.of(stage.since(mark))
    if not in_time and not other.hung:
        raise Wrong("the second call waited until the first had its answer")
    _all_answered([other, late], "200")
    if counts.refreshes != 1:
        raise Wrong(f"{many(counts.refreshes, 'refresh')} for one expired token")
    if (counts.refused, counts.served) != (2, 2):
        raise Wrong(f"for 2 calls: {counts}")
    return "the second call refreshed, and the late one was only sent again"


def refused(stage: Stage) -> str:
    stage.clock.advance(stage.server.config.refresh_token_ttl + 1)
    _expect(stage, stage.get, "LoginRequired", Counts(1, 0, 1, 0), "the call")
    if stage.client.store.get() is not None:
        raise Wrong("the refresh was refused, and the tokens are still in the store")
    _starts_again(stage)
    return "one refresh was tried, the session ended, and the caller got LoginRequired"


def refused_while_others_wait(stage: Stage) -> str:
    stage.clock.advance(stage.server.config.refresh_token_ttl + 1)
    counts = _meet_together(stage, "LoginRequired")
    if counts != Counts(TOGETHER, 0, 1, 0):
        raise Wrong(f"for {TOGETHER} calls: {counts}")
    _starts_again(stage)
    return f"one refresh was tried, and all {TOGETHER} callers got LoginRequired"


def a_body(stage: Stage) -> str:
    form, raw = {"note": "kept"}, b"\x00\x01 raw bytes"
    cases: list[tuple[str, dict[str, Any], bytes]] = [
        ("JSON", {"json": form}, b'{"note": "kept"}'),
        ("bytes", {"data": raw}, raw),
        ("a file", {"data": io.BytesIO(raw)}, raw),
    ]
    for what, options, sent in cases:
        stage.clock.advance(LIFETIME + 1)
        stage.digests.clear()
        _expect(
            stage,
            partial(stage.get, "POST", "/echo", **options),
            "200",
            Counts(1, 1, 1, 0),
            what,
        )
        first, *others = (came == digest(sent) for came in stage.digests)
        if not first:
            raise Wrong(f"{what}: the first request did not carry the body")
        if not all(others):
            raise Wrong(f"{what}: the request that was answered with 200 did not carry the body")
    return "JSON, bytes and a file came whole, both times"


def refused_again(stage: Stage) -> str:
    # From now on every access token is refused, and each refresh succeeds.
    stage.server.app.view_functions["home"] = lambda: (
        {"message": "The keys were changed", "error": "token_invalid"},
        403,
    )
    mark = len(stage.log)
    call = stage.get()
    counts = Counts.of(stage.since(mark))
    sent = sum(
        e.name == "response.received" and e.fields["path"] == "/home" for e in stage.since(mark)
    )
    if ending(call) != "403 token_invalid" or (sent, counts.refreshes, counts.logins) != (2, 1, 0):
        raise Wrong(
            f"the call was sent {_times(sent)}, with {many(counts.refreshes, 'refresh')}, "
            f"and the caller got {ending(call)}"
        )
    return "one refresh, one retry, and the refusal went to the caller"


def another_login(stage: Stage) -> str:
    stage.clock.advance(LIFETIME + 1)
    hold = stage.hold(lambda name, fields: name == "token.accepted" and _is_refresh(fields))
    call = stage.call()
    stage.wait(lambda: hold.reached)
    stage.login("bob")
    pair, mark = stage.client.store.get(), len(stage.log)
    hold.release()
    stage.gather([call])
    served = {
        e.fields["username"]
        for e in stage.since(mark)
        if e.name == "token.accepted" and e.fields["kind"] == "access"
    }
    if "bob" in served:
        raise Wrong(f"ada's call was served in bob's name, and she got {ending(call)}")
    if stage.client.store.get() is not pair:
        raise Wrong("the refresh of ada's session replaced bob's tokens")
    if call.hung or (not served and ending(call) != "LoginRequired"):
        raise Wrong(f"for her call ada got {ending(call)}")
    return "ada's call was not served in bob's name, and bob's tokens are in the store"


def no_right(stage: Stage) -> str:
    _expect(
        stage,
        partial(stage.get, "GET", "/class"),
        "403 insufficient_scope",
        Counts(0, 1, 0, 0),
        "GET /class",
    )
    return "the refusal went to the caller after one request"


def rotation(stage: Stage) -> str:
    for turn in range(1, 4):
        stage.clock.advance(LIFETIME + 1)
        mark = len(stage.log)
        call = stage.get()
        if any(e.name == "reuse.detected" for e in stage.since(mark)):
            raise Wrong(
                f"refresh {turn} sent a spent refresh token, the server revoked the "
                f"family, and the caller got {ending(call)}"
            )
        if ending(call) != "200":
            raise Wrong(f"expiry {turn}: the caller got {ending(call)}")
    stage.clock.advance(LIFETIME + 1)
    calls, _ = _expire_together(stage)
    stage.gather(calls)
    if any(e.name == "reuse.detected" for e in stage.log):
        raise Wrong("four calls together sent one refresh token twice: the family was revoked")
    _all_answered(calls, "200")
    return "3 refreshes in a row, and one of 4 calls together, each with the newest token"


def a_wrong_clock(stage: Stage) -> str:
    ahead = stage.client_clock() - stage.clock()
    where = f"with a clock {abs(ahead) / 60:.0f} minutes {'ahead' if ahead > 0 else 'behind'}"
    mark = len(stage.log)
    for _ in range(3):
        stage.pass_time(10)
        _expect(stage, stage.get, "200", Counts(0, 1, 0, 0), f"{where}, 10 s later")
    stage.pass_time(LIFETIME)
    words = ending(stage.get())
    counts = Counts.of(stage.since(mark))
    if words != "200" or counts.refreshes != 1:
        raise Wrong(f"{where}, after the expiry: {words}, with {many(counts.refreshes, 'refresh')}")
    stage.pass_time(10)
    _expect(stage, stage.get, "200", Counts(0, 1, 0, 0), f"{where}, 10 s after the refresh")
    return "no refresh while the token was valid, and one after it expired"


def _starts_again(stage: Stage) -> None:
    """After a new login, nothing of the session that ended disturbs the next expiry."""
    stage.login("ada")
    stage.clock.advance(LIFETIME + 1)
    _expect(stage, stage.get, "200", Counts(1, 1, 1, 0), "the first expiry after a new login")


def _meet_together(stage: Stage, words: str) -> Counts:
    """What calls cost that meet one expired token at once, and must all end with those words."""
    mark = len(stage.log)
    calls, all_met = _expire_together(stage)
    stage.gather(calls)
    counts = Counts.of(stage.since(mark))
    if not all_met:
        raise Wrong("the calls were not under way together: one waited for the other")
    _all_answered(calls, words)
    return counts


def _expire_together(stage: Stage) -> tuple[list[Call], bool]:
    """Calls that are all refused before any refresh is answered; and were they?"""
    mark = len(stage.log)
    hold = stage.hold(
        lambda name, fields: name in ("token.accepted", "token.rejected") and _is_refresh(fields)
    )
    calls = [stage.call() for _ in range(TOGETHER)]
    all_refused = stage.wait(lambda: _received_refusals(stage, mark) >= TOGETHER)
    stage.settle()
    hold.release()
    return calls, all_refused


def _received_refusals(stage: Stage, mark: int) -> int:
    return sum(
        e.name == "response.received" and e.fields["path"] == "/home" and e.fields["status"] >= 400
        for e in stage.since(mark)
    )


def _rejects_access(name: str, fields: dict[str, Any]) -> bool:
    return name == "token.rejected" and fields["kind"] == "access"


def _is_refresh(fields: dict[str, Any]) -> bool:
    return fields.get("kind") == "refresh"


def _expect(stage: Stage, act: Callable[[], Call], words: str, counts: Counts, when: str) -> None:
    """One call must end with those words and cost that much."""
    mark = len(stage.log)
    got = ending(act())
    seen = Counts.of(stage.since(mark))
    if got != words or seen != counts:
        raise Wrong(f"{when}: the caller got {got}, after {seen}")


def _all_answered(calls: list[Call], words: str) -> None:
    others = sorted({ending(call) for call in calls} - {words})
    if others:
        number, rest = sum(ending(call) == words for call in calls), " and ".join(others)
        raise Wrong(f"{number} of {len(calls)} calls ended with {words}, the rest with {rest}")


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


#: Every scenario, in the order in which they are graded.
SCENARIOS = (
    Scenario(
        "five in a row",
        "after each expiry one refresh and one retry, and the caller sees 200",
        five_in_a_row,
    ),
    Scenario(
        "four together",
        "calls that meet one expiry share one refresh, and each is answered",
        four_together,
        together=True,
    ),
    Scenario(
        "a late refusal",
        "a call that is refused with a token that was replaced meanwhile is only sent again",
        a_late_refusal,
    ),
    Scenario(
        "refused",
        "after a refused refresh the tokens are forgotten, and the caller gets LoginRequired",
        refused,
    ),
    Scenario(
        "refused, and others wait",
        "after a refused refresh each of the waiting callers gets LoginRequired",
        refused_while_others_wait,
        together=True,
    ),
    Scenario("a body", "the retry carries the same body as the call", a_body),
    Scenario(
        "refused again",
        "one refresh and one retry for a call, and then the caller gets the refusal",
        refused_again,
    ),
    Scenario(
        "another login",
        "a call of one session is never sent again with the tokens of the next",
        another_login,
    ),
    Scenario(
        "a wrong clock",
        "a token is refreshed by its lifetime since it came, whatever the client's clock says",
        a_wrong_clock,
        skews=(300.0, -300.0),
    ),
    Scenario(
        "no right",
        "403 insufficient_scope goes to the caller: a new token has no more rights",
        no_right,
        config=HARDENED,
    ),
    Scenario(
        "rotation",
        "each refresh uses the newest refresh token",
        rotation,
        config=HARDENED,
    ),
)

"""Lesson 03, step the refresh: its two exercises.

The judges step flows as the lesson does, and then have `AuthClient` drive the learner's flow
against a real server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from client_widget import BearerAuth, ClientError, Event, LoginRequired, Request, TokenStore
from client_widget.protocol.auth_flow import Auth

from ..exercise import Wrong
from ..judging.answers import article, check_function, plain
from ..lab import trial
from .flow_by_hand import HOME, MadeUpResponse, Walk, made_up_store

WELCOME = MadeUpResponse(200, {"message": "Welcome ada"})
EXPIRED = MadeUpResponse(403, {"error": "token_expired"})
FRESH = MadeUpResponse(200, {"accessToken": "access-2"})

#: The cases of the first exercise: the answers that a flow is sent, one after the other. None
#: means "another call has refreshed, so nothing was sent".
CASES: dict[str, tuple[MadeUpResponse | None, ...]] = {
    "a": (WELCOME,),
    "b": (EXPIRED, FRESH, WELCOME),
    "c": (EXPIRED, EXPIRED),
    "d": (EXPIRED, FRESH, EXPIRED),
    "e": (MadeUpResponse(404),),
    "f": (EXPIRED, MadeUpResponse(503)),
    "g": (EXPIRED, None, WELCOME),
}


def judge_predictions(predictions: Any) -> str:
    """The purposes of each case, compared with what the lab's own flow yields."""
    if not isinstance(predictions, Mapping):
        raise Wrong(
            f"`predictions` is {article(predictions)}. It should be a dict, with a list of "
            "purposes for each letter."
        )
    for letter, answers in CASES.items():
        if letter not in predictions:
            raise Wrong(f"case {letter} has no prediction.")
        said, purposes = predictions[letter], purposes_of(answers)
        if isinstance(said, str) or not isinstance(said, Sequence):
            raise Wrong(f"case {letter} must be a list, such as ['call'].")
        said = plain(said)
        if said != purposes:
            # "end" fills up the shorter one, so that each place has something to compare.
            length = max(len(said), len(purposes))
            pairs = zip(_filled(said, length), _filled(purposes, length), strict=True)
            place, mine, its = next((n, m, i) for n, (m, i) in enumerate(pairs, 1) if m != i)
            raise Wrong(f"case {letter}, place {place}: you say {mine!r}; the flow says {its!r}.")
    return f"All {len(CASES)} cases, as the flow itself went."


def _filled(purposes: Sequence[Any], length: int) -> list[Any]:
    return [*purposes, *["end"] * (length - len(purposes))]


def purposes_of(answers: Sequence[MadeUpResponse | None]) -> list[str]:
    """The purposes of the messages that `BearerAuth` yields when it is sent `answers`."""
    flow = BearerAuth(made_up_store()).auth_flow(HOME)
    purposes: list[str] = [next(flow).purpose]
    try:
        for answer in answers:
            purposes.append(flow.send(answer).purpose)
    except (StopIteration, ClientError):
        pass
    return purposes


def judge_flow(my_flow: Any) -> str:
    """`my_flow(request, store)`, stepped by hand, then driven against a server."""
    check_function("my_flow", my_flow, "request, store")
    _step_through(my_flow)
    seen, wanted = session_of(lambda store: LearnersAuth(my_flow, store)), session_of(BearerAuth)
    length = max(len(seen), len(wanted))
    pairs = zip(_filled(seen, length), _filled(wanted, length), strict=True)
    for place, (mine, its) in enumerate(pairs, 1):
        if mine != its:
            raise Wrong(f"on a real server, fact {place} was '{mine}'; '{its}' was wanted.")
    return (
        "Stepped by hand it went the right way each time. Driven by AuthClient it left the same "
        f"{len(wanted)} facts as the lab's own flow: messages, verdicts and what the caller got."
    )


def _step_through(my_flow: Any) -> None:
    """The cases by hand, in the order in which a learner meets them."""
    store = made_up_store()
    walk = Walk(my_flow, store, "a call answered with 200")
    walk.expect("call", access="access-1")
    walk.ends_with(WELCOME)
    if store.read_by(BearerAuth.auth_flow):
        raise Wrong(
            "the messages were right, but `BearerAuth` made them. Write the flow with `yield`, "
            "step by step."
        )

    for status in (404, 500):
        walk = Walk(my_flow, store, f"a call answered with {status}")
        walk.ends_with(MadeUpResponse(status))

    # Twice: a flow that remembers the first refresh may not do the second.
    for number, which in ((1, "first"), (2, "second")):
        walk = Walk(my_flow, store, f"the {which} expiry: 403, then 200, then 200")
        walk.expect("call", access=f"access-{number}")
        walk.answer(EXPIRED)
        walk.expect("refresh")
        walk.answer(MadeUpResponse(200, {"accessToken": f"access-{number + 1}"}))
        walk.expect("retry", access=f"access-{number + 1}")
        walk.holds(f"access-{number + 1}")
        walk.ends_with(WELCOME)

    walk = Walk(my_flow, made_up_store(), "403, then 200, and the retry is answered with 403")
    walk.answer(EXPIRED)
    walk.answer(FRESH)
    walk.ends_with(EXPIRED)
    walk.holds("access-2")

    walk = Walk(my_flow, store, "403, and the refresh is answered with 403")
    walk.answer(EXPIRED)
    walk.raises_login_required(EXPIRED)
    walk.holds(None)

    walk = Walk(my_flow, store, "no pair in the store, and 403")
    walk.expect("call")
    walk.ends_with(EXPIRED)


@dataclass(frozen=True)
class LearnersAuth:
    """A flow written as a function, in the form that `AuthClient` takes."""

    flow: Any
    store: TokenStore

    def auth_flow(self, request: Request) -> Any:
        """The learner's generator for a request."""
        return self.flow(request, self.store)


def session_of(auth: Callable[[TokenStore], Auth]) -> list[str]:
    """The trace of a client on a server: a call in time, two expiries, and the end.

    What the client concludes by itself is left out: it does so only for messages that name
    their pair (`signed_with`, `replaces`), and a learner's need not.
    """
    concluded = ("token.expired", "token.refreshed", "session.ended")
    trace: list[str] = []
    with trial(auth) as lab:
        for seconds in (0, 61, 61, 301):
            lab.clock.advance(seconds)
            begin = len(lab.log)
            try:
                lab.client.home()
                end = "the caller got an answer"
            except LoginRequired:
                end = "the caller got LoginRequired"
            except ClientError as error:
                end = f"the caller got {type(error).__name__}"
            events = list(lab.log)[begin:]
            trace += [_fact(event) for event in events if event.name not in concluded]
            trace.append(end)
    return trace


def _fact(event: Event) -> str:
    """An event by what is the same for any right flow."""
    names = ("status", "method", "path", "purpose", "reason")
    words = [str(event.fields[name]) for name in names if name in event.fields]
    return " ".join([event.source, event.name, *words])

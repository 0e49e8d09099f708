"""The judges of lesson 06.

`spend` runs against a rival that comes between any two of its steps, and in many threads;
`what_follows` is compared with a real server; a grace period is tried on real sessions.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from demo_server import open_database
from demo_server.storage.database import guard_of

from ..concurrency import together
from ..exercise import Wrong
from ..judging.answers import check_function, check_number, plain
from ..judging.ending import Abandoned, short_switches
from ..lab import trial
from .theft import try_grace
from .torn import GuardedCollection

#: The facts of exercise 3, in seconds: when the app tries again, and when the thief comes.
RETRY_AFTER, THIEF_AFTER = 4, 20

#: Threads that spend one token at once, and how often: a check-then-write lets two of them succeed
#: in most rounds.
THREADS, ROUNDS = 8, 10


# Exercise 1: spend


#: The operations of a collection that only read.
READS = (
    "aggregate",
    "count_documents",
    "distinct",
    "estimated_document_count",
    "find",
    "find_one",
)


class RivalCollection(GuardedCollection):
    """A collection in which another process spends the token after each read of the caller's.

    Attributes:
        rival_won (bool): did the other process spend the token?
    """

    RIVAL_AT = 500.0
    rival_won = False

    def __getattr__(self, name: str) -> Any:
        operation = super().__getattr__(name)
        if name not in READS:
            return operation

        def look(*args: Any, **options: Any) -> Any:
            seen = operation(*args, **options)
            if name in ("find", "aggregate"):
                seen = iter(list(seen))  # a cursor would look later
            with self._guard:
                spent = self._collection.update_many(
                    {"spent_at": None}, {"$set": {"spent_at": self.RIVAL_AT}}
                )
            self.rival_won |= spent.modified_count > 0
            return seen

        return look


def judge_spend(spend: Any) -> str:
    """Exactly one caller spends a token, however many come.

    Raises:
        Wrong: the learner's function did something else.
    """
    check_function("spend", spend, "collection, jti, now")
    _try_one_caller(spend)
    _try_a_rival(spend)
    with short_switches():
        for _ in range(ROUNDS):
            _try_threads(spend)
    return (
        f"{ROUNDS} times {THREADS} callers came for one token, and each time exactly one spent it."
    )


def _new_collection(kind: type[GuardedCollection] = GuardedCollection) -> tuple[Any, Any]:
    """A collection with one unspent token: as the caller sees it, and the real one."""
    database = open_database()
    collection = database["refresh_tokens"]
    collection.insert_one({"_id": "t1", "family": "f1", "spent_at": None})
    return kind(collection, guard_of(database)), collection


def _spent_at(collection: Any) -> Any:
    documents = list(collection.find({}))
    if not documents:
        raise Wrong(
            "The document is gone. Keep a spent token, or its second use looks like that of a "
            "token that was never issued."
        )
    if len(documents) > 1:
        raise Wrong(f"There was one document, and now there are {len(documents)}.")
    return documents[0]["spent_at"]


def _try_one_caller(spend: Any) -> None:
    ours, real = _new_collection()
    if not spend(ours, "t1", 100.0):
        raise Wrong("An unspent token came, from one caller only, and spend did not return True.")
    if _spent_at(real) != 100.0:
        raise Wrong(f"Spent at 100 s, but the document says spent_at={_spent_at(real)!r}.")
    if spend(ours, "t1", 107.0):
        raise Wrong("A spent token came again, and spend returned True.")
    if _spent_at(real) != 100.0:
        raise Wrong(
            f"The token was spent at 100 s and came again at 107 s, and now its spent_at is "
            f"{_spent_at(real)!r}. A grace period counts from the first use: a second use must "
            f"not move it."
        )
    if spend(ours, "t2", 108.0):
        raise Wrong("A token that was never issued came, and spend returned True.")
    _spent_at(real)
    ours, real = _new_collection()
    spend(ours, "t1", 0.0)
    if spend(ours, "t1", 7.0) or _spent_at(real) != 0.0:
        raise Wrong(
            "A token was spent at 0 s, when a clock may begin, and it could be spent again at 7 s. "
            "Which value of spent_at says that a token is unspent?"
        )


def _try_a_rival(spend: Any) -> None:
    ours, real = _new_collection(RivalCollection)
    won, at = bool(spend(ours, "t1", 100.0)), _spent_at(real)
    if won and at == RivalCollection.RIVAL_AT:
        raise Wrong("Another process spent the token, and spend still returned True.")
    if won and ours.rival_won:
        raise Wrong(
            "There are two winners. Your code read the token and found it unspent; then another "
            "process spent it; then your code wrote. A lock in your process does not stop the "
            "other one: read and write in one atomic operation."
        )
    if not won and at == 100.0:
        raise Wrong("Your code spent the token, but spend did not return True.")


def _try_threads(spend: Any) -> None:
    ours, real = _new_collection()
    times = [100.0 + n for n in range(THREADS)]
    outcomes = together(*(partial(spend, ours, "t1", at) for at in times))
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
        if isinstance(outcome, Abandoned):
            raise Wrong(
                f"{THREADS} threads came for one token, and one of them never came back. What does "
                "it wait for?"
            )
    winners = [at for at, outcome in zip(times, outcomes, strict=True) if outcome]
    if len(winners) != 1:
        raise Wrong(f"{THREADS} threads came for one token, and {len(winners)} of them spent it.")
    if _spent_at(real) != winners[0]:
        raise Wrong("One thread spent the token, but the document has another thread's time.")


# Exercise 2: what follows

_STEPS = {"token.spent": "spend", "token.repeated": "repeat", "reuse.detected": "revoke"}

#: Grace, and seconds since the token was spent (None: it was not).
CASES = ((0, None), (0, 0), (0, 3), (5, None), (5, 0), (5, 4), (5, 5), (30, 29), (30, 31))


def what_the_server_does(grace: int, lag: int | None) -> str:
    """What a real server does with a refresh token that was spent `lag` seconds ago."""
    with trial(policy="rfc", refresh_grace=grace, transport="in-process") as lab:
        if lag is not None:
            lab.client.probe(lab.pair.refresh, "refresh")
            lab.clock.advance(lag)
        lab.client.probe(lab.pair.refresh, "refresh")
    return [_STEPS[event.name] for event in lab.log if event.name in _STEPS][-1]


def judge_what_follows(what_follows: Any) -> str:
    """The learner's rule is the server's.

    Raises:
        Wrong: it decides otherwise in one of the cases.
    """
    check_function("what_follows", what_follows, "spent_at, now, grace")
    for grace, lag in CASES:
        does = what_the_server_does(grace, lag)
        # A clock may begin at 0, and a token be spent then: 0 is a time, and None is none.
        for now in (1_000.0, float(lag or 0)):
            spent_at = None if lag is None else now - lag
            said = plain(what_follows(spent_at, now, grace))
            if said != does:
                spent = "is unspent" if lag is None else f"was spent {lag} s ago, at {spent_at:g} s"
                raise Wrong(
                    f"The token {spent}, and the grace is {grace} s: the server says {does!r}, "
                    f"you said {said!r}."
                )
    return f"In all {len(CASES)} cases a real server did what you said."


# Exercise 3: a grace


def judge_grace(grace: Any) -> str:
    """The owner's session survives, and the thief is detected at once.

    Raises:
        Wrong: not both of it.
    """
    check_number("`grace`", grace)
    grace = plain(grace)
    if not isinstance(grace, int) or grace < 0:
        raise Wrong("`grace` must be a whole number of seconds, 0 or more.")
    tried = try_grace(grace, retry_after=RETRY_AFTER, thief_after=THIEF_AFTER)
    if not tried.survived:
        raise Wrong(
            f"With {grace} s the app that tried again after {RETRY_AFTER} s lost its session."
        )
    if tried.detected_at != 1:
        raise Wrong(
            f"With {grace} s the thief, who came {THIEF_AFTER} s after the owner, got tokens."
        )
    return (
        f"With {grace} s the owner survives the lost response, and the thief is detected at once. "
        f"Any grace from {RETRY_AFTER + 1} to {THIEF_AFTER} s is right; the shortest leaves a "
        "thief the least time."
    )

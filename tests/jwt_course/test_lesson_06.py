"""Lesson 06: what the judges take and refuse, the thief, the lost answer, the grace period."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from jwt_course import Wrong
from jwt_course.lesson_06.grace_picture import grace_picture
from jwt_course.lesson_06.grace_view import GraceView
from jwt_course.lesson_06.judges import judge_grace, judge_spend, judge_what_follows
from jwt_course.lesson_06.theft import (
    GraceTrial,
    decides,
    grace_table,
    lose_next_refresh,
    steal,
    together,
    try_grace,
)

from client_widget import AuthClient, EventLog, LoginRequired, ServerUnreachable
from demo_server import DemoClock, DemoServer, ServerConfig

from ..client_widget.log.pictures.reading import texts, texts_in
from ..conftest import PASSWORD, names
from .learner import AnyText, cell

SPENT_BY_OWNER = [
    ("owner", "request.sent"),
    ("server", "token.spent"),
    ("owner", "token.refreshed"),
]


@pytest.fixture
def config() -> ServerConfig:
    return ServerConfig(policy="rfc", bcrypt_cost=4)


@pytest.fixture
def owner(server: DemoServer, log: EventLog, clock: DemoClock) -> AuthClient:
    client = AuthClient(server.url, log=log, clock=clock, name="owner")
    client.register("ada", PASSWORD)
    client.login("ada", PASSWORD)
    return client


def decisive(log: EventLog) -> list[tuple[str, str]]:
    return names(event for event in log if decides(event))


class TestTheft:
    def test_the_second_caller_ends_the_session_of_both(
        self, owner: AuthClient, clock: DemoClock, log: EventLog
    ) -> None:
        thief = steal(owner)
        clock.advance(61)
        owner.home()
        with pytest.raises(LoginRequired):
            thief.home()
        with pytest.raises(LoginRequired):
            owner.home()
        assert decisive(log) == [
            *SPENT_BY_OWNER,
            ("thief", "request.sent"),
            ("server", "reuse.detected"),
            ("server", "family.revoked"),
            ("thief", "session.ended"),
            ("owner", "request.sent"),
            ("owner", "session.ended"),
        ]

    def test_a_fresh_access_token_of_the_thief_is_refused_at_once(
        self, owner: AuthClient, clock: DemoClock
    ) -> None:
        thief = steal(owner)
        clock.advance(61)
        thief.home()
        fresh: Any = thief.store.get()
        assert owner.probe(fresh.access).status_code == 200
        with pytest.raises(LoginRequired):
            owner.home()
        assert owner.probe(fresh.access).status_code == 401

    def test_without_a_session_there_is_nothing_to_steal(self, owner: AuthClient) -> None:
        owner.logout()
        with pytest.raises(LoginRequired):
            steal(owner)


class TestALostAnswer:
    def test_one_refresh_reaches_the_server_and_is_not_answered(
        self, owner: AuthClient, clock: DemoClock, log: EventLog
    ) -> None:
        lose_next_refresh(owner)
        owner.home()  # nothing to refresh, so nothing is lost
        clock.advance(61)
        before = owner.store.get()
        with pytest.raises(ServerUnreachable):
            owner.home()
        assert owner.store.get() is before
        with pytest.raises(LoginRequired):
            owner.home()
        assert decisive(log) == [
            ("network", "request.sent"),
            ("server", "token.spent"),
            ("owner", "request.sent"),
            ("server", "reuse.detected"),
            ("server", "family.revoked"),
            ("owner", "session.ended"),
        ]


class TestGrace:
    @pytest.mark.parametrize(
        ("grace", "survived", "detected_at"), [(0, False, 1), (5, True, 1), (30, True, None)]
    )
    def test_it_forgives_the_owner_and_the_thief(
        self, grace: int, survived: bool, detected_at: int | None
    ) -> None:
        assert try_grace(grace) == GraceTrial(grace, survived, detected_at)

    def test_it_is_over_at_its_last_second(self) -> None:
        assert try_grace(10, retry_after=9, thief_after=10) == GraceTrial(10, True, 1)
        assert try_grace(10, retry_after=10, thief_after=9) == GraceTrial(10, False, None)

    def test_the_table(self) -> None:
        assert grace_table([GraceTrial(0, False, 2), GraceTrial(30, True, None)]).splitlines() == [
            "grace  after a lost response  the thief",
            "  0 s  the session ends       is detected at refresh 2",
            " 30 s  the session goes on    is not detected in 5 refreshes",
        ]

    def test_the_sliders(self) -> None:
        view = GraceView()
        assert said(view, "retry", "bad") == said(view, "thief", "bad") == 1
        view.grace.value = 11
        assert said(view, "retry", "ok") == said(view, "thief", "ok") == 1
        assert "is not detected" in view.to_svg()
        view.thief_after.value = 11
        assert said(view, "thief at 11 s", "bad") == 1
        assert "is detected at refresh 1" in view.to_svg()


def said(view: GraceView, words: str, role: str) -> int:
    """How many badges of a colour begin with these words."""
    return sum(text.startswith(words) for text in texts_in(view.to_svg(), role))


def test_a_strip_for_each_grace_period() -> None:
    trials = [GraceTrial(0, False, 2), GraceTrial(30, True, None)]
    picture = grace_picture(trials)
    assert picture.words == grace_table(trials)
    assert texts(picture.svg).count("reuse: the session ends") == 2
    assert texts(picture.svg).count("the same successor again") == 1


def test_together_gives_what_each_gave_or_raised() -> None:
    both = threading.Barrier(2)
    given = together(lambda: both.wait(20) is not None, lambda: both.wait(20) / 0)
    assert given[0] is True
    assert isinstance(given[1], ZeroDivisionError)


class AnyGrace(int):
    """Is longer than anything, and shorter."""

    def __lt__(self, other: object) -> bool:
        return True

    __gt__ = __le__ = __ge__ = __lt__


BORROWED_SPENDS = [
    (
        "from jwt_course.lesson_06 import judges\n"
        "def spend(collection, jti, now):\n"
        "    return judges.READS",
        "`spend` uses jwt_course.lesson_06.judges, which does the work of this exercise.",
    ),
    (
        "def spend(collection, jti, now):\n"
        "    from jwt_course.lesson_06 import judges\n"
        "    return judges.READS",
        "`spend` uses jwt_course.lesson_06.judges, which does the work of this exercise.",
    ),
    (
        "def spend(collection, jti, now):\n"
        "    from demo_server.auth.token_families import TokenFamilies\n"
        "    return True",
        "`spend` uses demo_server.auth.token_families, which does the work of this exercise.",
    ),
]


@pytest.mark.parametrize(("source", "words"), BORROWED_SPENDS)
def test_a_borrowed_spend_is_told_so(source: str, words: str) -> None:
    with pytest.raises(Wrong) as wrong:
        judge_spend(cell(source)["spend"])
    assert str(wrong.value).startswith(words)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("spend = True", "`spend` is a bool. It should be a function: `def spend(collection, jti,"),
        ("def spend(jti, now):\n    return True", "`spend` takes (jti, now), but it is called"),
        ("class spend: pass", "`spend` is a class. It should be a function"),
    ],
)
def test_a_spend_that_is_none_is_told_so(source: str, words: str) -> None:
    with pytest.raises(Wrong) as wrong:
        judge_spend(cell(source)["spend"])
    assert str(wrong.value).startswith(words)


def test_a_spend_that_waits_for_others_is_told_so() -> None:
    both = threading.Event()

    def spend(collection: Any, jti: str, now: float) -> Any:
        if not threading.current_thread().name.startswith("caller"):
            return by_update(collection, jti, now)
        return both.wait()

    with pytest.raises(Wrong, match="one of them never came back"):
        judge_spend(spend)


# Exercise 1


def by_update(collection: Any, jti: str, now: float) -> Any:
    change = {"$set": {"spent_at": now}}
    return collection.update_one({"_id": jti, "spent_at": None}, change).modified_count == 1


def by_find_and_update(collection: Any, jti: str, now: float) -> Any:
    change = {"$set": {"spent_at": now}}
    return collection.find_one_and_update({"_id": jti, "spent_at": None}, change) is not None


def looks_first_but_writes_with_the_condition(collection: Any, jti: str, now: float) -> Any:
    tokens = list(collection.find({"_id": jti}))
    return bool(tokens) and by_update(collection, jti, now)


def by_update_many(collection: Any, jti: str, now: float) -> bool:
    query, change = {"_id": jti, "spent_at": {"$eq": None}}, {"$set": {"spent_at": now}}
    return bool(collection.update_many(query, change).matched_count)


@pytest.mark.parametrize(
    "spend",
    [by_update_many, by_update, by_find_and_update, looks_first_but_writes_with_the_condition],
)
def test_spend_is_taken(spend: Any) -> None:
    assert judge_spend(spend) == (
        "10 times 8 callers came for one token, and each time exactly one spent it."
    )


def look_then_write(collection: Any, jti: str, now: float) -> bool:
    token = collection.find_one({"_id": jti})
    if token is None or token["spent_at"] is not None:
        return False
    collection.update_one({"_id": jti}, {"$set": {"spent_at": now}})
    return True


def count_then_write(collection: Any, jti: str, now: float) -> bool:
    if not collection.count_documents({"_id": jti, "spent_at": None}):
        return False
    collection.update_one({"_id": jti}, {"$set": {"spent_at": now}})
    return True


def find_then_write(collection: Any, jti: str, now: float) -> bool:
    if not list(collection.find({"_id": jti, "spent_at": None})):
        return False
    collection.update_one({"_id": jti}, {"$set": {"spent_at": now}})
    return True


def aggregate_then_write(collection: Any, jti: str, now: float) -> bool:
    if not list(collection.aggregate([{"$match": {"_id": jti, "spent_at": None}}])):
        return False
    collection.update_one({"_id": jti}, {"$set": {"spent_at": now}})
    return True


def zero_is_unspent(collection: Any, jti: str, now: float) -> bool:
    query = {"_id": jti, "spent_at": {"$in": [None, 0]}}
    return bool(collection.update_one(query, {"$set": {"spent_at": now}}).modified_count)


_lock = threading.Lock()


def behind_a_lock(collection: Any, jti: str, now: float) -> bool:
    with _lock:
        return look_then_write(collection, jti, now)


def believes_its_look(collection: Any, jti: str, now: float) -> bool:
    token = collection.find_one({"_id": jti, "spent_at": None})
    by_update(collection, jti, now)
    return token is not None


def without_the_condition(collection: Any, jti: str, now: float) -> bool:
    change = {"$set": {"spent_at": now}}
    old = collection.find_one_and_update({"_id": jti}, change)
    return old is not None and old["spent_at"] is None


def by_delete(collection: Any, jti: str, now: float) -> bool:
    return bool(collection.delete_one({"_id": jti}).deleted_count)


def by_upsert(collection: Any, jti: str, now: float) -> bool:
    change = {"$set": {"spent_at": now}}
    if collection.find_one({"_id": jti, "spent_at": {"$ne": None}}):
        return False
    done = collection.update_one({"_id": jti, "spent_at": None}, change, upsert=True)
    return bool(done.modified_count)


WRONG_SPENDS = {
    look_then_write: "There are two winners",
    count_then_write: "There are two winners",
    find_then_write: "There are two winners",
    aggregate_then_write: "There are two winners",
    zero_is_unspent: "Which value of spent_at says that a token is unspent?",
    behind_a_lock: "A lock in your process does not stop the other one",
    believes_its_look: "Another process spent the token, and spend still returned True",
    without_the_condition: "came again at 107 s, and now its spent_at is 107.0",
    by_delete: "The document is gone",
    by_upsert: "There was one document, and now there are 2",
    lambda *_: True: "but the document says spent_at=None",
    lambda *_: False: "spend did not return True",
    lambda *given: by_update(*given) or True: "A spent token came again",
    lambda *given: by_update(*given) and None: "spend did not return True",
}


@pytest.mark.parametrize("spend", WRONG_SPENDS)
def test_spend_is_refused(spend: Any) -> None:
    with pytest.raises(Wrong) as wrong:
        judge_spend(spend)
    assert WRONG_SPENDS[spend] in str(wrong.value)


def test_threads_find_two_winners_where_the_rival_finds_none() -> None:
    """A condition in the learner's process only, with no look at the database."""
    seen: set[tuple[int, str]] = set()
    everybody = threading.Barrier(8)

    def spend(collection: Any, jti: str, now: float) -> bool:
        key = (id(collection), jti)
        if threading.current_thread() is threading.main_thread():
            return bool(by_update(collection, jti, now))
        new = key not in seen
        everybody.wait(timeout=20)
        seen.add(key)
        by_update(collection, jti, now)
        return new

    with pytest.raises(Wrong, match="8 threads came for one token, and 8 of them spent it"):
        judge_spend(spend)


# Exercise 2


def the_rule(spent_at: float | None, now: float, grace: float) -> str:
    if spent_at is None:
        return "spend"
    return "repeat" if now < spent_at + grace else "revoke"


def by_case(spent_at: float | None, now: float, grace: float) -> str:
    match spent_at:
        case None:
            return "spend"
        case _ if grace and spent_at > now - grace:
            return "repeat"
    return "revoke"


def by_table(spent_at: float | None, now: float, grace: float) -> str:
    return {True: "spend"}.get(spent_at is None) or ("revoke", "repeat")[now - spent_at < grace]  # type: ignore[operator]


@pytest.mark.parametrize("rule", [the_rule, by_case, by_table])
def test_the_rule_is_taken(rule: Any) -> None:
    assert judge_what_follows(rule) == "In all 9 cases a real server did what you said."


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (
            lambda spent_at, now, grace: (
                "spend" if spent_at is None else "repeat" if now - spent_at <= grace else "revoke"
            ),
            "spent 0 s ago, at 1000 s, and the grace is 0 s: the server says 'revoke', ",
        ),
        (
            lambda spent_at, now, grace: "spend" if spent_at is None else "revoke",
            "spent 0 s ago, at 1000 s, and the grace is 5 s: the server says 'repeat', ",
        ),
        (
            lambda spent_at, now, grace: "spend" if spent_at is None else "repeat",
            "spent 0 s ago, at 1000 s, and the grace is 0 s: the server says 'revoke', ",
        ),
        (
            lambda spent_at, now, grace: the_rule(spent_at or None, now, grace),
            "spent 0 s ago, at 0 s, and the grace is 0 s: the server says 'revoke'",
        ),
        (lambda spent_at, now: "spend", "`what_follows` takes (spent_at, now), but it is called"),
        (None, "`what_follows` is None. It should be a function: `def what_follows(spent_at,"),
        (lambda *_: None, "The token is unspent, and the grace is 0 s: the server says 'spend'"),
        ("spend", "`what_follows` is a str. It should be a function"),
    ],
)
def test_another_rule_is_refused(rule: Any, words: str) -> None:
    with pytest.raises(Wrong) as wrong:
        judge_what_follows(rule)
    assert words in str(wrong.value)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (lambda *_: AnyText("x"), "the grace is 0 s: the server says 'spend', you said 'x'"),
        (
            cell(
                "from jwt_course.lesson_06.judges import what_the_server_does\n"
                "def what_follows(spent_at, now, grace):\n"
                "    return what_the_server_does(grace, now - (spent_at or now))"
            )["what_follows"],
            "`what_follows` uses what_the_server_does of jwt_course.lesson_06.judges",
        ),
    ],
)
def test_a_rule_that_is_a_trick_is_seen(rule: Any, words: str) -> None:
    with pytest.raises(Wrong) as wrong:
        judge_what_follows(rule)
    assert words in str(wrong.value)


# Exercise 3


@pytest.mark.parametrize("grace", [5, 12, 20])
def test_a_grace_between_the_two_is_taken(grace: int) -> None:
    assert judge_grace(grace).startswith(f"With {grace} s the owner survives")


@pytest.mark.parametrize(
    ("grace", "words"),
    [
        (0, "With 0 s the app that tried again after 4 s lost its session"),
        (4, "With 4 s the app that tried again after 4 s lost its session"),
        (21, "With 21 s the thief, who came 20 s after the owner, got tokens"),
        ("5", "`grace` is the text '5'. Numbers stand without quotes."),
        (None, "`grace` is None instead of a number."),
        (True, "`grace` is a value of type bool instead of a number."),
        (5.5, "whole number"),
        (-1, "whole number"),
    ],
)
def test_another_grace_is_refused(grace: Any, words: str) -> None:
    with pytest.raises(Wrong) as wrong:
        judge_grace(grace)
    assert words in str(wrong.value)


@pytest.mark.parametrize(
    ("grace", "words"),
    [
        (AnyGrace(0), "With 0 s the app that tried again after 4 s lost its session"),
        (AnyGrace(30), "With 30 s the thief, who came 20 s after the owner, got tokens"),
    ],
)
def test_a_grace_that_claims_to_fit_is_seen(grace: Any, words: str) -> None:
    with pytest.raises(Wrong, match=words):
        judge_grace(grace)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert [t.name for t in threading.enumerate() if t.name.startswith("ThreadPool")] == []

"""Families and back-off, in a database in this process and in one over the wire."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from demo_server import DemoClock, Refusal, ServerConfig
from demo_server.auth_service import AuthService
from demo_server.database import CLEANUP_MARGIN
from demo_server.emit import ignore
from demo_server.login_backoff import FORGOTTEN_AFTER, LONGEST_WAIT, LoginThrottle
from demo_server.token_families import FamilyRepository, Spent

from ..conftest import PASSWORD, START, in_threads

LIFETIME = 300


@pytest.fixture
def families(database: Any) -> FamilyRepository:
    return FamilyRepository(database, LIFETIME)


def test_a_token_is_spent_once_and_tells_its_successor(families: FamilyRepository) -> None:
    _, first = families.start("ada", START)
    spent = families.spend(first, START + 1)
    assert spent is not None
    assert spent == Spent(spent.successor, START + 1, by_us=True)
    assert families.spend(first, START + 2) == Spent(spent.successor, START + 1, by_us=False)
    second = families.spend(spent.successor, START + 3)
    assert second is not None
    assert second.by_us
    assert families.spend("of nobody", START) is None


def test_a_family_is_revoked_once(families: FamilyRepository) -> None:
    family, _ = families.start("ada", START)
    other, _ = families.start("ada", START)
    assert families.ends_at(family) == START + 28_800
    assert families.revoke(family, "logged_out")
    assert not families.revoke(family, "reuse_detected")
    assert families.ends_at(family) is None
    assert families.ends_at(other) is not None
    assert families.ends_at("of nobody") is None


GRACE = 5


def test_the_last_predecessor_returns_its_successor_within_the_grace(
    families: FamilyRepository,
) -> None:
    _, first = families.start("ada", START)
    spent: Any = families.spend(first, START + 1, GRACE)
    assert (spent.by_us, spent.repeated) == (True, False)
    for later in (1, GRACE):
        again = families.spend(first, START + later, GRACE)
        assert again == Spent(spent.successor, START + 1, by_us=False, repeated=True)
    for later, grace in ((GRACE + 1, GRACE), (1, 0), (-100, 0)):
        assert families.spend(first, START + later, grace) == Spent(
            spent.successor, START + 1, by_us=False
        )


def test_an_older_token_returns_nothing_within_the_grace(families: FamilyRepository) -> None:
    """At one instant, so that each of them was spent just now."""
    _, jti = families.start("ada", START)
    spent = [jti]
    for _ in range(4):
        outcome: Any = families.spend(spent[-1], START, GRACE)
        spent.append(outcome.successor)
    *older, last, _ = spent
    seen: list[Any] = [families.spend(each, START, GRACE) for each in (*older, last)]
    assert [outcome.repeated for outcome in seen] == [False, False, False, True]


def test_a_process_that_died_between_its_two_writes_ends_no_session(
    database: Any, families: FamilyRepository
) -> None:
    _, first = families.start("ada", START)
    spent: Any = families.spend(first, START, GRACE)
    database["refresh_tokens"].delete_one({"_id": spent.successor})
    again: Any = families.spend(first, START, GRACE)
    assert (again.repeated, again.successor) == (True, spent.successor)
    following: Any = families.spend(spent.successor, START, GRACE)
    assert following.by_us


def test_once_the_successor_is_spent_nobody_else_gets_it(
    families: FamilyRepository, rounds: int, short_switches: None
) -> None:
    """Of 16 threads half repeat the parent while the others spend its successor."""
    for _ in range(rounds // 5):
        _, parent = families.start("ada", START)
        successor: str = families.spend(parent, START, GRACE).successor  # type: ignore[union-attr]
        successor_spent = threading.Event()
        turns = itertools.count()

        def act(
            parent: str = parent,
            successor: str = successor,
            done: threading.Event = successor_spent,
            turns: Iterator[int] = turns,
        ) -> str:
            if next(turns) % 2:
                outcome: Any = families.spend(successor, START, GRACE)
                done.set()
                return "spent" if outcome.by_us else "successor again"
            late = done.is_set()
            outcome = families.spend(parent, START, GRACE)
            return "too late" if late and outcome.repeated else "ok"

        seen = Counter(in_threads(16, act))
        assert seen["spent"] == 1
        assert seen["successor again"] == 7
        assert seen["ok"] == 8
        late: Any = families.spend(parent, START, GRACE)
        assert not late.repeated


class SpentMeanwhile:
    """A collection in which another process spends the successor after each read."""

    def __init__(self, collection: Any) -> None:
        self._collection = collection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)

    def find_one(self, query: Any) -> Any:
        token = self._collection.find_one(query)
        successor = token.get("successor")
        self._collection.find_one_and_update(
            {"_id": successor, "spent_at": None}, {"$set": {"spent_at": START, "successor": "x"}}
        )
        return token


def test_what_happens_between_read_and_decision_counts(
    families: FamilyRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, first = families.start("ada", START)
    families.spend(first, START, GRACE)
    monkeypatch.setattr(families, "_tokens", SpentMeanwhile(families._tokens))
    again: Any = families.spend(first, START, GRACE)
    assert not again.repeated


def test_of_32_threads_that_spend_one_token_one_does(
    families: FamilyRepository, rounds: int, short_switches: None
) -> None:
    for _ in range(rounds // 5):  # mongomock looks through all tokens, so more cost ever more
        _, jti = families.start("ada", START)
        outcome = in_threads(32, lambda j=jti: families.spend(j, START))
        assert Counter(spent.by_us for spent in outcome) == {True: 1, False: 31}
        assert len({spent.successor for spent in outcome}) == 1


def test_of_32_refreshes_with_one_token_one_gets_tokens(
    database: Any, rounds: int, clock: DemoClock
) -> None:
    config = ServerConfig(bcrypt_cost=4, policy="rfc")
    service = AuthService(config, database=database, clock=clock, emit=ignore)
    service.register("ada", PASSWORD)
    for _ in range(rounds // 5):
        token = service.login("ada", PASSWORD).refresh
        outcome = in_threads(32, lambda t=token: service.refresh(t))
        refused = [each for each in outcome if isinstance(each, Refusal)]
        assert len(refused) == 31
        assert {each.code for each in refused} <= {"token_spent", "token_revoked"}


def test_failures_cost_a_wait_until_one_succeeds(database: Any) -> None:
    throttle = LoginThrottle(database)
    assert [throttle.admit("ada", START) for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    assert throttle.admit("bob", START) == 0
    assert [throttle.admit("ada", START + 1) for _ in range(2)] == [0, 2]
    throttle.forget("ada")
    assert throttle.admit("ada", START + 1) == 0


def test_of_32_attempts_at_one_instant_five_are_free(
    database: Any, rounds: int, short_switches: None
) -> None:
    throttle = LoginThrottle(database)
    for round_ in range(rounds // 10):
        outcome = in_threads(32, lambda n=f"user{round_}": throttle.admit(n, START))
        assert Counter(outcome) == {0: 5, 1: 27}


def test_documents_are_kept_a_day_longer_than_they_matter(
    database: Any, families: FamilyRepository
) -> None:
    """By the wall clock: what the lesson's clock says does not matter to the cleanup."""
    families.start("ada", START)
    LoginThrottle(database).admit("ada", START)
    for collection, seconds in [
        ("families", 28_800),
        ("refresh_tokens", LIFETIME),
        ("login_attempts", LONGEST_WAIT + FORGOTTEN_AFTER),
    ]:
        [document] = database[collection].find()
        kept = document["expires_at"].replace(tzinfo=UTC) - datetime.now(UTC)
        planned = timedelta(seconds=seconds + CLEANUP_MARGIN)
        assert planned - timedelta(minutes=2) < kept <= planned


def test_mongodb_deletes_what_has_expired_and_mongomock_has_no_such_work(
    database: Any, families: FamilyRepository
) -> None:
    LoginThrottle(database)
    remote = "pymongo" in type(database).__module__
    for collection in ("families", "refresh_tokens", "login_attempts"):
        indexes = database[collection].index_information().values()
        lives = [index["expireAfterSeconds"] for index in indexes if "expireAfterSeconds" in index]
        assert lives == ([0] if remote else [])

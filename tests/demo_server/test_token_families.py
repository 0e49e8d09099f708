"""Families and back-off, in a database in this process and in one over the wire."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from demo_server import DemoClock, Refusal, ServerConfig
from demo_server.auth_service import AuthService
from demo_server.database import CLEANUP_MARGIN
from demo_server.emit import ignore
from demo_server.login_backoff import FORGOTTEN_AFTER, LONGEST_WAIT, LoginThrottle
from demo_server.token_families import FamilyRepository, Spent

from ..conftest import START, in_threads

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
    assert families.is_live(family)
    assert families.revoke(family, "logged_out")
    assert not families.revoke(family, "reuse_detected")
    assert not families.is_live(family)
    assert families.is_live(other)
    assert not families.is_live("of nobody")


def test_of_32_threads_that_spend_one_token_one_does(
    families: FamilyRepository, rounds: int, short_switches: None
) -> None:
    for _ in range(rounds // 5):  # mongomock looks through all tokens, so more cost ever more
        _, jti = families.start("ada", START)
        outcome = in_threads(32, lambda j=jti: families.spend(j, START))
        assert Counter(spent.by_us for spent in outcome) == {True: 1, False: 31}
        assert len({spent.successor for spent in outcome}) == 1


def test_of_32_refreshes_with_one_token_one_gets_tokens(
    database: Any, rounds: int, clock: DemoClock, short_switches: None
) -> None:
    """Although the reuse by the others ends the family meanwhile."""
    config = ServerConfig(bcrypt_cost=4, policy="rfc")
    service = AuthService(config, database=database, clock=clock, emit=ignore)
    service.register("ada", "x")
    for _ in range(rounds // 5):
        token = service.login("ada", "x").refresh
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
        ("families", LIFETIME),
        ("refresh_tokens", LIFETIME),
        ("login_attempts", LONGEST_WAIT + FORGOTTEN_AFTER),
    ]:
        [document] = database[collection].find()
        kept = document["expires_at"].replace(tzinfo=UTC) - datetime.now(UTC)
        planned = timedelta(seconds=seconds + CLEANUP_MARGIN)
        assert planned - timedelta(minutes=2) < kept <= planned


def test_a_refresh_keeps_the_family_as_long_as_its_last_token(
    database: Any, families: FamilyRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    family, jti = families.start("ada", START)
    before = str(database["families"].find_one({"_id": family})["expires_at"])
    monkeypatch.setattr("demo_server.database.CLEANUP_MARGIN", CLEANUP_MARGIN + 60)  # later
    families.spend(jti, START)
    assert str(database["families"].find_one({"_id": family})["expires_at"]) > before


def test_mongodb_deletes_what_has_expired_and_mongomock_has_no_such_work(
    database: Any, families: FamilyRepository
) -> None:
    LoginThrottle(database)
    remote = "pymongo" in type(database).__module__
    for collection in ("families", "refresh_tokens", "login_attempts"):
        indexes = database[collection].index_information().values()
        lives = [index["expireAfterSeconds"] for index in indexes if "expireAfterSeconds" in index]
        assert lives == ([0] if remote else [])

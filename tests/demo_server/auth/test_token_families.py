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
from demo_server.auth.auth_service import AuthService, Grant
from demo_server.auth.login_backoff import (
    FORGOTTEN_AFTER,
    LEASE,
    LONGEST_WAIT,
    Attempt,
    LoginThrottle,
)
from demo_server.auth.token_families import FamilyRepository, Spent
from demo_server.emit import ignore
from demo_server.errors import TooManyAttempts
from demo_server.storage.database import CLEANUP_MARGIN
from demo_server.storage.users import UserRepository

from ...conftest import PASSWORD, START, in_threads

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


class SpentMeanwhileDatabase:
    def __init__(self, database: Any) -> None:
        self._database = database
        self.client = database.client

    def __getitem__(self, name: str) -> Any:
        collection = self._database[name]
        return SpentMeanwhile(collection) if name == "refresh_tokens" else collection


def test_what_happens_between_read_and_decision_counts(
    database: Any, families: FamilyRepository
) -> None:
    _, first = families.start("ada", START)
    families.spend(first, START, GRACE)
    again: Any = FamilyRepository(SpentMeanwhileDatabase(database), LIFETIME).spend(
        first, START, GRACE
    )
    assert not again.repeated


def test_of_32_threads_that_spend_one_token_one_does(
    families: FamilyRepository, rounds: int, short_switches: None
) -> None:
    for _ in range(rounds // 5):
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
    service.register("ada", PASSWORD)
    for _ in range(rounds // 5):
        token = service.login("ada", PASSWORD).refresh
        outcome = in_threads(32, lambda t=token: service.refresh(t))
        refused = [each for each in outcome if isinstance(each, Refusal)]
        assert len(refused) == 31
        assert {each.code for each in refused} <= {"token_spent", "token_revoked"}


def waits(throttle: LoginThrottle, username: str, now: float, device: str = "") -> int:
    """Guess once and fail; the seconds to wait if the guess was not admitted."""
    try:
        attempt = throttle.begin(username, now, device)
    except TooManyAttempts as refusal:
        return refusal.wait
    throttle.fail(attempt, now)
    return 0


def test_failures_cost_a_wait_until_one_succeeds(database: Any) -> None:
    throttle = LoginThrottle(database)
    assert [waits(throttle, "ada", START) for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    assert waits(throttle, "bob", START) == 0
    assert [waits(throttle, "ada", START + 1) for _ in range(2)] == [0, 2]
    throttle.succeed(throttle.begin("ada", START + 3), START + 3)
    assert [waits(throttle, "ada", START + 3) for _ in range(6)] == [0, 0, 0, 0, 0, 1]


def test_a_device_has_a_counter_of_its_own(database: Any) -> None:
    throttle = LoginThrottle(database)
    for device in ("", "a" * 32, "b" * 32):
        seen = [waits(throttle, "ada", START, device) for _ in range(6)]
        assert seen == [0, 0, 0, 0, 0, 1]
    assert waits(throttle, "bob", START, "a" * 32) == 0
    # A name that contains the id of a device meets neither.
    assert waits(throttle, "a" * 32 + "ada", START) == 0
    # The success of one device does not help those who guess elsewhere.
    throttle.succeed(throttle.begin("ada", START + 1, "a" * 32), START + 1)
    assert waits(throttle, "ada", START + 1, "a" * 32) == 0
    assert [waits(throttle, "ada", START + 1) for _ in range(2)] == [0, 2]


def test_of_32_attempts_at_one_instant_20_may_be_in_flight(
    database: Any, rounds: int, short_switches: None
) -> None:
    throttle = LoginThrottle(database)
    for round_ in range(rounds // 10):
        name = f"user{round_}"
        outcome = in_threads(32, lambda n=name: throttle.begin(n, START))
        admitted = [each for each in outcome if isinstance(each, Attempt)]
        assert len({each.id for each in admitted}) == 20
        refused = [each for each in outcome if isinstance(each, TooManyAttempts)]
        assert {(each.wait, each.message) for each in refused} == {
            (1, "Too many logins at once: wait 1 s")
        }
        assert len(refused) == 12
        # None is lost when they end together, and each leaves its place.
        in_threads(20, lambda left=list(admitted): throttle.fail(left.pop(), START))
        [counter] = [c for c in database["login_attempts"].find({}) if c["failures"] == 20]
        assert counter["in_flight"] == {}
        database["login_attempts"].delete_one({"_id": counter["_id"]})


def test_once_there_are_waits_one_attempt_may_be_in_flight(database: Any) -> None:
    throttle = LoginThrottle(database)
    for _ in range(5):
        waits(throttle, "ada", START)
    attempt = throttle.begin("ada", START + 1)
    with pytest.raises(TooManyAttempts, match="Too many logins at once"):
        throttle.begin("ada", START + 1)
    throttle.succeed(attempt, START + 1)
    throttle.begin("ada", START + 1)
    throttle.begin("ada", START + 1)


def test_an_attempt_whose_process_died_gives_its_place_back(database: Any) -> None:
    throttle = LoginThrottle(database)
    for _ in range(20):
        throttle.begin("ada", START)
    assert waits(throttle, "ada", START + LEASE - 1) == 1
    assert waits(throttle, "ada", START + LEASE) == 0
    for _ in range(20):
        throttle.begin("ada", START + LEASE)
    assert waits(throttle, "ada", START - 10_000) == 0  # the clock was set back


def service_with_ada(database: Any, clock: DemoClock) -> AuthService:
    config = ServerConfig(policy="rfc", bcrypt_cost=4)
    service = AuthService(config, database=database, clock=clock, emit=ignore)
    service.register("ada", PASSWORD)
    return service


def test_20_right_logins_at_once_all_succeed(database: Any, clock: DemoClock) -> None:
    service = service_with_ada(database, clock)
    outcome = in_threads(20, lambda: service.login("ada", PASSWORD))
    assert {type(each) for each in outcome} == {Grant}


def test_of_many_guesses_at_once_few_are_checked(
    database: Any, clock: DemoClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All are held where the password is checked, so that no failure is counted in time."""
    service = service_with_ada(database, clock)
    for _ in range(4):
        with pytest.raises(Refusal):
            service.login("ada", "a guess")
    counting, checked, decided, all_decided = threading.Lock(), [0], [0], threading.Event()

    def decide() -> None:
        with counting:
            decided[0] += 1
            if decided[0] == 100:
                all_decided.set()

    def check(users: UserRepository, username: str) -> None:
        checked[0] += 1
        decide()
        assert all_decided.wait(timeout=60)
        raise Refusal("password_wrong", "")

    def guess() -> None:
        try:
            service.login("ada", "a guess")
        except TooManyAttempts:
            decide()
            raise

    monkeypatch.setattr(UserRepository, "find", check)
    outcome = in_threads(100, guess)
    codes = Counter(each.code for each in outcome)
    assert codes == {"password_wrong": 20, "too_many_attempts": 80}
    with pytest.raises(TooManyAttempts) as refused:
        service.login("ada", PASSWORD)
    assert refused.value.wait == LONGEST_WAIT


def test_documents_are_kept_a_day_longer_than_they_matter(
    database: Any, families: FamilyRepository
) -> None:
    """By the wall clock: what the lesson's clock says does not matter to the cleanup."""
    families.start("ada", START)
    LoginThrottle(database).begin("ada", START)
    for collection, seconds in [
        ("families", 28_800),
        ("refresh_tokens", LIFETIME),
        ("login_attempts", LONGEST_WAIT + FORGOTTEN_AFTER),
    ]:
        [document] = database[collection].find()
        kept = document["expires_at"].replace(tzinfo=UTC) - datetime.now(UTC)
        planned = timedelta(seconds=seconds + CLEANUP_MARGIN)
        assert planned - timedelta(minutes=2) < kept <= planned


def test_the_database_is_asked_to_delete_what_has_expired(
    database: Any, families: FamilyRepository
) -> None:
    LoginThrottle(database)
    for collection in ("families", "refresh_tokens", "login_attempts"):
        indexes = database[collection].index_information().values()
        lives = [index["expireAfterSeconds"] for index in indexes if "expireAfterSeconds" in index]
        assert lives == [0]

"""Without the atomic update two callers spend one token; with it one does."""

from __future__ import annotations

from typing import Any

from jwt_course.lesson_06.family_tree import family_tree
from jwt_course.lesson_06.theft import race
from jwt_course.lesson_06.torn import TornDatabase

from demo_server import open_database
from demo_server.auth.token_families import FamilyRepository
from demo_server.storage.database import in_this_process

from ..conftest import in_threads


def test_of_two_callers_one_wins() -> None:
    database = open_database()
    family, seen = race(database)
    assert seen == ["family.revoked", "reuse.detected", "token.spent"]
    states = [node.state for node in family_tree(database, family)]
    assert states == ["spent, revoked", "unspent, revoked"]


def test_of_two_callers_both_win_when_look_and_write_are_two_steps() -> None:
    database = open_database()
    family, seen = race(TornDatabase(database))
    assert seen == ["token.spent", "token.spent"]
    nodes = family_tree(database, family)
    assert [(node.name, node.parent, node.state) for node in nodes] == [
        ("token 1", None, "spent"),
        ("token 2", "token 1", "unspent"),
        ("token 3", "token 1", "unspent"),
    ]


def test_only_the_first_two_wait_for_each_other() -> None:
    families = FamilyRepository(TornDatabase(open_database(), patience=20))
    _, jti = families.start("ada", 100)
    spent = in_threads(2, lambda: families.spend(jti, 161))
    assert [outcome.by_us for outcome in spent] == [True, True]
    for outcome in spent:  # each alone, on its own branch
        following: Any = families.spend(outcome.successor, 222)
        assert following.by_us


def test_a_caller_alone_goes_on() -> None:
    families = FamilyRepository(TornDatabase(open_database(), patience=0.01))
    _, jti = families.start("ada", 100)
    first, second = families.spend(jti, 161), families.spend(jti, 162)
    assert first is not None
    assert second is not None
    assert (first.by_us, second.by_us, second.at) == (True, False, 161)


def test_the_server_still_knows_that_the_database_is_in_this_process() -> None:
    """Otherwise it stores as many events as in a database that several processes share."""
    assert in_this_process(TornDatabase(open_database()))

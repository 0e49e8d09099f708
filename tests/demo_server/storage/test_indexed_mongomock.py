"""mongomock with indexes behaves as mongomock without them, and forgets what has expired."""

from __future__ import annotations

import copy
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import mongomock
import pytest
from bson.codec_options import CodecOptions
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pymongo import ReadPreference

from demo_server import open_database
from demo_server.auth.login_backoff import LoginThrottle
from demo_server.auth.token_families import FamilyRepository
from demo_server.storage.indexed_mongomock import CHECKED

# Few fields and few values, so that documents collide; and some values of every kind that compares
# differently.
FIELDS = ("_id", "name", "seq", "free")
COMMON = st.sampled_from(["a", "b", 1, None])
RARE = st.one_of(
    st.sampled_from([0, 1.0, True, b"a", float("nan")]),
    st.lists(COMMON, max_size=2),
    st.dictionaries(st.sampled_from(["a", "$b"]), COMMON, max_size=1),
    st.just(datetime(2030, 1, 1, microsecond=1_234, tzinfo=UTC)),
)
VALUES = st.one_of(COMMON, COMMON, COMMON, RARE)
DOCUMENTS = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4)
OPERATORS = st.sampled_from(["$gt", "$gte", "$lte", "$in", "$ne", "$exists", "$unknown"])
CONDITIONS = st.one_of(VALUES, st.dictionaries(OPERATORS, st.one_of(VALUES, st.lists(VALUES))))
QUERIES = st.one_of(
    st.builds(lambda field, value: {field: value}, st.sampled_from(FIELDS), COMMON),
    st.dictionaries(st.sampled_from((*FIELDS, "$unknown", "a.b")), CONDITIONS, max_size=3),
)
CHANGES = st.dictionaries(st.sampled_from(FIELDS[1:]), VALUES, min_size=1, max_size=2)
UPDATES = st.one_of(
    st.builds(lambda changes: {"$set": changes}, CHANGES),
    st.dictionaries(
        st.sampled_from(["$set", "$inc", "$unset", "$unknown", "plain"]),
        st.dictionaries(st.sampled_from(FIELDS), VALUES, min_size=1, max_size=2),
        max_size=2,
    ),
)


def step(operation: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(st.just(operation), st.tuples(*arguments))


STEPS = st.one_of(
    step("insert_one", DOCUMENTS),
    step("insert_many", st.lists(DOCUMENTS, max_size=4), st.booleans()),
    step("find", QUERIES),
    step("find", QUERIES, st.just({"name": 1})),
    step("sorted", QUERIES, st.sampled_from(FIELDS), st.integers(0, 2)),
    step("find_one", QUERIES),
    step("find_one_and_update", QUERIES, UPDATES),
    step("update_one", QUERIES, UPDATES),
    step("delete_one", QUERIES),
    step("delete_many", QUERIES),
    step("create_index", st.sampled_from(FIELDS), st.booleans()),
)

ALL_B = ("insert_many", ([{"_id": each, "name": "b", "free": "x"} for each in (1, 2, 3)],))
BY_NAME = ("create_index", ("name", False))
NAMES_ONCE = ("create_index", ("name", True))
BY_FREE = ("create_index", ("free", False))
ABC = ("insert_many", ([{"_id": each, "name": each, "free": "x"} for each in "abc"],))


def run(collection: Any, operation: str, arguments: tuple[Any, ...]) -> str:
    """What an operation returns or raises, as a text that can be compared."""
    try:
        if operation == "create_index":
            field, unique = arguments
            result = collection.create_index(field, unique=unique)
        elif operation == "sorted":
            query, field, limit = arguments
            result = list(collection.find(query).sort(field, -1).limit(limit))
        else:
            result = getattr(collection, operation)(*arguments)
        if operation == "find":
            result = list(result)
        result = getattr(result, "raw_result", result)
    except Exception as error:
        result = type(error), str(error), getattr(error, "details", None)
    return comparable(result)


def comparable(result: object) -> str:
    """Its text, in which all ids that mongomock has drawn, and all objects, are the same."""
    return re.sub("[0-9a-f]{24}|0x[0-9a-f]+|'connectionId': [0-9]+", "drawn", repr(result))


@example([BY_NAME, ALL_B, *(("update_one", ({"_id": n}, {"$set": {"name": "a"}})) for n in (2, 1))])
@example([ALL_B, BY_NAME])
@example([BY_NAME, ALL_B, ("update_one", ({}, {"$set": {"name": "a"}, "$inc": {"free": 1}}))])
@example([NAMES_ONCE, BY_FREE, ABC, ("update_one", ({"_id": "b"}, {"$set": {"name": "a"}}))])
@example([BY_NAME, ALL_B, ("find_one", ({"$unknown": 1, "name": "a"},))])
@example([BY_NAME, ("insert_one", ({"name": ["a"]},))])
@example([ALL_B, ("delete_one", ({"_id": 1},))])
@settings(max_examples=100, deadline=None)
@given(program=st.lists(STEPS, max_size=12))
def test_a_program_has_the_same_results_and_errors_without_indexes(program: list[Any]) -> None:
    plain: Any = mongomock.MongoClient()["lab"]["things"]
    indexed: Any = open_database()["things"]
    for operation, arguments in program:
        expected = run(plain, operation, copy.deepcopy(arguments))
        assert run(indexed, operation, copy.deepcopy(arguments)) == expected
        assert comparable(list(indexed.find({}))) == comparable(list(plain.find({})))
        for field in FIELDS:  # by each index, if there is one
            for value in ("a", "b", "x", 1):
                expected = run(plain, "find", ({field: value},))
                assert run(indexed, "find", ({field: value},)) == expected


@pytest.fixture
def utc_now(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The wall clock, as a list with one time that a test can replace."""
    now = [datetime(2030, 1, 1, tzinfo=UTC)]
    monkeypatch.setattr("demo_server.clock.utc_now", lambda: now[0])
    return now


def test_an_insert_deletes_what_has_expired_a_few_at_a_time(utc_now: list[datetime]) -> None:
    things: Any = open_database()["things"]
    things.create_index("expires_at", expireAfterSeconds=0)
    for number in range(100):
        things.insert_one({"_id": number, "expires_at": utc_now[0] + timedelta(hours=1)})
    utc_now[0] += timedelta(hours=1, milliseconds=-1)
    things.insert_one({"_id": "before"})
    assert len(list(things.find({}))) == 101
    utc_now[0] += timedelta(milliseconds=1)
    for number in range(100 // CHECKED + 1):
        before = len(list(things.find({})))
        things.insert_one({"_id": f"after {number}"})
        deleted = before + 1 - len(list(things.find({})))
        assert deleted <= CHECKED
    left = [thing["_id"] for thing in things.find({})]
    assert left == ["before", *(f"after {number}" for number in range(100 // CHECKED + 1))]


def test_a_later_expiry_keeps_a_document(utc_now: list[datetime]) -> None:
    things: Any = open_database()["things"]
    things.insert_one({"_id": "there before the index", "expires_at": utc_now[0]})
    things.create_index("expires_at", expireAfterSeconds=0)
    things.insert_one({"_id": "kept", "expires_at": utc_now[0] + timedelta(hours=1)})
    things.update_one({"_id": "kept"}, {"$set": {"expires_at": utc_now[0] + timedelta(hours=3)}})
    utc_now[0] += timedelta(hours=2)
    things.insert_one({"_id": "last"})
    assert [thing["_id"] for thing in things.find({})] == ["kept", "last"]


def test_the_expiry_that_a_document_has_now_counts(utc_now: list[datetime]) -> None:
    """The earliest date of several, a while after it, and none where there is no date."""
    things: Any = open_database()["things"]
    soon, late = (utc_now[0] + timedelta(hours=hours) for hours in (1, 9))
    things.create_index("expires_at", expireAfterSeconds=3600)
    things.insert_one({"_id": "sooner than it was", "expires_at": late})
    things.insert_one({"_id": "one of two", "expires_at": [late, soon, "no date", late]})
    things.insert_one({"_id": "late", "expires_at": [late]})
    things.insert_one({"_id": "never", "expires_at": "tomorrow"})
    things.insert_one({"_id": "deleted", "expires_at": soon})
    things.delete_one({"_id": "deleted"})
    things.update_one({"_id": "sooner than it was"}, {"$set": {"expires_at": soon}})
    utc_now[0] = soon + timedelta(hours=1, milliseconds=-1)
    things.insert_one({"_id": "before"})
    assert len(list(things.find({}))) == 5
    utc_now[0] += timedelta(milliseconds=1)
    things.insert_one({"_id": "after"})
    left = [thing["_id"] for thing in things.find({})]
    assert left == ["late", "never", "before", "after"]


def test_a_day_of_30_learners_leaves_no_more_than_the_day_before(utc_now: list[datetime]) -> None:
    """Each logs in, fails once, and refreshes for eight hours. Documents stay a day too long."""
    database: Any = open_database()
    families = FamilyRepository(database, lifetime=600)
    logins = LoginThrottle(database)
    counts = []
    for day in range(4):
        for learner in range(30):
            name, now = f"learner {learner}", utc_now[0].timestamp()
            logins.fail(logins.begin(name, now), now)
            device = f"the device of day {day}"
            logins.succeed(logins.begin(name, now, device), now)
        tokens = [families.start(f"learner {n}", utc_now[0].timestamp())[1] for n in range(30)]
        for _ in range(16):
            utc_now[0] += timedelta(minutes=30)
            now = utc_now[0].timestamp()
            spent = [families.spend(token, now) for token in tokens]
            tokens = [each.successor for each in spent if each is not None]
            assert len(tokens) == 30
        utc_now[0] += timedelta(hours=16)
        collections = ("families", "refresh_tokens", "login_attempts")
        counts.append({name: len(list(database[name].find({}))) for name in collections})
    before, last = counts[-2:]
    for name, count in last.items():
        assert count <= before[name] * (1 + 1 / CHECKED)


def test_with_other_options_the_indexes_are_the_same() -> None:
    """What is changed through one collection is found through the other."""
    aware = CodecOptions(tz_aware=True)
    database = open_database()
    plain: Any = database["things"]
    plain.create_index("name", unique=True)
    plain.insert_one({"name": "a", "at": datetime(2030, 1, 1, tzinfo=UTC)})
    others = [
        plain.with_options(codec_options=aware),
        database.get_collection("things", codec_options=aware),  # type: ignore[attr-defined]
    ]
    for number, other in enumerate(others):
        other.update_one({"name": plain.find_one({})["name"]}, {"$set": {"name": f"b{number}"}})
        assert plain.find_one({"name": f"b{number}"}) is not None
        assert plain.find_one({"name": "a"}) is None
        assert other.find_one({"name": f"b{number}"})["at"].tzinfo is not None
    secondary = database.with_options(  # type: ignore[attr-defined]
        read_preference=ReadPreference.SECONDARY
    )
    with pytest.raises(mongomock.DuplicateKeyError):
        secondary["things"].insert_one({"name": "b1"})
    assert plain.with_options(codec_options=plain.codec_options) is plain

"""The class log: numbered without a hole, read without a miss, and with no secret in it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from client_widget import AuthClient, ClientError
from demo_server import DemoClock, DemoServer, ServerConfig, open_database
from demo_server import class_log as module
from demo_server.class_log import ClassEvents, ClassLog
from demo_server.database import ConnectionFailure

from ..conftest import PASSWORD, START, ShortOfThreads, in_threads


@pytest.fixture
def events(database: Any) -> ClassEvents:
    return ClassEvents(database)


def named(*names: str, **fields: Any) -> list[dict[str, Any]]:
    return [{"at": 1.5, "name": name, **fields} for name in names]


def numbers(read: tuple[list[dict[str, Any]], int]) -> list[tuple[int, str]]:
    return [(event["seq"], event["name"]) for event in read[0]]


def test_events_are_read_as_stored_from_a_cursor_on(events: ClassEvents) -> None:
    assert events.read(0) == ([], 0)
    events.append("b1", named("a", "b", username="ada"))
    events.append("b2", named("c"))
    read, cursor = events.read(0)
    assert read == [
        {"seq": 1, "at": 1.5, "name": "a", "username": "ada"},
        {"seq": 2, "at": 1.5, "name": "b", "username": "ada"},
        {"seq": 3, "at": 1.5, "name": "c"},
    ]
    assert cursor == 3
    assert numbers(events.read(2)) == [(3, "c")]
    assert events.read(3) == ([], 3)


def test_of_others_events_a_student_sees_none_and_the_cursor_passes_them(
    events: ClassEvents,
) -> None:
    events.append("b1", named("a", username="ada") + named("b", username="bob") + named("c"))
    read, cursor = events.read(0, "ada")
    assert [event["name"] for event in read] == ["a"]
    assert cursor == 3


def test_a_reader_beside_many_writers_sees_each_event_once_and_in_order(
    events: ClassEvents, rounds: int
) -> None:
    """Each writer's own order is kept as well."""
    writers, batches = 8, max(3, rounds // 20)
    done = threading.Event()
    seen: list[dict[str, Any]] = []

    def follow() -> None:
        cursor = 0
        while True:
            over = done.is_set()
            read, cursor = events.read(cursor)
            seen.extend(read)
            if over and not read:
                return

    who = iter(range(writers))

    def write() -> None:
        me = next(who)
        for batch in range(batches):
            names = [f"{batch}.{n}" for n in range(me + 1)]
            events.append(f"{me}.{batch}", named(*names, username=str(me)))

    reader = threading.Thread(target=follow)
    reader.start()
    assert in_threads(writers, write) == [None] * writers
    done.set()
    reader.join(timeout=60)
    assert [event["seq"] for event in seen] == list(range(1, len(seen) + 1))
    for me in range(writers):
        mine = [event["name"] for event in seen if event["username"] == str(me)]
        assert mine == [f"{batch}.{n}" for batch in range(batches) for n in range(me + 1)]


class Faulty:
    """A collection whose next answer is lost, after so many documents were stored."""

    def __init__(self, collection: Any, stored: int) -> None:
        self._collection = collection
        self._stored = stored
        self.lost = 0

    def insert_many(self, documents: list[Any], ordered: bool) -> Any:
        if self.lost:
            return self._collection.insert_many(documents, ordered=ordered)
        self.lost += 1
        if self._stored:
            self._collection.insert_many(documents[: self._stored], ordered=ordered)
        raise ConnectionFailure("the host's name")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)


@pytest.mark.parametrize("stored", [0, 1, 3])
def test_when_an_answer_is_lost_nothing_is_lost_or_doubled(
    database: Any, clock: DemoClock, stored: int, caplog: pytest.LogCaptureFixture
) -> None:
    log = ClassLog(database, clock)
    log._events._events = faulty = Faulty(database["class_events"], stored)
    for name in ("a", "b", "c"):
        log.emit(name)
    until_stored(log)
    assert faulty.lost == 1
    assert numbers(ClassEvents(database).read(0)) == [(1, "a"), (2, "b"), (3, "c")]
    assert "the host's name" not in caplog.text


def until_stored(log: ClassLog) -> None:
    while True:
        try:
            return log.flush()
        except ConnectionFailure:
            pass


def test_at_a_hole_the_reader_looks_again(
    events: ClassEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    events.append("b1", named("a", "b", "c"))
    look, looks = events._find, []

    def blind(numbers: Any) -> list[dict[str, Any]]:
        looks.append(numbers)
        return [each for each in look(numbers) if len(looks) > 1 or each["seq"] != 2]

    monkeypatch.setattr(events, "_find", blind)
    assert numbers(events.read(0)) == [(1, "a"), (2, "b"), (3, "c")]
    assert len(looks) == 2


def test_what_is_old_may_be_gone(events: ClassEvents, database: Any) -> None:
    events.append("b1", named("a", "b", "c"))
    database["class_events"].delete_many({"seq": {"$lte": 2}})
    assert numbers(events.read(0)) == [(3, "c")]
    database["class_events"].delete_many({"seq": 3})
    assert events.read(3) == ([], 0)  # the numbers may begin anew, with the next process
    ClassEvents(database).append("b2", named("d"))
    assert numbers(events.read(0)) == [(1, "d")]


def test_in_this_process_only_the_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_IN_PROCESS", 2)
    events = ClassEvents(open_database())
    events.append("b1", named("a", "b", "c"))
    assert numbers(events.read(0)) == [(2, "b"), (3, "c")]


def test_an_answer_has_a_limit(events: ClassEvents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BATCH", 2)
    events.append("b1", named("a", "b", "c"))
    read, cursor = events.read(0)
    assert (len(read), cursor) == (2, 2)
    assert numbers(events.read(cursor)) == [(3, "c")]


def test_what_finds_no_room_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_QUEUED", 2)
    database = open_database()
    log = ClassLog(database)
    log._storing.acquire()  # the database is slow
    for name in "abcd":
        log.emit(name)
    assert log.dropped == 2
    log._storing.release()
    log.flush()
    assert [name for _, name in numbers(ClassEvents(database).read(0))] == ["a", "b"]


def test_its_thread_ends_when_there_is_nothing_to_do(clock: DemoClock) -> None:
    log = ClassLog(open_database(), clock)
    for _ in range(2):
        log.emit("a")
        thread = log._thread
        assert thread is not None
        thread.join(timeout=20)
        assert log._thread is None
    assert numbers(log._events.read(0)) == [(1, "a"), (2, "a")]


# Over HTTP


@pytest.fixture
def school(clock: DemoClock) -> Iterator[DemoServer]:
    config = ServerConfig(bcrypt_cost=4, policy="rfc", class_log=True, teachers=("tess",))
    with DemoServer(config, database=open_database(), clock=clock) as server:
        yield server


def logged_in(server: DemoServer, clock: DemoClock, name: str) -> AuthClient:
    client = AuthClient(server.url, clock=clock, logout_path="/logout")
    client.register(name, PASSWORD)
    client.login(name, PASSWORD)
    return client


def told(client: AuthClient, after: str = "0") -> list[tuple[str, str | None]]:
    answer = client.request("GET", f"/events?after={after}")
    assert answer.status_code == 200
    return [(event["name"], event.get("username")) for event in answer.json()["events"]]


def test_a_teacher_sees_all_events_and_a_student_their_own(
    school: DemoServer, clock: DemoClock
) -> None:
    tess, ada = logged_in(school, clock, "tess"), logged_in(school, clock, "ada")
    clock.advance(61)
    ada.home()
    requests.get(school.url + "/home", timeout=20)
    school.flush()
    mine = [
        ("user.registered", "ada"),
        ("login.accepted", "ada"),
        ("token.issued", "ada"),
        ("token.issued", "ada"),
        ("token.rejected", "ada"),  # it has expired
        ("token.accepted", "ada"),
        ("token.spent", "ada"),
        ("token.issued", "ada"),
        ("token.issued", "ada"),
        ("token.accepted", "ada"),
    ]
    assert told(ada) == mine
    own = [(name, "tess") for name, _ in mine[:4]]
    assert told(tess) == [("server.started", None), *own, *mine, ("token.rejected", None)]
    assert told(tess, "15") == [("token.rejected", None)]


def test_a_look_adds_nothing_to_the_log(school: DemoServer, clock: DemoClock) -> None:
    tess = logged_in(school, clock, "tess")
    school.flush()
    before = told(tess)
    school.flush()
    assert told(tess) == before


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "²", "9" * 16])
def test_a_cursor_that_is_none_is_refused(school: DemoServer, clock: DemoClock, after: str) -> None:
    answer = logged_in(school, clock, "ada").request("GET", f"/events?after={after}")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_without_a_token_there_are_no_events(school: DemoServer) -> None:
    assert requests.get(school.url + "/events", timeout=20).status_code == 401


def test_a_server_without_a_class_log_has_no_such_route(server: DemoServer) -> None:
    assert requests.get(server.url + "/events", timeout=20).status_code == 404
    assert server._class_log is None


def test_a_stop_stores_what_was_taken(clock: DemoClock) -> None:
    database = open_database()
    config = ServerConfig(bcrypt_cost=4, class_log=True)
    with DemoServer(config, database=database, clock=clock) as server:
        AuthClient(server.url).register("ada", PASSWORD)
    names = [name for _, name in numbers(ClassEvents(database).read(0))]
    assert names == ["server.started", "user.registered", "server.stopped"]


def test_the_log_holds_no_secret(school: DemoServer, clock: DemoClock) -> None:
    tess, ada = logged_in(school, clock, "tess"), logged_in(school, clock, "ada")
    first = ada.store.get()
    assert first is not None
    pairs = [first]
    clock.advance(61)
    ada.home()
    for secret in (first.refresh, first.access, "a.b.c"):
        ada.probe(secret, "refresh")
        ada.probe(secret)
    for _ in range(7):
        with pytest.raises(ClientError):
            AuthClient(school.url).login("ada", PASSWORD + "!")
    school.flush()
    answer = tess.request("GET", "/events").json()
    assert {"reuse.detected", "login.throttled"} <= {event["name"] for event in answer["events"]}
    assert {name for event in answer["events"] for name in event} <= {
        "seq", "at", "name", "worker", *module.KEPT}  # fmt: skip
    text = json.dumps(answer)
    for pair in (*pairs, tess.store.get()):
        assert pair is not None
        for token in (pair.access, pair.refresh):
            assert token not in text
            assert token.split(".")[2] not in text
    assert PASSWORD not in text
    assert "$2b$" not in text
    assert answer["events"][-1]["at"] > START


def test_events_that_found_no_thread_are_stored_by_the_next(
    clock: DemoClock, no_threads: ShortOfThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request is answered, and the log is not dead for good."""
    monkeypatch.setattr(module, "INTERVAL", 0.001)
    database = open_database()
    config = ServerConfig(bcrypt_cost=4, class_log=True)
    with DemoServer(config, database=database, clock=clock) as server:
        client = AuthClient(server.url, clock=clock)
        no_threads(lambda thread: thread.name == "class log")
        client.register("ada", PASSWORD)
        no_threads(lambda thread: False)
        client.login("ada", PASSWORD)
        events, deadline = ClassEvents(database), time.monotonic() + 20
        wanted = ["user.registered", "login.accepted"]
        while [e["name"] for e in events.read(0, "ada")[0] if e["name"] in wanted] != wanted:
            assert time.monotonic() < deadline

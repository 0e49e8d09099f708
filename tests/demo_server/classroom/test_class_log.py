"""The class log: numbered without a hole, read without a miss, and with no secret in it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from client_widget import AuthClient, ClientError, EventLog
from client_widget.protocol.jwt_by_hand import sign
from demo_server import DemoClock, DemoServer, ServerConfig, open_database
from demo_server.classroom import class_log as module
from demo_server.classroom.class_log import ClassEvents, ClassLog
from demo_server.storage.database import ConnectionFailure
from demo_server.storage.users import UserRepository

from ...conftest import PASSWORD, START, ShortOfThreads, in_threads, pair_of


@pytest.fixture
def events(database: Any) -> ClassEvents:
    return ClassEvents(database)


LOGIN = ("login.accepted", "token.issued", "token.accepted")


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


class With:
    """A database, with another collection of events."""

    def __init__(self, database: Any, events: Any) -> None:
        self._database = database
        self._events = events
        self.client = database.client

    def __getitem__(self, name: str) -> Any:
        return self._events if name == "class_events" else self._database[name]


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
    faulty = Faulty(database["class_events"], stored)
    log = ClassLog(With(database, faulty), clock)
    for name in LOGIN:
        log.emit(name, username="ada")
    until_stored(log)
    assert faulty.lost == 1
    assert numbers(ClassEvents(database).read(0)) == list(enumerate(LOGIN, 1))
    assert "the host's name" not in caplog.text


def until_stored(log: ClassLog) -> None:
    while True:
        try:
            return log.flush()
        except ConnectionFailure:
            pass


class Blind:
    """A collection whose first look does not see the event of number 2."""

    def __init__(self, collection: Any) -> None:
        self._collection = collection
        self.looks = 0

    def find(self, query: dict[str, Any]) -> Any:
        self.looks += 1
        if self.looks == 1:
            query = {"seq": {**query["seq"], "$ne": 2}}
        return self._collection.find(query)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)


def test_at_a_hole_the_reader_looks_again(events: ClassEvents, database: Any) -> None:
    events.append("b1", named("a", "b", "c"))
    blind = Blind(database["class_events"])
    reader = ClassEvents(With(database, blind))
    assert numbers(reader.read(0)) == [(1, "a"), (2, "b"), (3, "c")]
    assert blind.looks == 2


def test_what_is_old_may_be_gone(events: ClassEvents, database: Any) -> None:
    events.append("b1", named("a", "b", "c"))
    database["class_events"].delete_many({"seq": {"$lte": 2}})
    assert numbers(events.read(0)) == [(3, "c")]
    database["class_events"].delete_many({"seq": 3})
    assert events.read(3) == ([], 0)  # the numbers may begin again, with the next process
    ClassEvents(database).append("b2", named("d"))
    assert numbers(events.read(0)) == [(1, "d")]


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the limits of the logs that are made after it."""

    def limit(*limits: int) -> None:
        for name in ("IN_PROCESS", "IN_MONGODB"):
            monkeypatch.setattr(module, name, module.Limits(*limits))

    return limit


def test_only_the_last_are_kept(database: Any, limits: Any) -> None:
    limits(2, 2)
    events = ClassEvents(database)
    events.append("b1", named("a", "b", "c"))
    assert numbers(events.read(0)) == [(2, "b"), (3, "c")]


def test_a_flood_pushes_out_the_events_of_its_own_user(database: Any, limits: Any) -> None:
    """The numbers have gaps then. A reader loses nothing else, and no number is given twice."""
    limits(1_000, 3)
    events = ClassEvents(database)
    events.append("b1", named("a", username="ada"))
    _, cursor = events.read(0)
    for batch in range(4):
        events.append(f"f{batch}", named(*"vwxyz", username="eve"))
    events.append("b2", named("b", username="ada"))
    read, last = events.read(cursor)
    assert numbers((read, last)) == [(19, "x"), (20, "y"), (21, "z"), (22, "b")]
    assert [event["name"] for event in events.read(0, "ada")[0]] == ["a", "b"]
    assert events.read(last) == ([], last)


def test_a_batch_is_stored_once_though_no_room_could_be_made(database: Any, limits: Any) -> None:
    limits(1_000, 2)
    lost = Lost(database["class_events"], "delete_many")
    events = ClassEvents(With(database, lost))
    events.append("b1", named("a", "b", "c", username="ada"))
    assert numbers(events.read(0)) == [(1, "a"), (2, "b"), (3, "c")]
    lost.back = True
    events.append("b2", named("d", username="ada"))
    assert numbers(events.read(0)) == [(3, "c"), (4, "d")]


def test_an_answer_is_limited_in_bytes(
    events: ClassEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_RESPONSE", 400)
    events.append("b1", named(*"abcdefghij", username="ada", path="x" * 100))
    cursor, seen = 0, []
    while True:
        read, cursor = events.read(cursor)
        if not read:
            break
        assert len(json.dumps(read)) <= 420
        seen += [event["name"] for event in read]
    assert seen == list("abcdefghij")
    # One event is always sent, so a reader moves on.
    events.append("b2", named("k", username="ada", path="x" * 1000))
    assert numbers(events.read(cursor)) == [(11, "k")]


def test_an_answer_has_a_limit(events: ClassEvents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BATCH", 2)
    events.append("b1", named("a", "b", "c"))
    read, cursor = events.read(0)
    assert (len(read), cursor) == (2, 2)
    assert numbers(events.read(cursor)) == [(3, "c")]


class Slow:
    """A collection that stores when it is told to."""

    def __init__(self, collection: Any) -> None:
        self._collection = collection
        self.entered, self.go = threading.Event(), threading.Event()

    def insert_many(self, documents: list[Any], ordered: bool) -> Any:
        self.entered.set()
        assert self.go.wait(timeout=20)
        return self._collection.insert_many(documents, ordered=ordered)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)


def test_what_finds_no_room_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_QUEUED", 2)
    database = open_database()
    slow = Slow(database["class_events"])
    log = ClassLog(With(database, slow))
    log.emit("token.accepted", username="a")
    assert slow.entered.wait(timeout=20)
    for name in "bcde":
        log.emit("token.accepted", username=name)
    assert log.dropped == 2
    slow.go.set()
    log.flush()
    assert [event["username"] for event in ClassEvents(database).read(0)[0]] == ["a", "b", "c"]


def test_one_user_does_not_take_the_room_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_QUEUED_OF_USER", 2)
    monkeypatch.setattr(module, "MAX_REFUSED", 1)
    database = open_database()
    users = UserRepository(database)
    for name in ("eve", "bob"):
        users.add(name, "a hash")
    slow = Slow(database["class_events"])
    log = ClassLog(With(database, slow))
    log.emit("token.accepted", username="eve")
    assert slow.entered.wait(timeout=20)
    for name in ("eve", "eve", "eve", "ada"):
        log.emit("token.accepted", username=name)
    for name in ("eve", "bob", "eve"):
        log.emit("login.refused", username=name, reason="password_wrong")
    assert log.dropped == 2
    slow.go.set()
    log.flush()
    events = ClassEvents(database).read(0)[0]
    assert [event["username"] for event in events] == ["eve", "eve", "eve", "ada"]
    assert users.refused_logins() == {"eve": 2}
    log.emit("token.accepted", username="eve")  # there is room again
    assert log.dropped == 2


def test_a_field_is_short_and_can_be_stored(database: Any) -> None:
    log = ClassLog(database)
    log.emit(
        "token.accepted",
        username="ada",
        path="/" + "x" * 60_000,
        kind="\ud800",
        reason={"$ne": None},
        family=b"x",
        iat=float("nan"),
        exp=10**400,
    )
    log.flush()
    [event] = ClassEvents(database).read(0)[0]
    assert event["path"] == "/" + "x" * 127
    assert (event["username"], event["kind"]) == ("ada", "?")
    assert [event[name] for name in ("reason", "family", "iat", "exp")] == [None] * 4


class Lost:
    """A collection whose database is unreachable until `back` is set, for one kind of operation."""

    def __init__(self, collection: Any, operation: str) -> None:
        self._collection = collection
        self._operation = operation
        self.back = False

    def __getattr__(self, name: str) -> Any:
        if name == self._operation and not self.back:
            return self.fail
        return getattr(self._collection, name)

    def fail(self, *args: Any) -> None:
        raise ConnectionFailure("the host's name")


class WithUsers(With):
    """A database, with another collection of users."""

    def __init__(self, database: Any, users: Any) -> None:
        super().__init__(database, database["class_events"])
        self._users = users

    def __getitem__(self, name: str) -> Any:
        return self._users if name == "users" else super().__getitem__(name)


def test_refused_logins_are_counted_once_the_database_is_back(database: Any) -> None:
    users = UserRepository(database)
    users.add("ada", "a hash")
    lost = Lost(database["users"], "update_one")
    log = ClassLog(WithUsers(database, lost))
    for _ in range(3):
        log.emit("login.refused", username="ada", reason="password_wrong")
    with pytest.raises(ConnectionFailure):
        log.flush()
    assert users.refused_logins() == {}
    lost.back = True
    log.flush()
    assert users.refused_logins() == {"ada": 3}
    users.count_refused_logins("ada", 10**12)
    assert users.refused_logins("ada") == {"ada": 9_999}


def test_its_thread_ends_when_there_is_nothing_to_do(clock: DemoClock) -> None:
    database = open_database()
    log = ClassLog(database, clock)
    before = set(threading.enumerate())
    for _ in range(2):
        log.emit("token.accepted", username="ada")
        [thread] = set(threading.enumerate()) - before
        assert thread.name == "class log"
        thread.join(timeout=20)
        assert not thread.is_alive()
    events = ClassEvents(database).read(0)
    assert numbers(events) == [(1, "token.accepted"), (2, "token.accepted")]


# Over HTTP


@pytest.fixture
def policy() -> str:
    return "rfc"


@pytest.fixture
def school(clock: DemoClock, policy: str) -> Iterator[DemoServer]:
    config = ServerConfig(
        bcrypt_cost=4, policy=policy, class_log=True, teachers=("tess",), teacher_password=PASSWORD
    )
    with DemoServer(config, database=open_database(), clock=clock) as server:
        yield server


def logged_in(server: DemoServer, clock: DemoClock, name: str) -> AuthClient:
    client = AuthClient(server.url, clock=clock, logout_path="/logout")
    if name not in server.config.teachers:
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
    tess.home()
    requests.get(school.url + "/home", timeout=20)
    school.flush()
    mine = [
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
    own = [(name, "tess") for name, _ in mine]
    assert told(tess) == [*own[:3], *mine, *own[3:]]
    assert told(tess, "17") == own[8:]


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


def test_a_server_without_a_class_log_has_no_such_route_and_stores_nothing(
    config: ServerConfig,
) -> None:
    database = open_database()
    with DemoServer(config, database=database) as server:
        assert requests.get(server.url + "/events", timeout=20).status_code == 404
        server.flush()
    assert ClassEvents(database).read(0) == ([], 0)


def test_a_stop_stores_what_was_taken(clock: DemoClock) -> None:
    database = open_database()
    config = ServerConfig(bcrypt_cost=4, class_log=True)
    with DemoServer(config, database=database, clock=clock) as server:
        logged_in(server, clock, "ada")
    names = [name for _, name in numbers(ClassEvents(database).read(0))]
    assert names == ["login.accepted", "token.issued", "token.issued"]


def test_the_log_holds_no_secret(school: DemoServer, clock: DemoClock) -> None:
    tess, ada = logged_in(school, clock, "tess"), logged_in(school, clock, "ada")
    first = pair_of(ada)
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
    assert "reuse.detected" in {event["name"] for event in answer["events"]}
    assert answer["refused_logins"] == {"ada": 7}
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
        wanted = ["login.accepted"]
        while [e["name"] for e in events.read(0, "ada")[0] if e["name"] in wanted] != wanted:
            assert time.monotonic() < deadline


# Strangers


@pytest.mark.parametrize("policy", ["article", "rfc"])
def test_what_a_stranger_sends_leaves_no_event(school: DemoServer, clock: DemoClock) -> None:
    tess, ada = logged_in(school, clock, "tess"), logged_in(school, clock, "ada")
    AuthClient(school.url, clock=clock).register("bob", PASSWORD)  # and never logs in
    school.flush()
    before = tess.request("GET", "/events").json()
    token = sign('{"alg": "HS256"}', '{"sub": "ada", "username": "ada"}', "a guess")
    forged = {"Authorization": f"Bearer {token}"}
    url = school.url
    for n in range(10):
        requests.post(f"{url}/users/login", json={"username": "ada", "password": "x"}, timeout=20)
        requests.post(f"{url}/users/login", json={"username": f"u{n}", "password": "x"}, timeout=20)
        requests.post(f"{url}/users/register", json={"username": "ada", "password": "x" * 8})
        requests.post(f"{url}/users/register", json={"username": " ", "password": "x" * 8})
        requests.post(f"{url}/refresh", json={"token": "a.b.c"}, timeout=20)
        for path in ("/home", "/class", "/events", "/" + "x" * 10_000):
            requests.get(url + path, headers=forged, timeout=20)
            requests.get(url + path, timeout=20)
    school.flush()
    after = tess.request("GET", "/events").json()
    assert after["events"] == before["events"]
    assert (before["refused_logins"], after["refused_logins"]) == ({}, {"ada": 10})
    mine = ada.request("GET", "/events").json()
    assert {event["username"] for event in mine["events"]} == {"ada"}
    assert mine["refused_logins"] == {"ada": 10}


def test_ten_thousand_unknown_names_leave_nothing() -> None:
    database = open_database()
    log = ClassLog(database)
    for n in range(10_000):
        reason = ("user_unknown", "too_many_attempts")[n % 2]
        name = ("login.refused", "login.throttled")[n % 2]
        log.emit(name, username=f"nobody {n}", reason=reason, path="/users/login")
    log.flush()
    assert ClassEvents(database).read(0) == ([], 0)
    assert (UserRepository(database).names(), UserRepository(database).refused_logins()) == ([], {})


@pytest.mark.parametrize("policy", ["article", "rfc"])
def test_a_refused_read_of_the_log_is_an_event(school: DemoServer, clock: DemoClock) -> None:
    tess, ada = logged_in(school, clock, "tess"), logged_in(school, clock, "ada")
    pair = pair_of(ada)
    assert ada.request("GET", "/events?after=x").status_code == 400
    assert ada.request("GET", "/class").status_code == 403
    clock.advance(61)
    headers = {"Authorization": f"Bearer {pair.access}"}
    assert requests.get(school.url + "/events", headers=headers, timeout=20).status_code >= 401
    school.flush()
    events = tess.request("GET", "/events").json()["events"]
    refused = [
        (event["name"], event["reason"], event["path"])
        for event in events
        if event["username"] == "ada" and event["name"].endswith(("refused", "rejected"))
    ]
    assert refused == [
        ("request.refused", "request_malformed", "/events"),
        ("request.refused", "insufficient_scope", "/class"),
        ("token.rejected", "token_expired", "/events"),
    ]


def test_an_event_has_the_route_and_not_what_was_sent(
    server: DemoServer, client: AuthClient, log: EventLog
) -> None:
    client.request("GET", "/home?" + "x" * 10_000)
    assert log.action()[-2].fields["path"] == "/home"
    requests.get(server.url + "/" + "x" * 60_000, timeout=20)
    assert list(log)[-1].fields["path"] == "/" + "x" * 127

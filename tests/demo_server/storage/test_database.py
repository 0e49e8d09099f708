"""Users and documents, in a database in this process and over the wire, and one that is away."""

from __future__ import annotations

import inspect
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from client_widget import AuthClient, EventLog, Rejected, ServerUnreachable, describe
from demo_server import ConfigError, DemoServer, ServerConfig, open_database
from demo_server.errors import UserExists
from demo_server.storage.database import Collection, Cursor, Database, change_document, guard_of
from demo_server.storage.users import User, UserRepository

from ...conftest import PASSWORD, in_threads
from ..mongodb import NxServer


def test_a_user_is_found_as_stored(database: Any) -> None:
    users = UserRepository(database)
    assert users.find("ada") is None
    user = users.add("ada", "a hash")
    assert user == User(user.id, "ada", "a hash")
    assert users.find("ada") == user
    assert "a hash" not in repr(user)


@pytest.mark.parametrize("interface", [Database, Collection, Cursor], ids=lambda it: it.__name__)
def test_the_drivers_have_what_the_protocols_name(database: Any, interface: type) -> None:
    collection = database["users"]
    thing = {Database: database, Collection: collection, Cursor: collection.find({})}[interface]
    names = [name for name, value in vars(interface).items() if inspect.isfunction(value)]
    names += [name for name, value in vars(interface).items() if isinstance(value, property)]
    ours = [name for name in names if name not in ("__init__", "__subclasshook__")]
    assert ours
    assert [name for name in ours if not hasattr(thing, name)] == []


def test_a_name_is_stored_once(database: Any) -> None:
    users = UserRepository(database)
    users.add("ada", "a hash")
    with pytest.raises(UserExists):
        users.add("ada", "another")
    assert users.find("ada").password_hash == "a hash"  # type: ignore[union-attr]
    # A second server over the same database knows the same users.
    with pytest.raises(UserExists):
        UserRepository(database).add("ada", "another")


def test_a_name_is_a_name_whatever_is_in_it(database: Any) -> None:
    users = UserRepository(database)
    for name in ["$ne", "a.b", "<img src=x>", "ü☃", "x" * 2000]:
        users.add(name, "a hash")
        assert users.find(name).username == name  # type: ignore[union-attr]


def test_of_32_threads_that_store_one_name_one_does(
    database: Any, rounds: int, short_switches: None
) -> None:
    """Each round, however often the threads are switched.

    A store that looks first and then inserts is found within 12 rounds.
    """
    users = UserRepository(database)
    for round_ in range(max(10, rounds // 4)):
        outcome = in_threads(32, lambda n=f"user{round_}": users.add(n, "a hash"))
        kinds = Counter(type(result).__name__ for result in outcome)
        assert kinds == {"User": 1, "UserExists": 31}
        assert users.find(f"user{round_}") in outcome


def test_a_change_that_others_overtake_is_made_again(database: Any) -> None:
    """The others come between reading and writing: before there is a document, and after."""
    counts, guard = database["counts"], guard_of(database)

    def count(*others: Callable[[], None]) -> None:
        left = list(others)

        def change(seen: Any) -> dict[str, int]:
            if left:
                left.pop()()
            return {"count": 1 if seen is None else seen["count"] + 1}

        change_document(counts, guard, "visits", change)

    count(count)
    assert counts.find_one({"_id": "visits"})["count"] == 2
    count(count, count)
    assert counts.find_one({"_id": "visits"})["count"] == 5


def test_of_32_registrations_over_http_one_is_201(database: Any) -> None:
    ada = {"username": "ada", "password": PASSWORD}
    with DemoServer(ServerConfig(bcrypt_cost=4), database=database) as server:
        answers = in_threads(
            32, lambda: requests.post(server.url + "/users/register", json=ada, timeout=20)
        )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 403: 31}


def test_the_uri_names_the_database(mongodb_uri: str) -> None:
    for uri, name in [
        ("", "token_lab"),
        ("mongomock://", "token_lab"),
        ("mongomock://class", "class"),
        (f"{mongodb_uri}/class", "class"),
        (mongodb_uri, "token_lab"),
    ]:
        database = open_database(uri)
        assert database.name == name
        database.client.close()


def test_without_pymongo_a_real_database_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pymongo", None)
    with pytest.raises(ConfigError, match="pip install pymongo"):
        open_database("mongodb://127.0.0.1:1")
    assert open_database("").name == "token_lab"


@pytest.fixture
def nx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NxServer]:
    """A database that can go away and come back; the driver does not look for it for long."""
    monkeypatch.setattr("demo_server.storage.database.SERVER_SELECTION_TIMEOUT_MS", 300)
    server = NxServer(tmp_path)
    yield server
    server.stop()


def open_when_it_is_there(uri: str) -> Any:
    while True:
        try:
            return open_database(uri)
        except ConfigError:
            pass


@pytest.mark.parametrize("policy", ["article", "rfc"])
def test_while_the_database_is_away_each_request_gets_a_503(policy: str, nx: NxServer) -> None:
    database = open_when_it_is_there(nx.start().uri)
    log = EventLog()
    config = ServerConfig(bcrypt_cost=4, policy=policy)
    with DemoServer(config, database=database, emit=log.emitter("server")) as server:
        client = AuthClient(server.url, log=log)
        client.register("ada", PASSWORD)
        client.login("ada", PASSWORD)
        pair = client.store.get()
        nx.stop()
        ada = {"username": "ada", "password": PASSWORD}
        answers = in_threads(
            16, lambda: requests.post(server.url + "/users/login", json=ada, timeout=20)
        )
        for answer in answers:
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
            body = answer.json()
            assert body["error"] == "database_unavailable"
            assert body["message"] == "The database cannot be reached: try again in a moment"
            assert "127.0.0.1" not in answer.text
        refused = [event for event in log if event.name == "request.refused"]
        assert len(refused) == 16
        about = {"reason": "database_unavailable", "detail": body["message"]}
        assert dict(refused[0].fields) == {"path": "/users/login", **about}
        assert str(nx.port) not in "".join(describe(event) for event in refused)
        assert [event.name for event in log if event.name == "server.failed"] == []
        if policy == "rfc":
            with pytest.raises(Rejected, match="503 database_unavailable"):
                client.home()
            with pytest.raises(Rejected, match="503 database_unavailable"):
                client.register("bob", PASSWORD)
        else:
            client.home()  # the article's access token needs no database
        assert client.store.get() is pair
        nx.start()
        ended = [event for event in log if event.name == "session.ended"]
        assert ended == []
        while requests.post(server.url + "/users/login", json=ada, timeout=20).status_code == 503:
            pass
        assert client.home() == {"message": "Welcome ada"}
    database.client.close()


def test_a_refresh_while_the_database_is_away_ends_no_session(nx: NxServer) -> None:
    database = open_when_it_is_there(nx.start().uri)
    config = ServerConfig(bcrypt_cost=4, policy="rfc", access_token_ttl=1)
    now = [1_800_000_000.0]
    with DemoServer(config, database=database, clock=lambda: now[0]) as server:
        client = AuthClient(server.url, clock=lambda: now[0])
        client.register("ada", PASSWORD)
        client.login("ada", PASSWORD)
        pair = client.store.get()
        nx.stop()
        now[0] += 2
        with pytest.raises(ServerUnreachable, match="503: you are still logged in"):
            client.home()
        assert client.store.get() is pair
        nx.start()
        while True:
            try:
                assert client.home() == {"message": "Welcome ada"}
                break
            except ServerUnreachable:
                pass
    database.client.close()


def test_what_was_answered_with_201_is_there_after_a_crash_of_the_database(nx: NxServer) -> None:
    """While users register, the database ends and comes back: each answer is kept to."""
    database = open_when_it_is_there(nx.start().uri)
    with DemoServer(ServerConfig(bcrypt_cost=4), database=database) as server:
        answers: dict[str, int] = {}
        registered, back = threading.Event(), threading.Event()

        def register(number: int) -> None:
            with requests.Session() as http:
                for count in range(10_000):
                    over = back.is_set()
                    name = f"user{number}.{count}"
                    body = {"username": name, "password": PASSWORD}
                    url = server.url + "/users/register"
                    status = answers[name] = http.post(url, json=body, timeout=20).status_code
                    if status == 201:
                        registered.set()
                        if over:
                            return

        threads = [threading.Thread(target=register, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        assert registered.wait(timeout=20)
        nx.stop()
        nx.start()
        back.set()
        for thread in threads:
            thread.join(timeout=60)
            assert not thread.is_alive()
        assert set(answers.values()) == {201, 503}
        users = UserRepository(database)
        stored = set(users.names())
        assert [
            name for name, status in answers.items() if status == 201 and name not in stored
        ] == []
    database.client.close()

"""The users, in a database in this process and in one over the wire.

The tests that need MongoDB use the server at TEST_MONGODB_URI if it is given. Else they
start nx-27017, a server of MongoDB's wire protocol over SQLite.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from demo_server import ConfigError, DemoServer, ServerConfig, UserExists, open_database
from demo_server.database import User, UserRepository

from ..conftest import in_threads


@pytest.fixture(scope="session")
def mongodb_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if os.environ.get("TEST_MONGODB_URI"):
        yield os.environ["TEST_MONGODB_URI"]
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder: Path = tmp_path_factory.mktemp("mongodb")
    files = ["--log-file", str(folder / "log"), "--pid-file", str(folder / "pid")]
    command = Path(sys.executable).with_name("nx-27017")
    where = ["--db", "memory", "--host", "127.0.0.1", "-p", str(port)]
    running = subprocess.Popen(
        [str(command), *where, *files],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"mongodb://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(timeout=20)


@pytest.fixture(params=["mongomock", "mongodb"])
def database(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "mongomock":
        yield open_database("mongomock://tests")
        return
    uri = request.getfixturevalue("mongodb_uri")
    database = open_database(f"{uri}/lab_{uuid.uuid4().hex[:8]}")
    yield database
    database.client.drop_database(database.name)
    database.client.close()


def test_a_user_is_found_as_stored(database: Any) -> None:
    users = UserRepository(database)
    assert users.find("ada") is None
    user = users.add("ada", "a hash")
    assert user == User(user.id, "ada", "a hash")
    assert users.find("ada") == user
    assert "a hash" not in repr(user)


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


def test_of_32_threads_that_store_one_name_one_does(database: Any) -> None:
    """Each round, however often the threads are switched."""
    users = UserRepository(database)
    rounds = 200 if "mongomock" in type(database).__module__ else 10
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for round_ in range(rounds):
            outcome = in_threads(32, lambda n=f"user{round_}": users.add(n, "a hash"))
            kinds = Counter(type(result).__name__ for result in outcome)
            assert kinds == {"User": 1, "UserExists": 31}
            assert users.find(f"user{round_}") in outcome
    finally:
        sys.setswitchinterval(interval)


def test_of_32_registrations_over_http_one_is_201(database: Any) -> None:
    ada = {"username": "ada", "password": "x"}
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

"""`python -m demo_server.class_server`: several processes over one database are one server."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from demo_server import ServerConfig, class_server, open_database
from demo_server.auth.auth_service import AuthService
from demo_server.classroom import class_log
from demo_server.classroom.class_log import ClassEvents
from demo_server.emit import ignore
from demo_server.storage.users import UserRepository

from ..conftest import PASSWORD
from .api import Api
from .processes import class_server as serving
from .processes import port_of, said_at_the_end

SECRETS = {"ACCESS_TOKEN_SECRET": "a" * 32, "REFRESH_TOKEN_SECRET": "r" * 32}
ADA = {"username": "ada", "password": PASSWORD}
THREADS = 32


class School:
    """A running server, and what is in its database."""

    def __init__(self, running: subprocess.Popen[str], db_uri: str) -> None:
        self.port = port_of(running)
        self.url = f"http://127.0.0.1:{self.port}"
        self.db_uri = db_uri
        self.database = open_database(db_uri)
        self._events = ClassEvents(self.database)
        self._cursor = 0
        self._workers: dict[str, set[int]] = defaultdict(set)

    def post(self, path: str, body: Any) -> requests.Response:
        return requests.post(self.url + path, json=body, timeout=20)

    def home(self, token: str) -> int:
        """The status, over a new connection, so from any worker."""
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(self.url + "/home", headers=headers, timeout=20).status_code

    def workers(self, name: str) -> set[int]:
        """The processes in which an event happened, as far as they have told."""
        while True:
            found, self._cursor = self._events.read(self._cursor)
            for event in found:
                self._workers[event["name"]].add(event["worker"])
            if not found:
                return set(self._workers[name])

    def until_all_have(self, name: str, count: int, token: str) -> set[int]:
        """Ask for the home page until so many workers have told of it."""
        return self._until(name, count, token, 200)

    def until_all_refuse(self, name: str, count: int, token: str) -> None:
        """Ask with a token that has expired until so many workers have refused it."""
        self._until(name, count, token, 401)

    def _until(self, name: str, count: int, token: str, status: int) -> set[int]:
        while len(workers := self.workers(name)) < count:
            assert self.home(token) == status
            time.sleep(class_log.INTERVAL / 10)  # a worker tells at such intervals
        return workers


@pytest.fixture(scope="module")
def school(mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    db_uri = f"{mongodb_uri}/serve_{uuid.uuid4().hex[:8]}"
    settings = {"WORKERS": "4", "DB_URI": db_uri, "AUTH_POLICY": "rfc", "CLASS_LOG": "1"}
    settings |= {"CLASS_CLOCK": "1", "TEACHERS": "tess", "TEACHER_PASSWORD": PASSWORD}
    settings |= {"ACCESS_TOKEN_TTL": "3600", "REFRESH_TOKEN_TTL": "7200"}  # on the wall clock
    with serving(tmp_path_factory.mktemp("serve"), **settings, **SECRETS) as running:
        school = School(running, db_uri)
        yield school
        school.database.client.drop_database(school.database.name)
        school.database.client.close()


@pytest.fixture(scope="module")
def ada(school: School) -> dict[str, str]:
    assert school.post("/users/register", ADA).status_code == 201
    tokens: dict[str, str] = school.post("/users/login", ADA).json()
    return tokens


def test_a_token_of_one_worker_is_taken_by_all(school: School, ada: dict[str, str]) -> None:
    assert len(school.workers("login.accepted")) <= 1
    assert len(school.until_all_have("token.accepted", 4, ada["accessToken"])) == 4


def answering(running: subprocess.Popen[str], port: int) -> int:
    """How many workers hold a connection of a client."""
    workers = psutil.Process(running.pid).children()
    return sum(
        any(each.status == "ESTABLISHED" and each.laddr.port == port for each in connections)
        for connections in (worker.net_connections("tcp") for worker in workers)
    )


def test_of_32_clients_that_spend_one_token_at_four_workers_one_wins(
    mongodb_uri: str, tmp_path: Path
) -> None:
    """In each of 20 rounds, although the others' reuse ends the family meanwhile.

    Without a class log: nx-27017 looks through all of it at each operation.
    """
    config = ServerConfig(
        bcrypt_cost=4,
        policy="rfc",
        access_token_secret="a" * 32,
        refresh_token_secret="r" * 32,
        refresh_token_ttl=7200,
    )
    db_uri = f"{mongodb_uri}/race_{uuid.uuid4().hex[:8]}"
    settings = {"WORKERS": "4", "DB_URI": db_uri, "AUTH_POLICY": "rfc", **SECRETS}
    settings["REFRESH_TOKEN_TTL"] = "7200"
    with serving(tmp_path, **settings) as running:
        school = School(running, db_uri)
        service = AuthService(config, database=school.database, clock=time.time, emit=ignore)
        service.register("bob", PASSWORD)
        tokens = [str(service.login("bob", PASSWORD).refresh) for _ in range(20)]
        rounds, workers = race(school, running, tokens)
        school.database.client.close()
    assert [Counter(statuses) for statuses in rounds] == [{200: 1, 400: THREADS - 1}] * 20
    assert workers > 1


def race(
    school: School, running: subprocess.Popen[str], tokens: list[str]
) -> tuple[list[tuple[int, ...]], int]:
    """The statuses of each round, and how many workers answered."""
    start = threading.Barrier(THREADS)
    done = threading.Barrier(THREADS + 1)

    def use(_: int) -> list[int]:
        connection = http.client.HTTPConnection("127.0.0.1", school.port, timeout=20)
        statuses = []
        for token in tokens:
            body = json.dumps({"token": token})
            start.wait(timeout=30)
            connection.request("POST", "/refresh", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
        done.wait(timeout=120)  # all connections are still there
        done.wait(timeout=30)
        connection.close()
        return statuses

    with ThreadPoolExecutor(THREADS) as pool:
        results = pool.map(use, range(THREADS))
        done.wait(timeout=120)
        workers = answering(running, school.port)
        done.wait(timeout=30)
        return list(zip(*results, strict=True)), workers


def test_a_killed_worker_loses_no_registration_and_ends_no_session(
    school: School, ada: dict[str, str]
) -> None:
    workers = school.until_all_have("token.accepted", 4, ada["accessToken"])
    registered: list[str] = []
    enough = threading.Event()

    def register(me: int) -> None:
        for count in range(10_000):
            if enough.is_set():
                return
            name = f"user{me}.{count}"
            with suppress(requests.ConnectionError):  # no answer, so nothing was promised
                answer = school.post("/users/register", {"username": name, "password": PASSWORD})
                assert answer.status_code == 201
                registered.append(name)

    with ThreadPoolExecutor(4) as pool:
        busy = [pool.submit(register, me) for me in range(4)]
        while len(registered) < 4:
            time.sleep(0.01)
        os.kill(min(workers), signal.SIGKILL)
        before = len(registered)
        while len(registered) < before + 12 and not any(thread.done() for thread in busy):
            time.sleep(0.01)  # the other workers go on
        enough.set()  # the new worker starts sooner on an idle machine
        for _ in range(600):
            with suppress(requests.ConnectionError):
                school.home(ada["accessToken"])
            if school.workers("token.accepted") - workers:
                break
            time.sleep(0.05)
    assert school.workers("token.accepted") - workers
    for thread in busy:
        thread.result()
    assert set(registered) <= set(UserRepository(school.database).names())
    for name in registered[::4]:  # each costs what a password's hash costs
        credentials = {"username": name, "password": PASSWORD}
        assert school.post("/users/login", credentials).status_code == 201
    assert school.home(ada["accessToken"]) == 200
    assert school.post("/refresh", {"token": ada["refreshToken"]}).status_code == 200


def test_a_teacher_moves_the_clock_of_all_workers(school: School, ada: dict[str, str]) -> None:
    """An access token that lives for an hour has expired at each of them."""
    tess = school.post("/users/login", {"username": "tess", "password": PASSWORD}).json()
    headers = {"Authorization": f"Bearer {tess['accessToken']}"}
    assert school.home(ada["accessToken"]) == 200
    answer = requests.post(
        school.url + "/clock", json={"seconds": 3600}, headers=headers, timeout=20
    )
    assert (answer.status_code, answer.json()["ahead"]) == (200, 3600)
    assert {school.home(ada["accessToken"]) for _ in range(40)} == {401}
    school.until_all_refuse("token.rejected", 4, ada["accessToken"])


def test_a_stop_lets_what_is_in_flight_finish_and_stores_the_last_events(
    mongodb_uri: str, tmp_path: Path
) -> None:
    db_uri = f"{mongodb_uri}/stop_{uuid.uuid4().hex[:8]}"
    with serving(tmp_path, WORKERS="2", DB_URI=db_uri, CLASS_LOG="1") as running:
        school = School(running, db_uri)
        school.post("/users/register", ADA)
        token = school.post("/users/login", ADA).json()["accessToken"]
        # The secrets were not given: the workers have the same random ones.
        school.until_all_have("token.accepted", 2, token)
        idle = socket.create_connection(("127.0.0.1", school.port), timeout=20)
        body = json.dumps(ADA).encode()
        with socket.create_connection(("127.0.0.1", school.port), timeout=20) as under_way:
            under_way.sendall(
                b"POST /users/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body)
            )
            assert under_way.recv(1000).startswith(b"HTTP/1.1 100")  # the app reads the body
            running.send_signal(signal.SIGTERM)
            with pytest.raises(subprocess.TimeoutExpired):
                running.wait(timeout=1)
            under_way.sendall(body)
            assert under_way.recv(1000).startswith(b"HTTP/1.1 201")
        assert said_at_the_end(running, timeout=20) == ("", "")
        assert running.returncode == 0
        idle.close()
    assert UserRepository(school.database).names() == ["ada"]
    events, _ = ClassEvents(school.database).read(0)
    assert [event["name"] for event in events].count("login.accepted") == 2
    assert (events[-1]["name"], events[-1]["username"]) == ("token.issued", "ada")
    school.database.client.close()


WORKER = """
import os
from demo_server import class_server
from demo_server.classroom import class_log
class_log.INTERVAL = 3600
app = class_server.create_worker_app()
assert not [name for name in os.environ if name.endswith(("_SECRET", "_PASSWORD"))]
for path in ("/users/register", "/users/login"):
    app.test_client().post(path, json={"username": "ada", "password": "x"})
"""


def test_a_worker_that_ends_stores_its_events_and_its_secrets_are_in_no_environment(
    mongodb_uri: str, tmp_path: Path
) -> None:
    db_uri = f"{mongodb_uri}/end_{uuid.uuid4().hex[:8]}"
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    env = {**kept, **SECRETS, "TEACHER_PASSWORD": "t" * 8, "DB_URI": db_uri, "CLASS_LOG": "1"}
    subprocess.run([sys.executable, "-c", WORKER], cwd=tmp_path, env=env, check=True, timeout=60)
    database = open_database(db_uri)
    events, _ = ClassEvents(database).read(0)
    assert [(event["name"], event["username"]) for event in events] == [
        ("login.accepted", "ada"), ("token.issued", "ada"), ("token.issued", "ada")]  # fmt: skip
    database.client.close()


def test_one_worker_needs_no_other_database(class_server_url: str) -> None:
    api = Api(class_server_url)
    only = {"username": "the only worker's", "password": PASSWORD}
    assert api.register(only)[0] == 201
    status, tokens = api.login(only)
    assert status == 201
    assert api.home(f"Bearer {tokens['accessToken']}")[0] == 200


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"WORKERS": "4"},
            "WORKERS is 4, but each process would have its own users: set DB_URI",
        ),
        ({"WORKERS": "4", "DB_URI": "mongomock://x"}, "set DB_URI to mongodb://host/name"),
        ({"WORKERS": "0"}, "WORKERS must be a whole number from 1"),
        ({"CLASS_LOG": "yes"}, "CLASS_LOG must be 1 or 0"),
        (
            {"DB_URI": "mongodb://ada:hunter2@127.0.0.1:1/x"},
            "DB_URI: the database cannot be opened",
        ),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_line_and_exit_2(
    settings: dict[str, str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("demo_server.storage.database.SERVER_SELECTION_TIMEOUT_MS", 50)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert class_server.main() == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("demo_server: ")
    assert err.count("\n") == 1
    assert words in err
    assert "hunter2" not in err


def test_without_granian_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "granian", None)
    assert class_server.main() == 2
    said = "demo_server: the class server needs granian: pip install granian\n"
    assert capsys.readouterr().err == said


def test_a_taken_port_is_one_line_and_exit_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Although granian would share it with another granian."""
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as taken:
        port = str(taken.getsockname()[1])
        monkeypatch.setenv("PORT", port)
        assert class_server.main() == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert f"port {port}" in err


def test_ctrl_c_while_the_database_is_awaited(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    # In the background of a shell Ctrl-C is ignored, also by the processes that start here.
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, former))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        db_uri = f"mongodb://127.0.0.1:{silent.getsockname()[1]}/class"
        with serving(tmp_path, DB_URI=db_uri) as running:
            silent.accept()[0].close()
            running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=20)
            assert (running.returncode, out, err) == (130, "", "")

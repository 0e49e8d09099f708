"""Nobody becomes a teacher by being first: the server creates the accounts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from client_widget import EventLog
from demo_server import ConfigError, DemoClock, DemoServer, ServerConfig, open_database
from demo_server.auth.auth_service import AuthService
from demo_server.classroom.teachers import announce, create_teachers
from demo_server.emit import ignore
from demo_server.storage.users import UserRepository

from ...conftest import in_threads, names
from ..api import ADA, TESS, Api, class_config
from ..processes import class_server, in_kernel_server


@pytest.fixture(params=["article", "rfc"])
def config(request: pytest.FixtureRequest) -> ServerConfig:
    return class_config(request.param)


@pytest.fixture
def database() -> Any:
    return open_database()


@pytest.fixture
def server(
    config: ServerConfig, clock: DemoClock, database: Any, log: EventLog
) -> Iterator[DemoServer]:
    emit = log.emitter("server")
    with DemoServer(config, clock=clock, database=database, emit=emit) as server:
        yield server


def read(api: Api, path: str, token: str) -> tuple[int, Any]:
    return api.send("GET", path, headers={"Authorization": f"Bearer {token}"})


def test_a_teachers_name_cannot_be_registered(
    api: Api, server: DemoServer, database: Any, log: EventLog
) -> None:
    taken = (403 if server.config.policy == "article" else 409, "user_exists")
    status, body = api.register({**TESS, "password": "a stranger's"})
    assert (status, body["error"]) == taken
    assert names(log)[-1] == ("server", "registration.refused")
    # Nor while its account is missing.
    database["users"].delete_many({"username": "tess"})
    status, body = api.register({**TESS, "password": "a stranger's"})
    assert (status, body["error"]) == taken
    assert database["users"].find_one({"username": "tess"}) is None


def test_the_teacher_logs_in_with_the_password_of_the_settings(api: Api) -> None:
    api.register()
    assert api.login({**TESS, "password": "another one"})[0] in (400, 401)
    token = api.login(TESS)[1]["accessToken"]
    assert read(api, "/class", token) == (200, {"users": ["ada", "tess"]})
    assert read(api, "/events", token)[0] == 200


def test_a_lesson_reads_the_random_password_in_the_settings(clock: DemoClock) -> None:
    config = ServerConfig(bcrypt_cost=4, teachers=("tess", "tim"))
    with DemoServer(config, clock=clock) as server:
        for name in config.teachers:
            credentials = {"username": name, "password": config.teacher_password}
            assert Api(server.url).login(credentials)[0] == 201


def test_a_restart_changes_nothing(config: ServerConfig, database: Any, clock: DemoClock) -> None:
    assert create_teachers(config, database) == ("tess",)
    before = database["users"].find_one({"username": "tess"})
    assert create_teachers(config, database) == ()
    again = replace(config, teacher_password="another password")
    with DemoServer(again, database=database, clock=clock) as server:
        assert Api(server.url).login(TESS)[0] == 201
    assert database["users"].find_one({"username": "tess"}) == before


def test_a_name_that_a_user_registered_stops_the_start(config: ServerConfig, database: Any) -> None:
    UserRepository(database).add("tess", "a hash")
    with pytest.raises(ConfigError, match=r"^TEACHERS: tess was registered by a user"):
        DemoServer(config, database=database)


def test_who_is_no_longer_named_is_no_longer_a_teacher(
    config: ServerConfig, database: Any, clock: DemoClock
) -> None:
    create_teachers(config, database)
    with DemoServer(replace(config, teachers=()), database=database, clock=clock) as server:
        api = Api(server.url)
        assert read(api, "/class", api.login(TESS)[1]["accessToken"])[0] == 403


def test_processes_that_start_together_create_an_account_once(
    config: ServerConfig, database: Any
) -> None:
    results = in_threads(8, lambda: create_teachers(config, database))
    assert sorted(results) == [()] * 7 + [("tess",)]
    assert UserRepository(database).names() == ["tess"]


@pytest.mark.parametrize("path", ["/class", "/events"])
def test_the_token_of_a_deleted_user_sees_nothing(
    api: Api, server: DemoServer, database: Any, log: EventLog, path: str
) -> None:
    api.register()
    for credentials in (ADA, TESS):
        token = api.login(credentials)[1]["accessToken"]
        database["users"].delete_many({"username": credentials["username"]})
        status, body = read(api, path, token)
        if server.config.policy == "article":
            assert (status, body["error"]) == (403, "token_revoked")
        else:
            assert (status, body["error"]) == (401, "invalid_token")
        assert set(body) <= {"message", "error", "error_description"}
        assert names(log)[-1] == ("server", "token.rejected")


def test_only_a_random_password_is_printed_and_only_for_new_accounts(
    config: ServerConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    random = ServerConfig(teachers=("tess", "דוד"))
    announce(config, ("tess",))
    announce(random, ())
    assert capsys.readouterr().out == ""
    announce(replace(random, port=0), ("tess", "דוד"))
    out = capsys.readouterr().out
    assert out.isascii()
    assert out.startswith(
        "Created the teacher accounts tess, '\\u05d3\\u05d5\\u05d3' with the pass"
    )
    assert random.teacher_password in out


@pytest.mark.parametrize("process", [in_kernel_server, class_server])
def test_each_server_prints_it_once_at_start(process: Any, tmp_path: Path) -> None:
    with process(tmp_path, PORT="0", TEACHERS="tess") as running:
        first = running.stdout.readline()
        assert first.startswith("Created the teacher account tess with the password ")
        password = first.split("password ")[1].split()[0]
        url = running.stdout.readline().split()[-1]
        status, _ = Api(url).login({"username": "tess", "password": password})
        assert status == 201
        status, body = Api(url).register({"username": "tess", "password": "a stranger's"})
        assert (status, body["error"]) == (403, "user_exists")
        running.terminate()
        out, err = running.communicate(timeout=20)
        assert password not in out + err


def test_no_event_holds_the_password(api: Api, server: DemoServer, log: EventLog) -> None:
    api.login(TESS)
    api.register(TESS)
    assert TESS["password"] not in log.to_jsonl() + repr(server.config) + repr(server)


def test_the_account_is_marked_in_the_database_only(
    config: ServerConfig, database: Any, clock: DemoClock
) -> None:
    service = AuthService(config, database=database, clock=clock, emit=ignore)
    assert service.register("ada", "a pass phrase").keys() == {"_id", "username"}
    assert UserRepository(database).find("ada") is not None
    assert not UserRepository(database).find("ada").teacher  # type: ignore[union-attr]

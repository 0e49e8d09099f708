"""One clock for the class: a teacher moves it, all follow at once, and nobody else can."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from demo_server import ConfigError, DemoClock, DemoServer, ServerConfig, open_database
from demo_server.app import TIME_HEADER
from demo_server.classroom import class_clock as module
from demo_server.classroom.class_clock import DELAY, FRESH, MAX_STEP, ClassClock
from demo_server.storage.database import ConnectionFailure

from ...conftest import START, in_threads
from ..api import TESS, Api, class_config


@pytest.fixture(params=["article", "rfc"])
def config(request: pytest.FixtureRequest) -> ServerConfig:
    return class_config(request.param, class_clock=True)


@pytest.fixture
def own() -> Any:
    return open_database()


@pytest.fixture
def server(config: ServerConfig, clock: DemoClock, own: Any) -> Iterator[DemoServer]:
    with DemoServer(config, clock=clock, database=own) as server:
        yield server


def move(api: Api, token: str | None, body: Any) -> tuple[int, Any]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return api.send("POST", "/clock", json=body, headers=headers)


def test_a_teacher_moves_the_clock_for_everyone(api: Api, server: DemoServer) -> None:
    api.register()
    ada, tess = api.login()[1], api.login(TESS)[1]
    bearer = f"Bearer {ada['accessToken']}"
    assert api.home(bearer)[0] == 200
    assert api.send("GET", "/clock") == (200, {"now": START, "ahead": 0})

    assert move(api, tess["accessToken"], {"seconds": 61}) == (
        200, {"now": START + 61, "ahead": 61})  # fmt: skip

    assert api.send("GET", "/clock") == (200, {"now": START + 61, "ahead": 61})
    assert api.home(bearer)[0] == (403 if server.config.policy == "article" else 401)
    assert api.refresh({"token": ada["refreshToken"]})[0] == 200
    # The class log shows the move, on the class's clock.
    server.flush()
    again = api.login(TESS)[1]["accessToken"]
    log = api.send("GET", "/events?after=0", headers={"Authorization": f"Bearer {again}"})[1]
    [moved] = [event for event in log["events"] if event["name"] == "clock.advanced"]
    assert (moved["username"], moved["seconds"], moved["at"]) == ("tess", 61, START + 61)


def test_nobody_else_moves_it(api: Api, server: DemoServer) -> None:
    api.register()
    ada = api.login()[1]["accessToken"]
    status, body = move(api, ada, {"seconds": 61})
    assert (status, body["error"]) == (403, "insufficient_scope")
    article = server.config.policy == "article"
    assert move(api, None, {"seconds": 61})[0] == (403 if article else 401)
    assert move(api, ada[:-1] + "?", {"seconds": 61})[0] == (403 if article else 401)
    assert api.send("GET", "/clock")[1]["ahead"] == 0


@pytest.mark.parametrize("seconds", [0, -61, MAX_STEP + 1, 61.5, True, None, "soon", [61], 10**30])
def test_it_moves_forward_only_in_bounded_steps(api: Api, seconds: Any) -> None:
    tess = api.login(TESS)[1]["accessToken"]
    status, body = move(api, tess, {"seconds": seconds})
    assert (status, body["message"]) == (
        400, f"The field seconds must be a whole number from 1 to {MAX_STEP}.")  # fmt: skip
    assert api.send("GET", "/clock")[1]["ahead"] == 0


def test_a_form_moves_it_too(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.login(TESS)[1]['accessToken']}"}
    answer = api.send("POST", "/clock", data={"seconds": "61"}, headers=headers)
    assert answer[1]["ahead"] == 61


def test_it_survives_a_restart(
    config: ServerConfig, clock: DemoClock, own: Any, server: DemoServer, api: Api
) -> None:
    move(api, api.login(TESS)[1]["accessToken"], {"seconds": 61})
    server.stop()
    with DemoServer(config, clock=clock, database=own) as again:
        assert Api(again.url).send("GET", "/clock") == (200, {"now": START + 61, "ahead": 61})


def test_each_response_of_a_class_server_has_its_time(server: DemoServer, api: Api) -> None:
    tess = api.login(TESS)[1]["accessToken"]
    assert requests.get(server.url + "/home", timeout=20).headers[TIME_HEADER] == f"{START}.000"
    move(api, tess, {"seconds": 61})
    there = requests.get(server.url + "/nowhere", headers={"Origin": "http://x"}, timeout=20)
    assert there.headers[TIME_HEADER] == f"{START + 61}.000"
    assert TIME_HEADER in there.headers["Access-Control-Expose-Headers"]


def test_without_the_setting_there_is_no_route_and_no_header(clock: DemoClock) -> None:
    with DemoServer(ServerConfig(bcrypt_cost=4), clock=clock) as server:
        for method in ("GET", "POST"):
            answer = requests.request(method, server.url + "/clock", timeout=20)
            assert (answer.status_code, answer.json()["error"]) == (404, "route_unknown")
            assert TIME_HEADER not in answer.headers


def test_the_clock_needs_the_class_log() -> None:
    with pytest.raises(ConfigError, match=r"^CLASS_CLOCK needs the class log"):
        ServerConfig(class_clock=True)


# Two processes of one server, as two clocks over one database


def test_another_process_follows_within_03_seconds(
    database: Any, clock: DemoClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both switch at the same instant, even one that read the move long before."""
    assert FRESH < DELAY <= 0.3
    first, second = ClassClock(database, clock), ClassClock(database, clock)
    assert (first(), second()) == (START, START)
    first.advance(61)
    real = time.monotonic
    monkeypatch.setattr(module.time, "monotonic", lambda: real() + FRESH)
    assert (first(), second()) == (START + 61, START + 61)
    assert ClassClock(database, clock)() == START + 61


def test_before_a_move_takes_effect_no_process_follows(
    mongodb_uri: str, clock: DemoClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(f"{mongodb_uri}/before_a_move")
    first, second = ClassClock(database, clock), ClassClock(database, clock)
    seen = []

    def look(seconds: float) -> None:  # in place of the wait between write and effect
        seen.append((ClassClock(database, clock)(), first(), second()))

    monkeypatch.setattr(module.time, "sleep", look)
    first.advance(61)
    assert seen == [(START, START, START)]
    after = time.time() + DELAY
    monkeypatch.setattr(module.time, "time", lambda: after)
    assert ClassClock(database, clock)() == START + 61
    database.client.close()


def test_moves_at_once_are_all_counted(database: Any, clock: DemoClock) -> None:
    clocks = [ClassClock(database, clock) for _ in range(3)]
    in_threads(3, lambda: clocks.pop().advance(61))
    assert ClassClock(database, clock).ahead == 183


def test_without_the_database_the_last_number_counts(
    clock: DemoClock, own: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = ClassClock(own, clock)
    follower.advance(61)

    def lost(*_: Any) -> None:
        raise ConnectionFailure

    monkeypatch.setattr(own["class_clock"], "find_one", lost)
    real = time.monotonic
    monkeypatch.setattr(module.time, "monotonic", lambda: real() + FRESH)
    assert follower() == START + 61

"""A server without a socket gives the same responses, events and errors as one with a socket."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
import requests

from client_widget import AuthClient, ClientError, Event, EventLog, ServerUnreachable
from client_widget.client import in_process as client_side
from demo_server import DemoClock, DemoServer, ServerConfig
from demo_server.serving import in_process as server_side

from ...conftest import PASSWORD, START

#: What only a connection has.
OF_THE_WIRE = {"date", "server", "connection"}

#: What is random, or takes time.
BY_CHANCE = {"elapsed", "jti", "family", "fingerprint", "body", "user_id", "token"}

Act = Callable[[AuthClient, DemoClock], object]


def told(transport: Any, policy: str, act: Act) -> tuple[object, list[object]]:
    """What `act` returns and what the log tells, with a server of that transport."""
    clock = DemoClock(start=START, rate=0)
    log = EventLog(clock=clock)
    config = ServerConfig(policy=policy, bcrypt_cost=4)
    with DemoServer(config, clock=clock, emit=log.emitter("server"), transport=transport) as server:
        logout_path = "/logout" if policy == "rfc" else None
        client = AuthClient(server.url, log=log, clock=clock, logout_path=logout_path)
        client.register("ada", PASSWORD)
        client.login("ada", PASSWORD)
        try:
            result = act(client, clock)
        except ClientError as error:
            result = repr(error)
    actions: dict[str | None, int] = {}
    return result, [plain(event, actions) for event in log]


def plain(event: Event, actions: dict[str | None, int]) -> object:
    number = actions.setdefault(event.correlation, len(actions))
    fields = {name: value for name, value in event.fields.items() if name not in BY_CHANCE}
    headers = {name.lower() for name in fields.pop("headers", {})} - OF_THE_WIRE
    for kind in ("access", "refresh"):
        if kind in fields:
            fields[kind] = {k: v for k, v in fields[kind].items() if k not in BY_CHANCE}
    return event.source, event.name, number, fields, headers


def expire(client: AuthClient, clock: DemoClock) -> object:
    clock.advance(61)
    return client.home()


def end(client: AuthClient, clock: DemoClock) -> object:
    clock.advance(301)
    return client.home()


def log_out(client: AuthClient, clock: DemoClock) -> object:
    return client.logout()


def send(method: str, path: str, data: Callable[[], Any] = lambda: None, **options: Any) -> Act:
    def act(client: AuthClient, clock: DemoClock) -> object:
        response = client.request(method, path, data=data(), **options)
        return response.status_code, response.reason, response.encoding, response.text

    return act


@pytest.mark.parametrize("policy", ["article", "rfc"])
@pytest.mark.parametrize(
    "act",
    [
        pytest.param(expire, id="expiry"),
        pytest.param(end, id="end"),
        pytest.param(log_out, id="logout"),
        pytest.param(send("GET", "/home?day=1&day=2"), id="query"),
        pytest.param(send("HEAD", "/home"), id="no body"),
        pytest.param(send("GET", "/no/such%2Froute"), id="unknown route"),
        pytest.param(send("DELETE", "/home"), id="wrong method"),
        pytest.param(send("POST", "/refresh", data=lambda: "{"), id="text"),
        pytest.param(send("POST", "/refresh", data=lambda: iter([b"{", b"}"])), id="pieces"),
        pytest.param(send("POST", "/refresh", data=lambda: io.BytesIO(b"{}")), id="file"),
        pytest.param(send("POST", "/refresh", data=lambda: b"x" * 17_000), id="too large"),
        pytest.param(send("GET", "/home", headers={"Origin": "https://a.example"}), id="origin"),
        pytest.param(send("GET", "/home", stream=True), id="stream"),
    ],
)
def test_both_transports_tell_the_same(act: Act, policy: str) -> None:
    result, events = told("in-process", policy, act)
    assert (result, events) == told("http", policy, act)
    assert len(events) > 8


def test_a_server_that_is_stopped_is_unreachable_until_it_starts_again() -> None:
    server = DemoServer(transport="in-process").start()
    client = AuthClient(server.url)
    client.register("ada", PASSWORD)
    server.stop()
    with pytest.raises(ServerUnreachable, match=r"no connection\. Is the server running\?"):
        client.login("ada", PASSWORD)
    assert not server.running
    with server:
        client.login("ada", PASSWORD)
        assert client.home() == {"message": "Welcome ada"}


def test_each_server_has_its_own_address() -> None:
    with (
        DemoServer(transport="in-process", name="one") as one,
        DemoServer(transport="in-process", name="two") as two,
    ):
        assert one.url != two.url
        assert AuthClient(one.url).register("ada", PASSWORD)["username"] == "ada"
        assert AuthClient(two.url).register("ada", PASSWORD)["username"] == "ada"
        port = int(one.url.rpartition(":")[2])
        with pytest.raises(OSError, match="has this address"):
            DemoServer(transport="in-process", name="three", port=port).start()


def test_a_name_belongs_to_one_server_whatever_its_transport() -> None:
    with DemoServer() as first, DemoServer(transport="in-process") as second:
        assert (first.running, second.running) == (False, True)


def test_an_unknown_transport_is_refused() -> None:
    with pytest.raises(ValueError, match='transport must be "http" or "in-process"'):
        DemoServer(transport="tcp")  # type: ignore[arg-type]


def test_a_redirect_from_a_server_of_this_process_leaves_it_for_nobody() -> None:
    session = requests.Session()
    session.mount("http://", client_side.InProcessAdapter())
    with pytest.raises(requests.ConnectionError, match="No server of this process"):
        session.get("http://example.invalid/home")


def test_both_sides_meet_at_one_place() -> None:
    assert (client_side.HOME, client_side.HOST) == (server_side.HOME, server_side.HOST)

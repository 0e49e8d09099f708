"""`DemoServer`: start, stop, names, and what is left behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
import requests
from waitress.server import TcpWSGIServer

from demo_server import DemoServer, ServerConfig

from ...conftest import ShortOfThreads

CONFIG = ServerConfig(bcrypt_cost=4)


def answers(server: DemoServer) -> bool:
    try:
        return requests.get(server.url + "/home", timeout=5).status_code == 403
    except requests.ConnectionError:
        return False


def test_it_serves_on_a_free_loopback_port_until_stopped() -> None:
    server = DemoServer(CONFIG)
    assert not server.running
    with pytest.raises(RuntimeError, match=r"call start\(\) first"):
        _ = server.url
    with server:
        assert server.url.startswith("http://127.0.0.1:")
        assert answers(server)
    assert not server.running
    assert not answers(server)


def test_starting_and_stopping_twice_is_no_fault() -> None:
    server = DemoServer(CONFIG).start()
    assert server.start() is server
    server.stop()
    server.stop()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"config": {"policy": "rfc"}}, "config must be a ServerConfig, such as ServerConfig(pol"),
        ({"database": "mongomock://x"}, "database must be one of open_database(), not a value of"),
        ({"clock": 1_800_000_000.0}, "clock must be a function that returns seconds"),
        ({"emit": []}, 'emit must be a function, such as log.emitter("server"), not a value of'),
        ({"port": "8000"}, "port must be a whole number from 0 to 65535 (0 picks a free one)"),
        ({"port": 70_000}, "port must be a whole number from 0 to 65535 (0 picks a free one)"),
    ],
)
def test_a_wrong_argument_is_named_before_anything_starts(
    given: dict[str, Any], message: str
) -> None:
    with pytest.raises((TypeError, ValueError)) as error:
        DemoServer(**given)
    assert str(error.value).startswith(message)


def test_users_tokens_and_port_outlive_a_stop() -> None:
    server = DemoServer(CONFIG)
    ada = {"username": "ada", "password": "x"}
    with server:
        url = server.url
        requests.post(url + "/users/register", json=ada, timeout=5)
        token = requests.post(url + "/users/login", json=ada, timeout=5).json()["accessToken"]
    with server:
        assert server.url == url
        headers = {"Authorization": f"Bearer {token}"}
        assert requests.get(url + "/home", headers=headers, timeout=5).status_code == 200


def test_a_name_is_borne_by_one_running_server() -> None:
    first, second = DemoServer(CONFIG).start(), DemoServer(CONFIG)
    other = DemoServer(CONFIG, name="other").start()
    try:
        second.start()
        assert (first.running, second.running, other.running) == (False, True, True)
        assert not answers(first)
        assert answers(second)
        assert answers(other)
        first.stop()  # of no concern to its successor
        assert answers(second)
    finally:
        second.stop()
        other.stop()


@pytest.mark.parametrize("reload", ["%autoreload", "importlib.reload", "a fresh import"])
def test_a_name_is_borne_by_one_running_server_after_a_reload(reload: str) -> None:
    """In its own process, because the tests go on with the modules that they imported."""
    again = {
        "%autoreload": "for module in modules: superreload(module)",
        "importlib.reload": "for module in modules: importlib.reload(module)",
        "a fresh import": "for module in modules: del sys.modules[module.__name__]",
    }[reload]
    program = f"""
import importlib, socket, sys
from IPython.extensions.autoreload import superreload
from demo_server import DemoServer, ServerConfig

def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True

config = ServerConfig(bcrypt_cost=4)
first = DemoServer(config).start()
def port_of(server):
    return int(server.url.rpartition(":")[2])

port = port_of(first)
names = ("serving.registry", "serving.wsgi", "server")
modules = [sys.modules["demo_server." + name] for name in names]
{again}
second = importlib.import_module("demo_server.server").DemoServer(config).start()
print(answers(port), answers(port_of(second)), first.running, second.running)
second.stop()
print(answers(port_of(second)))
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert ended.stdout.split() == ["False", "True", "False", "True", "False"], ended.stderr


def test_two_servers_are_strangers() -> None:
    ada = {"username": "ada", "password": "x"}
    with DemoServer(CONFIG) as one, DemoServer(CONFIG, name="two") as two:
        assert requests.post(one.url + "/users/register", json=ada, timeout=5).status_code == 201
        assert requests.post(two.url + "/users/register", json=ada, timeout=5).status_code == 201


def test_a_taken_port_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = DemoServer(CONFIG, port=port)
        with pytest.raises(OSError, match="in use"):
            server.start()
        assert not server.running


def test_it_listens_on_ipv6_if_told() -> None:
    with DemoServer(ServerConfig(host="::1", bcrypt_cost=4)) as server:
        assert server.url.startswith("http://[::1]:")
        assert answers(server)


def test_a_connection_is_kept() -> None:
    with DemoServer(CONFIG) as server, requests.Session() as session:
        ports = set()
        for _ in range(5):
            with session.get(server.url + "/home", timeout=5, stream=True) as response:
                ports.add(response.raw.connection.sock.getsockname()[1])
                _ = response.content
        assert len(ports) == 1


def test_more_connections_than_waitress_takes_by_default_are_served() -> None:
    with DemoServer(CONFIG) as server:
        host, port = server.url.removeprefix("http://").split(":")
        kept = [socket.create_connection((host, int(port)), timeout=5) for _ in range(200)]
        try:
            assert answers(server)
        finally:
            for connection in kept:
                connection.close()


def accepts(server: DemoServer) -> bool:
    host, port = server.url.removeprefix("http://").split(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError:
        return False
    return True


class Held:
    """A route that answers when it is told to."""

    def __init__(self, server: DemoServer) -> None:
        self.entered, self.go = threading.Event(), threading.Event()
        server.app.view_functions["home"] = self

    def __call__(self) -> str:
        self.entered.set()
        self.go.wait(timeout=20)
        return "late"


def test_a_stop_lets_what_is_in_flight_finish() -> None:
    server = DemoServer(CONFIG).start()
    held = Held(server)
    with ThreadPoolExecutor(2) as pool:
        answer = pool.submit(requests.get, server.url + "/home", timeout=20)
        assert held.entered.wait(timeout=20)
        stop = pool.submit(server.stop)
        while accepts(server):  # until the stop is under way
            pass
        time.sleep(0.25)  # half of the grace: idle workers are long gone by then
        held.go.set()
        stop.result(timeout=20)
        assert answer.result(timeout=20).text == "late"


def test_a_stop_does_not_wait_for_a_handler_that_hangs() -> None:
    server = DemoServer(CONFIG).start()
    held = Held(server)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(requests.get, server.url + "/home", timeout=20)
        assert held.entered.wait(timeout=20)
        server.stop()  # the handler is still held: this call came back without it
        assert not held.go.is_set()
        with pytest.raises(requests.ConnectionError):
            answer.result(timeout=20)
        held.go.set()


def test_a_stop_waits_for_no_idle_client() -> None:
    with requests.Session() as session:
        server = DemoServer(CONFIG).start()
        session.get(server.url + "/home", timeout=5)
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as half:
            half.sendall(b"POST /users/login HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")
            server.stop()
            with suppress(ConnectionResetError):  # cut with data unread, or closed
                assert half.recv(1) == b""
        assert not answers(server)


def test_a_stop_may_meet_a_server_that_wakes_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client connects just between the word to end and the wake-up that goes with it."""
    server = DemoServer(CONFIG).start()
    [loop] = [t for t in threading.enumerate() if t.name == f"demo_server {server.name}"]
    pull = TcpWSGIServer.pull_trigger

    def late(listener: TcpWSGIServer) -> None:
        accepts(server)
        loop.join(timeout=0.3)  # time enough to end, were it allowed to
        pull(listener)

    monkeypatch.setattr(TcpWSGIServer, "pull_trigger", late)
    server.stop()
    assert not server.running


def test_logins_in_flight_at_a_stop_are_answered_or_cut_but_never_wrong() -> None:
    ada = {"username": "ada", "password": "x"}
    for _ in range(5):
        server = DemoServer(CONFIG).start()
        requests.post(server.url + "/users/register", json=ada, timeout=5)

        def login(url: str = server.url) -> int:
            try:
                return requests.post(url + "/users/login", json=ada, timeout=20).status_code
            except requests.ConnectionError:
                return 0

        with ThreadPoolExecutor(16) as pool:
            logins = [pool.submit(login) for _ in range(32)]
            server.stop()
            assert {job.result(timeout=20) for job in logins} <= {201, 0}


def test_a_thousand_starts_and_stops_leave_no_thread_and_no_socket() -> None:
    server = DemoServer(CONFIG)
    with server:
        assert answers(server)

    def left() -> tuple[set[str], int]:
        threads = {
            t.name for t in threading.enumerate() if "demo_server" in t.name or "waitress" in t.name
        }
        return threads, _descriptors()

    _settle(left)
    before = left()
    for round_ in range(1000):
        with server:
            if round_ % 100 == 0:
                assert answers(server)
    _settle(left)
    assert left() == before
    assert before[0] == set()


def _descriptors() -> int:
    """Open files and sockets of this process, where the system tells."""
    return len(os.listdir("/dev/fd")) if os.path.isdir("/dev/fd") else 0


def _settle(left: object) -> None:
    """A worker thread may be on its last line when `stop` returns."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and any("waitress" in t.name for t in threading.enumerate()):
        time.sleep(0.01)


def test_what_is_not_http_is_refused_in_json() -> None:
    with DemoServer(CONFIG) as server:
        host, port = server.url.removeprefix("http://").split(":")
        for junk in [b"junk\r\n\r\n", b"GET / HTTP/1.1\r\n".ljust(262_144, b"x")]:
            with socket.create_connection((host, int(port)), timeout=5) as connection:
                connection.sendall(junk)
                answer = b""
                while chunk := connection.recv(65536):
                    answer += chunk
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.split()[1] in (b"400", b"431")
            assert b"Content-Type: application/json" in head
            assert b'"error": "request_malformed"' in body
        assert answers(server)


def test_what_is_shown_holds_no_port() -> None:
    with DemoServer(CONFIG) as server:
        assert repr(server) == "<DemoServer 'demo', running>"
    assert repr(server) == "<DemoServer 'demo', stopped>"


@pytest.mark.parametrize("failing", ["demo_server", "waitress"])
def test_a_start_without_threads_keeps_no_port(
    failing: str, config: ServerConfig, no_threads: ShortOfThreads
) -> None:
    server = DemoServer(config)
    with server:
        url = server.url
    no_threads(lambda thread: thread.name.startswith(failing))
    with pytest.raises(RuntimeError, match="can't start new thread"):
        server.start()
    assert not server.running
    no_threads(lambda thread: False)
    with server:
        assert server.url == url
        assert requests.get(f"{url}/home", timeout=20).status_code == 403

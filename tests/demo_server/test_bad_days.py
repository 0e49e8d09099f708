"""Bad days of a server: clients that are slow, die or lie, a slow database, a clock set back."""

from __future__ import annotations

import gc
import json
import socket
import struct
import threading
import tracemalloc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import pairwise
from typing import Any

import pytest
import requests
from werkzeug.test import create_environ

from client_widget import AuthClient, EventLog, LoginRequired, Rejected, describe
from demo_server import DemoClock, DemoServer, ServerConfig, create_app, open_database
from demo_server.emit import ignore

from ..conftest import PASSWORD, START
from .api import ADA, Api


def connect(server: DemoServer) -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def read_all(connection: socket.socket) -> bytes:
    answer = b""
    while chunk := connection.recv(65536):
        answer += chunk
    return answer


REQUEST = b"GET /home HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n"


class TestClients:
    def test_a_slow_one_keeps_nobody_waiting_and_is_served(self, server: DemoServer) -> None:
        """More of them than the server has threads."""
        with ExitStack() as stack:
            slow = [stack.enter_context(connect(server)) for _ in range(40)]
            for connection in slow:
                connection.sendall(REQUEST[:30])
            assert requests.get(server.url + "/home", timeout=5).status_code == 403
            for connection in slow:
                for byte in REQUEST[30:]:
                    connection.sendall(bytes([byte]))
            for connection in slow:
                assert read_all(connection).startswith(b"HTTP/1.1 403")

    def test_those_that_die_leave_nothing_behind(self, server: DemoServer, api: Api) -> None:
        api.register()
        body = json.dumps(ADA).encode()
        head = b"POST /users/login HTTP/1.1\r\nHost: lab\r\nContent-Type: application/json\r\n"
        whole = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
        for length in range(1, len(whole) + 1, 3):
            with connect(server) as connection:
                connection.sendall(whole[:length])
                # An abrupt end: the other side sees a reset.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert api.login()[0] == 201
        assert server.running
        server.stop()
        assert not server.running

    def test_half_open_connections_do_not_delay_a_stop(self, server: DemoServer) -> None:
        with ExitStack() as stack:
            for _ in range(100):
                stack.enter_context(connect(server)).sendall(REQUEST[:20])
            server.stop()
            assert not server.running
            with pytest.raises(OSError, match="refused"):
                connect(server)


class SlowDatabase:
    """A database that finds no user before it is told to."""

    def __init__(self) -> None:
        self._database = open_database()
        self.client = self._database.client
        self.asked = threading.Semaphore(0)
        self.go = threading.Event()

    def __getitem__(self, name: str) -> Any:
        collection = self._database[name]
        if name != "users":
            return collection
        find_one = collection.find_one

        def slow(*args: Any) -> Any:
            self.asked.release()
            assert self.go.wait(timeout=20)
            return find_one(*args)

        collection.find_one = slow
        return collection


def test_a_slow_database_holds_up_only_those_who_need_it(clock: DemoClock) -> None:
    database, config = SlowDatabase(), ServerConfig(bcrypt_cost=4)
    with DemoServer(config, database=database, clock=clock, name="slow") as server:
        api = Api(server.url)
        api.register()
        with ThreadPoolExecutor(7) as pool:
            logins = [pool.submit(api.login) for _ in range(7)]
            for _ in logins:
                assert database.asked.acquire(timeout=20)
            # The page needs no database: the token says who asks.
            assert api.home("Bearer x")[0] == 403
            database.go.set()
            assert [login.result()[0] for login in logins] == [201] * 7


class TestClock:
    @pytest.mark.parametrize("policy", ["article", "rfc"])
    def test_a_small_step_back_costs_no_session(
        self, clock: DemoClock, log: EventLog, policy: str
    ) -> None:
        config = ServerConfig(bcrypt_cost=4, policy=policy)
        with DemoServer(config, clock=clock, name=policy) as server:
            client = AuthClient(server.url, log=log, clock=clock)
            client.register("ada", PASSWORD)
            client.login("ada", PASSWORD)
            clock.advance(-10)
            assert client.home() == {"message": "Welcome ada"}
            clock.advance(75)
            assert client.home() == {"message": "Welcome ada"}

    @pytest.mark.parametrize("policy", ["article", "rfc"])
    def test_an_hour_of_class_is_answers_and_logins(self, log: EventLog, policy: str) -> None:
        """Three students press Home every 20 seconds, and log in again when they are told to."""
        clock = DemoClock(start=START, rate=0)
        config = ServerConfig(bcrypt_cost=4, policy=policy)
        # Without sockets, which have no part in it and take most of the time of 1,000 requests.
        with DemoServer(config, clock=clock, name=policy, transport="in-process") as server:
            students = [
                AuthClient(server.url, log=log, clock=clock, name=f"student {number}")
                for number in range(3)
            ]
            for student in students:
                student.register(student.name, PASSWORD)
                student.login(student.name, PASSWORD)
            outcomes: Counter[str] = Counter()
            for _ in range(180):
                clock.advance(20)
                for student in students:
                    try:
                        assert student.home() == {"message": f"Welcome {student.name}"}
                        outcomes["page"] += 1
                    except LoginRequired:
                        student.login(student.name, PASSWORD)
                        outcomes["login"] += 1
        # The article's refresh token ends after 300 s, at every 15th press. One that is
        # rotated in time does not end.
        ends = 36 if policy == "article" else 0
        assert outcomes == Counter(page=540 - ends, login=ends)


class TestLies:
    def test_a_name_cannot_add_a_header(self, api: Api) -> None:
        name = "eve\r\nSet-Cookie: stolen=1"
        answer = requests.post(api.url + "/users/login", json={**ADA, "username": name}, timeout=20)
        assert answer.status_code == 400
        assert "Set-Cookie" not in answer.headers

    def test_a_name_cannot_add_a_line_to_a_log(self, client: AuthClient, log: EventLog) -> None:
        name = "eve\nserver session.started \x1b[31mtess\u2028is in"
        for send in (client.register, client.login):
            with pytest.raises(Rejected, match="The username contains U\\+000A"):
                send(name, PASSWORD)
        log.record("user.registered", source="server", username=name)  # another server took it
        for event in log:
            assert describe(event).isprintable()
        lines = log.to_jsonl().splitlines()
        assert [json.loads(line)["seq"] for line in lines] == list(range(1, len(log) + 1))

    @pytest.mark.parametrize(
        "path", ["/home%ff", "/home/%00", "/%f0%28%8c%28", "/" + "a" * 20_000, "/%0d%0aX: y"]
    )
    def test_no_path_breaks_it(self, api: Api, path: str) -> None:
        assert api.send("GET", path)[0] == 404

    @pytest.mark.parametrize(
        "line",
        [
            b"Authorization: Bearer \xff\xfe",
            b"Authorization: Bearer " + "\N{GREEK SMALL LETTER ALPHA}.b.c".encode(),
            b"Authorization: Bearer a\x00b",
            b"Authorization: " + b"x" * 100_000,
            b"X-Request-ID: \xe4\xf6",
            b"Content-Length: 99999999999999999999",
            b"Content-Length: -1",
            b"Content-Type: application/json; charset=\xff",
        ],
        ids=lambda line: repr(line[:30]),
    )
    def test_no_header_breaks_it(self, server: DemoServer, line: bytes) -> None:
        with connect(server) as connection:
            connection.sendall(REQUEST.replace(b"Host: lab", b"Host: lab\r\n" + line))
            head, _, body = read_all(connection).partition(b"\r\n\r\n")
        assert head.split()[1] in (b"400", b"403", b"413", b"431")
        assert set(json.loads(body)) == {"message", "error"}

    def test_headers_past_256_kib_are_refused(self, server: DemoServer) -> None:
        with connect(server) as connection:
            connection.sendall(REQUEST[:-4] + b"\r\nX: " + b"x" * 262_144 + b"\r\n\r\n")
            head, _, body = read_all(connection).partition(b"\r\n\r\n")
        assert head.split()[1] == b"431"
        assert json.loads(body)["error"] == "request_malformed"

    @pytest.mark.parametrize(
        "not_http",
        [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a TLS handshake begins so
            REQUEST.replace(b"/home", b"http://[::1/home"),
        ],
    )
    def test_what_is_no_http_is_refused_at_once(self, server: DemoServer, not_http: bytes) -> None:
        with connect(server) as connection:
            connection.sendall(not_http)
            head, _, body = read_all(connection).partition(b"\r\n\r\n")
        assert head.split()[1] == b"400"
        assert json.loads(body)["error"] == "request_malformed"


def test_a_thousand_requests_leave_no_memory_behind() -> None:
    """What a request allocates it gives back. `make bench` does the same with 100,000."""
    app = create_app(
        ServerConfig(bcrypt_cost=4),
        database=open_database(),
        clock=DemoClock(start=START, rate=0),
        emit=ignore,
    )
    client = app.test_client()
    client.post("/users/register", json=ADA)
    token = client.post("/users/login", json=ADA).json["accessToken"]
    environ = create_environ("/home", headers={"Authorization": f"Bearer {token}"})
    statuses: Counter[str] = Counter()

    def visit(times: int) -> int:
        # Without Flask's test client, which allocates more than the app does.
        for _ in range(times):
            with closing(app(environ.copy(), lambda status, _: statuses.update([status]))) as body:
                assert b"".join(body)
        gc.collect()  # what only waits for the collector is not left behind
        return tracemalloc.get_traced_memory()[0]

    # Python caches attribute lookups in 4,096 places. A lookup by C code keeps its name there,
    # some 50 bytes; after 2,000 requests it finds few empty places. Untraced, they take half as
    # long.
    visit(2_000)
    tracemalloc.start()
    try:
        # Threads of other tests may still allocate, so one round may grow by chance: a leak grows
        # in every round.
        sizes = [0, visit(1_000), visit(1_000), visit(1_000)]
        growth = min(after - before for before, after in pairwise(sizes))
        assert growth < 20_000  # bytes: 20 for each request would be a leak
    finally:
        tracemalloc.stop()
    assert statuses == {"200 OK": 5_000}

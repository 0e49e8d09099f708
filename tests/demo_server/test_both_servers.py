"""The server in the kernel and the class server answer alike, and hostile clients stop neither."""

from __future__ import annotations

import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from demo_server import DemoServer
from demo_server.class_server import GRACE

from .processes import class_server, port_of, said_at_the_end

#: The head of a request whose body then drips.
DRIPPING = (
    b"POST /users/login HTTP/1.1\r\nHost: lab\r\nContent-Type: application/json\r\n"
    b"Content-Length: 9000\r\n\r\n{"
)


@pytest.fixture(autouse=True)
def many_files() -> Iterator[None]:
    """Let this process open two thousand connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connect(port: int | None) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port or 0), timeout=20)


def read_all(connection: socket.socket) -> bytes:
    answer = b""
    while chunk := connection.recv(65536):
        answer += chunk
    return answer


#: What the servers themselves add to a response.
OF_THE_SERVER = {"date", "server", "connection", "via", "transfer-encoding"}


def answer_to(url: str, request: bytes) -> tuple[int, dict[str, str], bytes]:
    with connect(urlsplit(url).port) as connection:
        connection.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        head, _, body = read_all(connection).partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(each.split(": ", 1) for each in lines)
    # Flask lists methods in the order of a set.
    headers = {n.lower(): ", ".join(sorted(v.split(", "))) for n, v in headers.items()}
    return int(line.split()[1]), {k: headers[k] for k in headers.keys() - OF_THE_SERVER}, body


def lines(first: str, *headers: str, body: str = "") -> bytes:
    head = [f"{first} HTTP/1.1", "Host: lab", "X-Request-ID: me", *headers]
    return "\r\n".join([*head, "", body]).encode("latin-1")


FORM = "Content-Type: application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "request_",
    [
        lines("GET /home"),
        lines("HEAD /home"),
        lines("GET /h%6fme?x=%ff"),
        lines("GET /home%2F"),
        lines("GET /home%ff/%e2%82%ac/%00"),
        lines("GET http://other/home"),
        lines("GET /" + "a" * 20_000),
        lines("GET /home", "Authorization: Bearer \xff\xfe"),
        lines("GET /home", "Authorization: Bearer a", "Authorization: Bearer b"),
        lines("GET /home", "X_Request_ID: other"),
        lines("GET /home", "Origin: http://example"),
        lines("OPTIONS /users/login", "Origin: http://x", "Access-Control-Request-Method: POST"),
        lines("GET /users/login"),
        lines("DELETE /home"),
        lines("GET /nope"),
        lines("GET /openapi.json"),
        lines("GET /app"),
        lines("HEAD /app/"),
        lines("GET /app/main.js"),
        lines("GET /app/%2e%2e/routes.py"),
        lines("POST /users/login"),
        lines("POST /users/login", "Content-Length: 0"),
        lines("POST /users/login", FORM, "Content-Length: 1", body="x"),
        lines("POST /refresh", FORM, "Transfer-Encoding: chunked", body="3\r\na=b\r\n0\r\n\r\n"),
        lines("POST /refresh", "Transfer-Encoding: chunked", body="0\r\n\r\n"),
        lines("POST /refresh", "Content-Type: application/json", "Content-Length: 2", body="[]"),
        lines("POST /refresh", "Content-Type: \xff", "Content-Length: 2", body="[]"),
        lines("POST /refresh", "Content-Length: 20000", body="x" * 20_000),
        lines("GET /home", FORM, "Content-Length: 20000", body="x" * 20_000),
    ],
    ids=lambda request: repr(request.replace(b"HTTP/1.1\r\nHost: lab\r\n", b"")[:60]),
)
def test_they_answer_alike(server: DemoServer, class_server_url: str, request_: bytes) -> None:
    here, there = answer_to(server.url, request_), answer_to(class_server_url, request_)
    assert there == here
    assert here[0] < 500


def test_clients_that_drip_a_body_hold_no_thread(url: str) -> None:
    """Each byte comes so late that a server that waits for it in a thread stops."""
    with ExitStack() as stack:
        dripping = [stack.enter_context(connect(urlsplit(url).port)) for _ in range(50)]
        for connection in dripping:
            connection.sendall(DRIPPING)
        for _ in range(10):
            assert requests.get(url + "/home", timeout=10).status_code == 403
            for connection in dripping:
                connection.sendall(b" ")


def test_200_that_drip_and_1000_that_are_silent_stop_neither_the_class_nor_its_end(
    tmp_path: Path,
) -> None:
    with class_server(tmp_path) as running, ExitStack() as stack:
        port = port_of(running)
        connections = [stack.enter_context(connect(port)) for _ in range(1200)]
        dripping = connections[1000:]
        for connection in dripping:
            connection.sendall(DRIPPING)
        ada = {"username": "ada", "password": "a pass phrase"}
        for path in ("/users/register", "/users/login"):
            answer = requests.post(f"http://127.0.0.1:{port}{path}", json=ada, timeout=10)
            assert answer.status_code == 201
        # A body that does not arrive ends its connection, however steadily it drips.
        assert read_all(dripping[0]).startswith(b"HTTP/1.1 408")
        running.send_signal(signal.SIGTERM)
        # Sooner than that, no worker had to be killed.
        assert said_at_the_end(running, timeout=GRACE - 1) == ("", "")
        assert running.returncode == 0


def test_silent_connections_lose_their_places(tmp_path: Path) -> None:
    few = "class_server.CONNECTIONS, class_server.SILENCE = 20, 1"
    with class_server(tmp_path, changed=few) as running, ExitStack() as stack:
        port = port_of(running)
        silent = [stack.enter_context(connect(port)) for _ in range(60)]
        for connection in silent[30:]:
            connection.sendall(b"GET /home HTTP/1.1\r\nHost:")
        assert requests.get(f"http://127.0.0.1:{port}/home", timeout=20).status_code == 403
        assert all(read_all(connection) == b"" for connection in silent)


def test_workers_end_when_the_main_process_is_killed(tmp_path: Path) -> None:
    with class_server(tmp_path) as running, ExitStack() as stack:
        port = port_of(running)
        workers = psutil.Process(running.pid).children(recursive=True)
        assert workers
        stack.enter_context(connect(port)).sendall(DRIPPING)
        running.kill()
        _, alive = psutil.wait_procs(workers, timeout=20)
        for worker in alive:
            worker.kill()
        assert alive == []
        with socket.create_server(("127.0.0.1", port)):
            pass  # the port is free


def test_a_taken_port_is_reported_once_and_says_what_to_do(
    class_server_url: str, tmp_path: Path
) -> None:
    port = urlsplit(class_server_url).port
    with class_server(tmp_path, PORT=str(port)) as second:
        out, err = second.communicate(timeout=20)
    assert (second.returncode, out) == (2, "")
    assert err == (
        f"demo_server: cannot listen on 127.0.0.1, port {port} (Address already in use): "
        "stop the program that uses the port, or set PORT to another\n"
    )

"""A body beyond the limit is refused whole, however it is framed and whatever it contains."""

from __future__ import annotations

import io
import uuid

import pytest
import requests

from demo_server import DemoServer
from demo_server.app import MAX_BODY_BYTES

#: What stands before and after the padding. Both forms stay valid where they are cut.
KINDS = {
    "application/json": (b'{"username": "NAME", "password": "a pass phrase", "x": "', b'"}'),
    "application/x-www-form-urlencoded": (b"username=NAME&password=a+pass+phrase&x=", b""),
    "multipart/form-data; boundary=b": (
        b'--b\r\nContent-Disposition: form-data; name="username"\r\n\r\nNAME\r\n'
        b'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\na pass phrase\r\n'
        b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n',
        b"\r\n--b--\r\n",
    ),
    "text/plain": (b"", b""),
}


def body(kind: str, size: int) -> bytes:
    start, end = KINDS[kind]
    start = start.replace(b"NAME", uuid.uuid4().hex.encode())
    return start + b"x" * (size - len(start) - len(end)) + end


@pytest.mark.parametrize("kind", KINDS)
def test_a_limit_refuses_where_the_app_reads_the_chunks(server: DemoServer, kind: str) -> None:
    """With a WSGI server that decodes a chunked body while the app reads it."""

    def register(size: int) -> tuple[int, str]:
        answer = server.app.test_client().post(
            "/users/register",
            input_stream=io.BytesIO(body(kind, size)),
            content_type=kind,
            headers={"Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input_terminated": True},
        )
        return answer.status_code, answer.json.get("error")

    for size in (MAX_BODY_BYTES + 1, 2 * MAX_BODY_BYTES):
        assert register(size) == (413, "body_too_large")
    expected = (400, "request_malformed") if kind == "text/plain" else (201, None)
    assert register(MAX_BODY_BYTES) == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_limit_refuses(url: str, kind: str, chunked: bool) -> None:
    def register(size: int) -> tuple[int, str]:
        data = body(kind, size)
        answer = requests.post(
            url + "/users/register",
            data=iter([data[:1000], data[1000:]]) if chunked else data,
            headers={"Content-Type": kind},
            timeout=20,
        )
        return answer.status_code, answer.json().get("error")

    for size in (MAX_BODY_BYTES + 1, 2 * MAX_BODY_BYTES, 10 * MAX_BODY_BYTES):
        assert register(size) == (413, "body_too_large")
    expected = (400, "request_malformed") if kind == "text/plain" else (201, None)
    assert register(MAX_BODY_BYTES) == expected

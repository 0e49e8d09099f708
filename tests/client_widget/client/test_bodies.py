"""What a call is sent with. Its body is sent whole again on the retry."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import request as flask_request

from client_widget import AuthClient
from client_widget.client.transport import HttpTransport
from demo_server import DemoServer

OPTIONS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "json": {"json": {"a": ["ä"]}},
    "json that is false": {"json": 0},
    "bytes": {"data": b"some bytes"},
    "a form": {"data": {"a": "b", "c": ["d", "e"]}},
    "params": {"params": {"a": "ä&", "b": ["c", "d"], "none": None}},
    "params as text": {"params": "a=b"},
    "a login": {"auth": ("ada", "pass")},
    "headers": {"headers": {"x-a": "b", "ACCEPT": "text/plain", "User-Agent": None}},
    "cookies": {"cookies": {"sid": "1"}, "json": {}},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_a_request_is_prepared_as_requests_does_it(options: dict[str, Any]) -> None:
    transport, plain = HttpTransport("http://127.0.0.1:1"), requests.Session()
    plain.trust_env = False
    ours = transport.prepare(requests.Request("post", "/home?x=1", **options))
    theirs = plain.prepare_request(
        requests.Request("post", "http://127.0.0.1:1/home?x=1", **options)
    )
    assert (ours.method, ours.url, ours.body) == (theirs.method, theirs.url, theirs.body)
    assert list(ours.headers.items()) == list(theirs.headers.items())
    # A token in its headers stays there.
    ours.headers["Authorization"] = "Bearer x"
    assert "Authorization" not in transport.session.headers


class TestBodies:
    """A body is sent whole again on the retry."""

    @pytest.fixture
    def received(self, server: DemoServer) -> list[bytes]:
        """What arrives at a route that wants a token; the first time it is refused."""
        bodies: list[bytes] = []

        def upload() -> Any:
            bodies.append(flask_request.get_data())
            return ({"error": "token_expired"}, 403) if len(bodies) == 1 else ({}, 200)

        server.app.view_functions["home"] = upload
        rule = next(r for r in server.app.url_map.iter_rules() if r.endpoint == "home")
        assert rule.methods is not None
        rule.methods.add("POST")
        return bodies

    @pytest.mark.parametrize(
        "options",
        [
            lambda tmp: {"data": b"some bytes"},
            lambda tmp: {"json": {"a": ["b"]}},
            lambda tmp: {"data": {"a": "b"}},
            lambda tmp: {"data": io.BytesIO(b"from memory")},
            lambda tmp: {"data": (tmp / "file").open("rb")},
            lambda tmp: {"data": iter([b"one", b"two"])},
            lambda tmp: {"data": Pipe(b"cannot go back")},
            lambda tmp: {"files": {"f": (tmp / "file").open("rb")}},
        ],
        ids=["bytes", "json", "form", "memory", "file", "iterator", "pipe", "upload"],
    )
    def test_it_is(
        self, ada: AuthClient, received: list[bytes], tmp_path: Path, options: Any
    ) -> None:
        (tmp_path / "file").write_bytes(b"from a file" * 100)
        given = options(tmp_path)
        assert ada.request("POST", "/home", **given).status_code == 200
        first, second = received
        assert first == second
        assert first
        for value in [given.get("data"), *given.get("files", {}).values()]:
            if hasattr(value, "close"):
                value.close()

    def test_a_file_is_sent_from_where_it_stands(
        self, ada: AuthClient, received: list[bytes]
    ) -> None:
        body = io.BytesIO(b"head, tail")
        body.seek(6)
        ada.request("POST", "/home", data=body)
        assert received == [b"tail", b"tail"]


class Pipe(io.RawIOBase):
    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, size: int = -1) -> bytes:
        content, self._content = self._content, b""
        return content

    def seekable(self) -> bool:
        return False

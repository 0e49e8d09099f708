"""The body of a call is sent whole again on the retry."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from flask import request as flask_request

from client_widget import (
    AuthClient,
)
from demo_server import DemoServer


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

"""`Front`: the WSGI environ that it builds, what it reads, and what it leaves unread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from typing import Any
from wsgiref.validate import validator

import pytest

from demo_server.serving import front
from demo_server.serving.front import Environ, Front, build_environ

LIMIT = 100


def scope(path: bytes = b"/home", headers: Iterable[tuple[bytes, bytes]] = ()) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/never read",
        "raw_path": path,
        "query_string": b"after=%31&x=\xff",
        "server": ("127.0.0.1", "8000"),
        "client": ("127.0.0.2", "1234"),
        "headers": list(headers),
    }


class TestEnviron:
    def test_has_the_request_as_pep_3333_asks(self) -> None:
        environ = build_environ(scope(b"/a%2Fb%ff/%e2%82%ac"))
        # Percent-decoded once, each byte one character of Latin-1.
        assert environ["PATH_INFO"] == "/a/b\xff/\xe2\x82\xac"
        assert environ["SCRIPT_NAME"] == ""
        assert environ["QUERY_STRING"] == "after=%31&x=\xff"
        assert environ["REQUEST_METHOD"] == "POST"
        assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("127.0.0.1", "8000")
        assert environ["REMOTE_ADDR"] == "127.0.0.2"
        assert environ["wsgi.url_scheme"] == "http"

    def test_has_each_header_once(self) -> None:
        environ = build_environ(
            scope(
                headers=[
                    (b"x-request-id", b"one"),
                    (b"X-Request-ID", b"two"),
                    (b"cookie", b"a=1"),
                    (b"cookie", b"b=2"),
                    (b"content-type", b"text/plain; charset=\xff"),
                ]
            )
        )
        assert environ["HTTP_X_REQUEST_ID"] == "one, two"
        assert environ["HTTP_COOKIE"] == "a=1; b=2"
        assert environ["CONTENT_TYPE"] == "text/plain; charset=\xff"

    def test_has_no_header_that_would_pass_for_another(self) -> None:
        environ = build_environ(scope(headers=[(b"x_request_id", b"other")]))
        assert "HTTP_X_REQUEST_ID" not in environ

    def test_has_nothing_of_the_server(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ACCESS_TOKEN_SECRET", "s" * 32)
        assert not [name for name in build_environ(scope()) if "SECRET" in name]


class App:
    """A WSGI application that keeps what it was given."""

    def __init__(self) -> None:
        self.environ: Environ = {}
        self.body = b""
        self.closed = False

    def __call__(self, environ: Environ, start_response: Any) -> App:
        if "HTTP_FAIL" in environ:
            raise RuntimeError("broken")
        self.environ = environ
        self.thread = threading.current_thread()
        self.body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH", 0)))
        start_response("201 Created", [("Content-Type", "text/plain"), ("X-Answer", "\xff")])
        return self

    def __iter__(self) -> Any:
        return iter([b"it ", b"works"])

    def close(self) -> None:
        self.closed = True


def ask(app: Any, messages: list[dict[str, Any]], *headers: tuple[bytes, bytes]) -> list[Any]:
    """What the front sends for a request whose body arrives in these messages."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        if not messages:  # the client sends nothing more
            await asyncio.Event().wait()
        return messages.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(Front(app, limit=LIMIT, threads=1)(scope(headers=headers), receive, send))
    return sent


CHUNKED = (b"transfer-encoding", b"chunked")


def pieces(*bodies: bytes, more: bool = False) -> list[dict[str, Any]]:
    messages = [{"type": "http.request", "body": body, "more_body": True} for body in bodies]
    messages[-1]["more_body"] = more
    return messages


class TestFront:
    def test_runs_the_app_in_a_thread_and_sends_its_response(self) -> None:
        app = App()
        start, body = ask(validator(app), pieces(b"ab", b"", b"cd"), CHUNKED)
        assert start["status"] == 201
        assert start["headers"] == [(b"content-type", b"text/plain"), (b"x-answer", b"\xff")]
        assert body == {"type": "http.response.body", "body": b"it works"}
        assert app.thread is not threading.current_thread()
        assert app.closed

    def test_gives_the_body_a_length(self) -> None:
        app = App()
        ask(app, pieces(b"ab", b"cd"), CHUNKED)
        assert app.environ["CONTENT_LENGTH"] == "4"
        assert "HTTP_TRANSFER_ENCODING" not in app.environ
        assert app.body == b"abcd"

    def test_waits_for_no_body_where_there_is_none(self) -> None:
        assert ask(App(), [])[0]["status"] == 201
        assert ask(App(), [], (b"content-length", b"0"))[0]["status"] == 201

    @pytest.mark.parametrize("beyond", [1, 50, 5000])
    def test_leaves_it_to_the_app_to_refuse_a_body_beyond_the_limit(self, beyond: int) -> None:
        app, messages = App(), pieces(b"x" * 60, b"x" * (LIMIT - 60 + beyond), b"y" * 100)
        ask(app, messages, (b"content-length", b"%d" % (LIMIT + beyond + 100)))
        assert app.environ["CONTENT_LENGTH"] == str(LIMIT + 1)
        assert len(app.body) == LIMIT + 1
        assert messages == []  # read to its end, so that the client sees the response

    def test_reads_no_more_than_a_mebibyte(self) -> None:
        app, messages = App(), pieces(*[b"x" * 100_000] * 20)
        ask(app, messages, CHUNKED)
        assert app.environ["CONTENT_LENGTH"] == str(LIMIT + 1)
        assert len(messages) == 9

    def test_answers_408_to_a_body_that_does_not_arrive(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(front, "DEADLINE", 0)
        app = App()
        start, body = ask(app, pieces(b"a", more=True), (b"content-length", b"9"))
        assert start["status"] == 408
        assert (b"connection", b"close") in start["headers"]
        assert b"request_timeout" in body["body"]
        assert app.environ == {}

    def test_runs_nothing_for_a_client_that_has_gone_or_sends_no_http(self) -> None:
        """The server reports both alike, and the second one reads the response."""
        app = App()
        messages = [*pieces(b"whole", more=True), {"type": "http.disconnect"}]
        start, body = ask(app, messages, CHUNKED)
        assert start["status"] == 400
        assert (b"connection", b"close") in start["headers"]
        assert b"request_malformed" in body["body"]
        assert app.environ == {}

    def test_a_fault_of_the_app_reaches_the_server_and_ends_no_thread(self) -> None:
        app = App()
        served = Front(app, limit=LIMIT, threads=1)
        sent: list[Any] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        async def twice() -> None:
            with pytest.raises(RuntimeError, match="broken"):
                await served(scope(headers=[(b"fail", b"1")]), None, send)  # type: ignore[arg-type]
            await served(scope(), None, send)  # type: ignore[arg-type]

        asyncio.run(twice())
        assert sent[0]["status"] == 201

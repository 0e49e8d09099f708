"""Reads a request whole before a thread is taken for it, so that a slow client holds none.

`Front` is an ASGI application around a WSGI application. On the event loop it reads the body, up
to the app's limit and within `DEADLINE` seconds; then a thread of a small pool runs the app.
Libraries that do this (a2wsgi, asgiref) take the thread first, or wait without a deadline.

A body beyond the limit is read and thrown away: a client that is still sending would find the
connection closed and never see the response. The app gets one byte more than it accepts, so the
refusal, its event and its headers are the app's, as on every server.

The environ is the one that PEP 3333 asks for:

- the path is percent-decoded, as the characters of Latin-1;
- a header that is repeated is joined with commas (RFC 9110, section 5.3), cookies with semicolons;
- a header with an underscore in its name is left out, because it would pass for another one;
- there is a Content-Length, that of what was read, and no Transfer-Encoding.
"""

from __future__ import annotations

import asyncio
import io
import json
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from queue import SimpleQueue
from typing import Any
from urllib.parse import unquote_to_bytes

#: Seconds in which a body must arrive.
DEADLINE = 5.0

# What is read and thrown away at most. Beyond this the connection is closed.
_MOST_DISCARDED = 1024 * 1024

Environ = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
Response = tuple[int, list[tuple[bytes, bytes]], bytes]


class _Disconnected(Exception):
    """The client has gone, or what it sent is no HTTP."""


class Front:
    """An ASGI application that runs `app` in threads, for requests that have arrived whole.

    Args:
        app: a WSGI application. Its responses are held in memory.
        limit (int): the largest body that the app accepts, in bytes.
        threads (int): requests that are handled at a time. The others wait for a thread.
    """

    def __init__(self, app: WsgiApp, *, limit: int, threads: int) -> None:
        self._app = app
        self._limit = limit
        # A ThreadPoolExecutor costs a tenth of the time of a request to /home more.
        self._waiting: SimpleQueue[tuple[Environ, asyncio.Future[Response]]] = SimpleQueue()
        for number in range(threads):
            threading.Thread(target=self._work, name=f"request {number}", daemon=True).start()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        environ = build_environ(scope)
        body = b""
        if "HTTP_TRANSFER_ENCODING" in environ or environ.get("CONTENT_LENGTH", "0") != "0":
            try:
                async with asyncio.timeout(DEADLINE):
                    body = await self._read(receive)
            except _Disconnected:
                # Without a response granian would say that the server has failed.
                await _respond(send, _MALFORMED)
                return
            except TimeoutError:
                await _respond(send, _TOO_SLOW)
                return
            environ.pop("HTTP_TRANSFER_ENCODING", None)
            environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = io.BytesIO(body)
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiting.put((environ, answer))
        await _respond(send, await answer)

    async def _read(self, receive: Receive) -> bytes:
        """The body, or its first `limit + 1` bytes if it is longer."""
        pieces, length, more = [], 0, True
        while more and length <= _MOST_DISCARDED:
            message = await receive()
            if message["type"] != "http.request":
                raise _Disconnected
            piece = message.get("body", b"")
            if length <= self._limit:
                pieces.append(piece)
            length += len(piece)
            more = message.get("more_body", False)
        return b"".join(pieces)[: self._limit + 1]

    def _work(self) -> None:
        while True:
            environ, answer = self._waiting.get()
            settle: Callable[[], None]
            try:
                settle = partial(answer.set_result, self._run(environ))
            except Exception as error:
                settle = partial(answer.set_exception, error)
            answer.get_loop().call_soon_threadsafe(settle)
            del environ, answer, settle  # they hold what the client sent

    def _run(self, environ: Environ) -> Response:
        started: list[Any] = []

        def start_response(status: str, headers: Any, exc_info: Any = None) -> Callable[..., Any]:
            started[:] = status, headers
            return pieces.append

        pieces: list[bytes] = []
        iterable = self._app(environ, start_response)
        try:
            pieces.extend(iterable)
        finally:
            if hasattr(iterable, "close"):
                iterable.close()
        status, headers = started
        encoded = [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in headers]
        return int(status[:3]), encoded, b"".join(pieces)


def build_environ(scope: dict[str, Any]) -> Environ:
    """The WSGI environ of an ASGI scope, but for `wsgi.input`.

    Source: PEP 3333, "environ Variables" and "Unicode Issues"; RFC 3875, section 4.1.
    """
    server, client = scope.get("server") or ("", ""), scope.get("client") or ("", "")
    path = scope.get("raw_path") or scope["path"].encode()
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": "HTTP/" + ("1.0" if scope["http_version"] == "1" else "1.1"),
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1").upper()
        if "_" in name:
            continue
        name = name.replace("-", "_")
        if name not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            name = "HTTP_" + name
        value = raw_value.decode("latin-1")
        if name in environ:
            value = environ[name] + ("; " if name == "HTTP_COOKIE" else ", ") + value
        environ[name] = value
    return environ


def _refusal(status: int, code: str, message: str) -> Response:
    body = json.dumps({"error": code, "message": message}).encode()
    headers = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        "connection": "close",
    }
    return status, [(name.encode(), value.encode()) for name, value in headers.items()], body


_MALFORMED = _refusal(400, "request_malformed", "The body is not valid HTTP")
_TOO_SLOW = _refusal(408, "request_timeout", f"The body did not arrive within {DEADLINE:g} seconds")


async def _respond(send: Send, response: Response) -> None:
    status, headers, body = response
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

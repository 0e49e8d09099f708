"""A threaded HTTP/1.1 server in this process, built on waitress.

waitress expects a process to itself. In a notebook it needs:

- a separate loop: `waitress.serve` blocks, and its `close` waits for idle connections;
- a stop that finishes the responses in flight and closes the rest;
- room for many idle connections: at its limit of 100 it silently accepts no more;
- `select`, which is a fifth faster here, and `poll` past descriptor 1023;
- a quiet log, because a thread's output appears in whichever notebook cell is running;
- its own refusals, such as of a request that is not HTTP, in JSON like the app's, and at once.
"""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from typing import Any

import waitress
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import ErrorTask
from waitress.utilities import BadRequest

THREADS = 8

#: Seconds that a stop waits for requests in flight.
GRACE = 0.5

_SELECT_LIMIT = 1000

# Beyond this the connection is closed. The app refuses earlier, with a proper response.
_MAX_BODY_BYTES = 1024 * 1024

# The first byte of a TLS handshake (RFC 8446, section 5.1).
_HANDSHAKE = b"\x16"

logging.getLogger("waitress").addHandler(logging.NullHandler())
logging.getLogger("waitress").propagate = False


class _JsonErrorTask(ErrorTask):  # type: ignore[misc]
    def execute(self) -> None:
        error = self.request.error
        self.status = f"{error.code} {error.reason}"
        code = "body_too_large" if error.code == 413 else "request_malformed"
        body = json.dumps({"message": error.reason, "error": code}).encode()
        self.response_headers.append(("Content-Type", "application/json"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    def received(self, data: bytes) -> int:
        if self.body_rcv is None and not self.header_plus and data.startswith(_HANDSHAKE):
            # A client of an https URL: the blank line after the headers would never come.
            return self._refuse(data)
        try:
            consumed: int = super().received(data)
            return consumed
        except ValueError:  # a target that is no URL, such as http://[::1/home
            return self._refuse(data)

    def _refuse(self, data: bytes) -> int:
        self.error = BadRequest("")
        self.completed = self.headers_finished = True
        return len(data)


class _Channel(HTTPChannel):  # type: ignore[misc]
    error_task_class = _JsonErrorTask
    parser_class = _Parser

    @property
    def busy(self) -> bool:
        """Whether a request is being handled, or a response is not fully sent."""
        return bool(self.requests or self.total_outbufs_len)


class WsgiServer:
    """Serves `app` from separate threads until `close`.

    Args:
        app: a WSGI application.
        host (str): a name or an address of this machine.
        port (int): 0 picks a free one; `.port` says which.
        name (str): becomes part of the thread's name.

    Raises:
        OSError: the server cannot listen on that address.
        RuntimeError: the system has no thread for it now.
    """

    def __init__(self, app: Any, host: str, port: int, name: str) -> None:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.create_server(address[:2], family=family, backlog=1024)
        self.port: int = listener.getsockname()[1]
        self._map: dict[int, Any] = {}
        self._closing = threading.Event()
        # Held while `close` sets the flag and wakes the loop. The loop can wake on its own in
        # between, and must not close the trigger before it is pulled.
        self._ending = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"demo_server {name}", daemon=True)
        try:
            self._server = waitress.create_server(
                app,
                map=self._map,
                sockets=[listener],
                threads=THREADS,
                connection_limit=1000,
                max_request_body_size=_MAX_BODY_BYTES,
                channel_request_lookahead=1,  # keep reading while a request is handled
                clear_untrusted_proxy_headers=False,  # the app does not read them
                ident=None,
            )
            self._server.channel_class = _Channel
            self._thread.start()
        except BaseException:  # no thread can be started: do not keep the port
            wasyncore.close_all(self._map)
            listener.close()
            raise

    def close(self) -> None:
        """Stop within a second: requests in flight have `GRACE` seconds to finish."""
        with self._ending:
            self._closing.set()
            self._server.pull_trigger()
        self._thread.join(timeout=1.0)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._poll(timeout=30.0)
        wasyncore.dispatcher.close(self._server)  # the listener; the loop's trigger stays
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline and any(
            channel.busy for channel in list(self._server.active_channels.values())
        ):
            self._poll(timeout=0.05)
        # An idle worker ends at once. A busy handler keeps its thread until it returns, and
        # finds its connection closed.
        self._server.task_dispatcher.shutdown(timeout=0.1)
        with self._ending:
            wasyncore.close_all(self._map)  # the connections and the trigger

    def _poll(self, timeout: float) -> None:
        use_poll = max(self._map) > _SELECT_LIMIT
        wasyncore.loop(timeout=timeout, use_poll=use_poll, map=self._map, count=1)

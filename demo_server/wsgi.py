"""A threaded HTTP/1.1 server in this process: waitress, started and stopped by us.

waitress is made to own its process. To live in a notebook it needs:

- an own loop: `waitress.serve` blocks, and its `close` waits for kept connections;
- a stop that lets answers in flight leave, and closes the rest;
- room for many kept connections: at its limit of 100 it accepts no more, in silence;
- `select` while it can, as it is a fifth faster here, and `poll` past descriptor 1023;
- a quiet log: what a thread prints lands in whichever notebook cell is running;
- its own refusals (a request that is not HTTP) in JSON, as the app's.
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
from waitress.task import ErrorTask

THREADS = 8

#: How long a stop waits for requests in flight, in seconds.
GRACE = 0.5

_SELECT_LIMIT = 1000

# Past this the connection is cut. The app refuses earlier, with a proper answer.
_MAX_BODY_BYTES = 1024 * 1024

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


class _Channel(HTTPChannel):  # type: ignore[misc]
    error_task_class = _JsonErrorTask

    @property
    def busy(self) -> bool:
        """Is a request being answered, or an answer not wholly sent?"""
        return bool(self.requests or self.total_outbufs_len)


class WsgiServer:
    """Serves `app` from its own threads until `close`.

    Args:
        app: a WSGI application.
        host (str): a name or an address of this machine.
        port (int): 0 picks a free one; `.port` tells which.
        name (str): stands in the thread's name.

    Raises:
        OSError: the address cannot be listened on.
    """

    def __init__(self, app: Any, host: str, port: int, name: str) -> None:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.create_server(address[:2], family=family, backlog=1024)
        self.port: int = listener.getsockname()[1]
        self._map: dict[int, Any] = {}
        self._server = waitress.create_server(
            app,
            map=self._map,
            sockets=[listener],
            threads=THREADS,
            connection_limit=1000,
            max_request_body_size=_MAX_BODY_BYTES,
            channel_request_lookahead=1,  # read on while a request is answered
            clear_untrusted_proxy_headers=False,  # the app reads none of them
            ident=None,
        )
        self._server.channel_class = _Channel
        self._closing = threading.Event()
        # Held while the loop is told to end and woken: it may wake by itself in between, and
        # must not close the trigger that is about to be pulled.
        self._ending = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"demo_server {name}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop within a second: what is in flight has `GRACE` seconds to finish."""
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
        # An idle worker leaves at once; a handler that is still busy keeps its thread
        # until it returns, and finds its connection closed.
        self._server.task_dispatcher.shutdown(timeout=0.1)
        with self._ending:
            wasyncore.close_all(self._map)  # the connections and the trigger

    def _poll(self, timeout: float) -> None:
        use_poll = max(self._map) > _SELECT_LIMIT
        wasyncore.loop(timeout=timeout, use_poll=use_poll, map=self._map, count=1)

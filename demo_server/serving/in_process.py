"""A server without a socket: requests of this process reach the app by a function call.

This is how a browser tab serves, where Python can open no socket. It works everywhere else too.
Server and client do not import each other. As over TCP they meet at an address,
`http://in-process:1`, and its number takes the place of a port: `HOME` is a module without a file
that maps each number to the function that answers requests.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeAlias

from werkzeug.test import create_environ, run_wsgi_app

#: The name of the module, in `sys.modules`, that holds the servers by their number.
HOME = "in-process servers"

#: The host of every such address.
HOST = "in-process"

#: (method, url, headers, body) → (status, reason, headers, body)
Answer: TypeAlias = Callable[
    [str, str, list[tuple[str, str]], bytes],
    tuple[int, str, list[tuple[str, str]], bytes],
]


class InProcessServer:
    """Answers the requests of this process, in the thread that makes them, until `close`.

    Args:
        app: a WSGI application.
        port (int): the number in the address; 0 picks a free one, and `.port` says which.

    Raises:
        OSError: another server has this number.
    """

    def __init__(self, app: Any, port: int) -> None:
        self._app = app
        servers = _servers()
        self.port = port or next(n for n in range(1, len(servers) + 2) if n not in servers)
        if servers.setdefault(self.port, self.answer) != self.answer:
            raise OSError(errno.EADDRINUSE, "Another server of this process has this address")

    def close(self) -> None:
        """Answer no further requests."""
        del _servers()[self.port]

    def answer(
        self, method: str, url: str, headers: list[tuple[str, str]], body: bytes
    ) -> tuple[int, str, list[tuple[str, str]], bytes]:
        """The app's response to one request."""
        origin, _, path = url.removeprefix("http://").partition("/")
        environ = create_environ(
            f"/{path}", f"http://{origin}/", method=method, headers=headers, data=body
        )
        pieces, status, answered, *_ = run_wsgi_app(self._app, environ, buffered=True)
        code, _, reason = status.partition(" ")
        return int(code), reason, list(answered), b"".join(pieces)


def _servers() -> dict[int, Answer]:
    home = sys.modules.setdefault(HOME, ModuleType(HOME))
    servers: dict[int, Answer] = vars(home).setdefault("servers", {})
    return servers

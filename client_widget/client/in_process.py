"""Reaches a server of this process by a function call, where the address says so.

`http://in-process:1` names a server in the table that `demo_server.serving.in_process` fills.
Client and server do not import each other: they meet at the module `HOME`, as over TCP they meet
at a port.
"""

from __future__ import annotations

import io
import sys
import time
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.utils import get_encoding_from_headers

#: The name of the module, in `sys.modules`, that holds the servers by their number.
HOME = "in-process servers"

#: The host of every such address.
HOST = "in-process"


def is_in_process(url: str) -> bool:
    """Whether the server at `url` is in this process, and reached without a socket."""
    return urlsplit(url).hostname == HOST


class InProcessAdapter(BaseAdapter):
    """Calls the server instead of connecting to it. There is nothing to time out or to verify."""

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        """The server's response.

        Raises:
            requests.ConnectionError: no server has this address.
        """
        parts = urlsplit(request.url or "")
        servers = vars(sys.modules[HOME])["servers"] if HOME in sys.modules else {}
        answer = servers.get(parts.port) if parts.hostname == HOST else None
        if answer is None:
            raise requests.ConnectionError("No server of this process has this address")
        asked = (request.method, request.url, list(request.headers.items()), _read(request.body))
        time.sleep(0)  # as on a wire: while a message is on its way, other threads run
        status, reason, headers, body = answer(*asked)
        time.sleep(0)
        response = requests.Response()
        response.status_code = status
        response.reason = reason
        for name, value in headers:
            before = response.headers.get(name)
            response.headers[name] = value if before is None else f"{before}, {value}"
        response.encoding = get_encoding_from_headers(response.headers)
        response.raw = io.BytesIO(b"" if request.method == "HEAD" else body)
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        """There is no connection to close."""


def _read(body: Any) -> bytes:
    if body is None:
        return b""
    if hasattr(body, "read"):
        body = body.read()
    if isinstance(body, str):
        return body.encode()
    return body if isinstance(body, bytes) else b"".join(body)


def install() -> None:
    """Let every new `requests.Session` reach servers this way: where there is no socket to try."""
    requests.sessions.HTTPAdapter = InProcessAdapter  # type: ignore[assignment]

"""Load on one or more URLs over kept connections, from its own process.

    echo '{"targets": […], "rounds": 15, "slice": 0.3}' | python benchmarks/load.py

A target is `{"url", "requests", "tokens"}`: the bytes of a request for each connection, as text,
and, for a server that rotates, the refresh token that is in each: the next request then has the
one that came with the answer. With `"answers"` a target is loaded until it has answered so often.

Takes turns between the targets in short slices, so that a machine that slows down slows all of
them, and prints a JSON list: for each target, its answers per second in each round. One thread
drives all connections with a selector and looks at each answer's status and length only, so that
the server is measured and not this client. Targets must be on loopback.
"""

from __future__ import annotations

import json
import math
import selectors
import socket
import sys
import time
from typing import Any
from urllib.parse import urlsplit


class Connection:
    """A kept connection, its request, and what has come of the answer.

    Args:
        address: host and port.
        request (str): the bytes to send, as ASCII.
        token (str): the refresh token in it, if the server rotates; else "".
    """

    def __init__(self, address: tuple[str, int], request: str, token: str) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = request.encode()
        self._token = token.encode()
        self._received = bytearray()

    def ask(self) -> None:
        """Send the request."""
        self.socket.sendall(self._request)

    def answered(self) -> bool:
        """Read on; tells whether the answer is whole.

        Raises:
            RuntimeError: there was none, or it was not a success.
        """
        piece = self.socket.recv(65536)
        if not piece:
            raise RuntimeError(f"The server hung up on {self._request[:40]!r}")
        self._received += piece
        if not whole(self._received):
            return False
        if not self._received.startswith(b"HTTP/1.1 2"):
            raise RuntimeError(bytes(self._received.partition(b"\r\n")[0]).decode())
        if self._token:
            body = bytes(self._received.partition(b"\r\n\r\n")[2])
            token = json.loads(body)["refreshToken"].encode()
            # Tokens of one user are equally long, so Content-Length stays right.
            assert len(token) == len(self._token)
            self._request = self._request.replace(self._token, token)
            self._token = token
        self._received.clear()
        return True


class Target:
    """Kept connections to one URL, as many as there are requests."""

    def __init__(self, url: str, requests: list[str], tokens: list[str]) -> None:
        parts = urlsplit(url)
        if parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise SystemExit("The target must be on loopback")
        self._selector = selectors.DefaultSelector()
        for request, token in zip(requests, tokens or [""] * len(requests), strict=True):
            connection = Connection((parts.hostname, parts.port or 80), request, token)
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)

    def load(self, seconds: float, most: float = math.inf) -> float:
        """Answers per second, each connection asking again once it is answered.

        Args:
            seconds (float): for how long to ask.
            most (float): how often to ask at most.
        """
        start = time.perf_counter()
        waiting = 0
        for key in self._selector.get_map().values():
            key.data.ask()
            waiting += 1
        asked, answers = waiting, 0
        while waiting:
            ready = self._selector.select(timeout=30.0)
            if not ready:
                raise RuntimeError("No answer came for 30 seconds")
            for key, _ in ready:
                if not key.data.answered():
                    continue
                answers += 1
                if asked < most and time.perf_counter() - start < seconds:
                    key.data.ask()
                    asked += 1
                else:
                    waiting -= 1
        return answers / (time.perf_counter() - start)


def whole(received: bytearray) -> bool:
    """Has all of an answer with a Content-Length come?"""
    head, separator, body = received.partition(b"\r\n\r\n")
    if not separator:
        return False
    _, _, rest = head.lower().partition(b"content-length:")
    return len(body) >= int(rest.partition(b"\r\n")[0])


def main() -> None:
    plan: dict[str, Any] = json.load(sys.stdin)
    targets = [Target(**target) for target in plan["targets"]]
    if "answers" in plan:
        rates = [[target.load(math.inf, plan["answers"])] for target in targets]
    else:
        for target in targets:
            target.load(plan["slice"])  # to warm up
        rates = [[] for _ in targets]
        for _ in range(plan["rounds"]):
            for target, series in zip(targets, rates, strict=True):
                series.append(target.load(plan["slice"]))
    print(json.dumps(rates))


if __name__ == "__main__":
    main()

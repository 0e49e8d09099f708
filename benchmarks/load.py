"""Load on one or more URLs over kept connections, from a process of its own.

    python benchmarks/load.py URL [URL ...] [--connections 8] [--rounds 15] [--slice 0.3]
                              [--header 'Name: value']

Takes turns between the URLs in short slices, so that a machine that slows down slows all
of them, and prints a JSON list: for each URL, its answers per second in each round. One
thread drives all connections with a selector and looks at each answer's status and length
only, so that the server is measured and not this client. Targets must be on loopback.
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import time
from urllib.parse import urlsplit


class Target:
    """Kept connections to one URL."""

    def __init__(self, url: str, headers: list[str], connections: int) -> None:
        parts = urlsplit(url)
        if parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise SystemExit("The target must be on loopback")
        lines = [f"GET {parts.path} HTTP/1.1", f"Host: {parts.netloc}", *headers]
        self._request = "\r\n".join([*lines, "", ""]).encode()
        self._selector = selectors.DefaultSelector()
        for _ in range(connections):
            connection = socket.create_connection((parts.hostname, parts.port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(connection, selectors.EVENT_READ, bytearray())

    def load(self, seconds: float) -> float:
        """Answers per second, each connection asking again once it is answered.

        Raises:
            RuntimeError: an answer was not 200.
        """
        start = time.perf_counter()
        waiting = 0
        for key in self._selector.get_map().values():
            key.fileobj.sendall(self._request)
            waiting += 1
        answers = 0
        while waiting:
            for key, _ in self._selector.select(timeout=5.0):
                connection, buffer = key.fileobj, key.data
                buffer += connection.recv(65536)
                if not _whole(buffer):
                    continue
                if not buffer.startswith(b"HTTP/1.1 200"):
                    raise RuntimeError(bytes(buffer.partition(b"\r\n")[0]).decode())
                buffer.clear()
                answers += 1
                if time.perf_counter() - start < seconds:
                    connection.sendall(self._request)
                else:
                    waiting -= 1
        return answers / (time.perf_counter() - start)


def _whole(buffer: bytearray) -> bool:
    head, separator, body = buffer.partition(b"\r\n\r\n")
    if not separator:
        return False
    _, _, rest = head.lower().partition(b"content-length:")
    return len(body) >= int(rest.partition(b"\r\n")[0])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url", nargs="+")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--slice", type=float, default=0.3)
    parser.add_argument("--header", action="append", default=[])
    options = parser.parse_args()
    targets = [Target(url, options.header, options.connections) for url in options.url]
    for target in targets:
        target.load(options.slice)  # to warm up
    rates: list[list[float]] = [[] for _ in targets]
    for _ in range(min(options.rounds, 100)):
        for target, series in zip(targets, rates, strict=True):
            series.append(target.load(min(options.slice, 5.0)))
    print(json.dumps(rates))

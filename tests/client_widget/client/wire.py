"""A server of bare bytes: it answers each path with what a test wants on the wire."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

#: What to send for a path; a function writes to the connection itself.
Bytes = bytes | Callable[[socket.socket], None]


def http(status: int, body: bytes = b"", **headers: str) -> bytes:
    """A whole response."""
    lines = [f"HTTP/1.1 {status} X", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if "Content_Length" not in headers and "Transfer_Encoding" not in headers:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@dataclass
class Wire:
    """The running server.

    Attributes:
        url (str): its address.
        answers (dict[str, Bytes]): what it sends, by path.
        requests (list[bytes]): what it has received, one each.
    """

    url: str
    answers: dict[str, Bytes] = field(default_factory=dict)
    requests: list[bytes] = field(default_factory=list)

    def paths(self) -> list[str]:
        return [request.split()[1].decode() for request in self.requests]


@contextmanager
def wire(**answers: Bytes) -> Iterator[Wire]:
    """Serve until the end of the block. The path `/a/b` is the keyword `a_b`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Wire(f"http://127.0.0.1:{listener.getsockname()[1]}")
        server.answers = {f"/{name.replace('_', '/')}": told for name, told in answers.items()}

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                connection.settimeout(20)
                request = _read(connection)
                server.requests.append(request)
                told = server.answers.get(server.paths()[-1], http(404))
                told(connection) if callable(told) else connection.sendall(told)

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield server
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def _read(connection: socket.socket) -> bytes:
    """One request with its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536) or b"\r\n\r\n"
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.splitlines()
            if b"content-length" in line.lower()
        ),
        0,
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body

"""A server over https: whose certificate is trusted, and what is said when it is not."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from client_widget import AuthClient, ServerUnreachable, TokenPair

from ...tls import Tls, over_tls


class Handler(BaseHTTPRequestHandler):
    """Refuses the first token and accepts its successor."""

    def do_GET(self) -> None:
        fresh = self.headers["Authorization"] == "Bearer access-2"
        self.answer(200, b'{"message":"Welcome ada"}') if fresh else self.answer(403, b"{}")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, b'{"accessToken":"access-2"}')

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tls]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with over_tls(server, tmp_path_factory.mktemp("tls")) as served:
        yield served


def logged_in(client: AuthClient) -> AuthClient:
    client.store.set(TokenPair("access-1", "refresh-1"))
    return client


def test_a_rejected_certificate_is_reported_as_such(tls: Tls) -> None:
    client = logged_in(AuthClient(tls.url))
    with pytest.raises(ServerUnreachable) as error:
        client.home()
    assert str(error.value) == (
        "GET /home failed: the certificate was rejected. "
        "Check base_url, or name the right authority with verify="
    )
    assert client.log.action()[-1].fields["reason"] == "the certificate was rejected"
    assert client.store.get() is not None


def test_an_authority_that_the_client_trusts_holds_for_every_message(tls: Tls) -> None:
    client = logged_in(AuthClient(tls.url, verify=tls.certificate))
    assert client.home() == {"message": "Welcome ada"}


def test_an_authority_that_a_call_trusts_holds_for_its_refresh(tls: Tls) -> None:
    client = logged_in(AuthClient(tls.url))
    assert client.request("GET", "/home", verify=tls.certificate).status_code == 200
    with pytest.raises(ServerUnreachable, match="certificate"):
        client.home()


def test_a_file_of_authorities_that_is_missing_is_the_callers_mistake(
    tls: Tls, tmp_path: Path
) -> None:
    with pytest.raises(OSError, match=r"missing\.pem"):
        logged_in(AuthClient(tls.url, verify=str(tmp_path / "missing.pem"))).home()

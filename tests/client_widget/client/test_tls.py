"""A server over https: whose certificate is trusted, and what is said when it is not."""

from __future__ import annotations

import ipaddress
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from client_widget import AuthClient, ServerUnreachable, TokenPair


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


@dataclass
class Tls:
    url: str
    certificate: str


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tls]:
    """A server with a certificate that only its own file vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Tls(f"https://127.0.0.1:{server.server_port}", str(folder / "cert.pem"))
        server.shutdown()


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

"""Two small services on loopback: the issuer's JWK Set, and the orders, which only verify.

issuer = JwksService(Issuer(SigningKey.generate("key-1"), clock=clock)).start()
orders = OrdersService(CarefulVerifier(cache, clock).verify).start()
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import requests
from flask import Flask, Response, jsonify, request

from demo_server.serving.local_server import LocalServer

from .issuer import Issuer
from .jwks_cache import Jwks
from .verifiers import BadToken

JWKS_PATH = "/.well-known/jwks.json"

#: How long a verifier may keep the JWK Set, in seconds.
MAX_AGE = 300


class Service(LocalServer):
    """A Flask app on loopback, so no other machine may reach it.

    Args:
        name (str): one service of a name runs at a time.
    """

    app: Flask

    def __init__(self, name: str) -> None:
        super().__init__(Flask(name, static_folder=None), kind="key service", name=name)


class JwksService(Service):
    """Publishes the public keys of an issuer.

    Args:
        issuer (Issuer): whose keys they are.
        name (str): of the service.
    """

    def __init__(self, issuer: Issuer, name: str = "issuer") -> None:
        super().__init__(name)

        @self.app.get(JWKS_PATH)
        def jwks() -> Response:
            answer = jsonify(issuer.jwks())
            answer.content_type = "application/jwk-set+json"  # RFC 7517, section 8.5.2
            answer.headers["Cache-Control"] = f"public, max-age={MAX_AGE}"
            return answer

    @property
    def jwks_url(self) -> str:
        """Where the JWK Set is."""
        return self.url + JWKS_PATH


class OrdersService(Service):
    """Shows the orders of the user in a valid token. It cannot issue one.

    Args:
        verify: returns the claims of a valid token, and raises `BadToken` for any other.
        name (str): of the service.
    """

    def __init__(self, verify: Callable[[str], Mapping[str, Any]], name: str = "orders") -> None:
        super().__init__(name)

        @self.app.get("/orders")
        def orders() -> tuple[Response, int]:
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            try:
                username = verify(token)["sub"]
            except BadToken as bad:
                answer = jsonify(error="invalid_token", message=str(bad))
                answer.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
                return answer, 401
            return jsonify(message=f"Orders of {username}"), 200

    def ask(self, token: str) -> requests.Response:
        """`GET /orders` with any token."""
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(f"{self.url}/orders", headers=headers, timeout=5)


def fetch_jwks(url: str) -> Jwks:
    """The JWK Set at a URL.

    Raises:
        requests.RequestException: no JSON came.
    """
    answer = requests.get(url, timeout=5)
    answer.raise_for_status()
    return dict(answer.json())

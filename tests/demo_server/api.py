"""The routes as a stranger with an HTTP library sees them."""

from __future__ import annotations

from typing import Any

import requests

from demo_server import ServerConfig

PASSWORD = "a pass phrase"

ADA = {"username": "ada", "password": PASSWORD}

#: The teacher of `class_config`.
TESS = {"username": "tess", "password": "the pass phrase of tess"}


def class_config(policy: str, **more: Any) -> ServerConfig:
    """A class server's settings, with tess as its teacher."""
    return ServerConfig(
        bcrypt_cost=4,
        policy=policy,
        class_log=True,
        teachers=("tess",),
        teacher_password=TESS["password"],
        **more,
    )


class Api:
    """The routes as a stranger with an HTTP library sees them: (status, body)."""

    def __init__(self, url: str) -> None:
        self.url = url

    def send(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        response = requests.request(method, self.url + path, timeout=20, **options)
        assert response.headers["Content-Type"] == "application/json"
        return response.status_code, response.json()

    def register(self, body: Any = ADA) -> tuple[int, Any]:
        return self.send("POST", "/users/register", json=body)

    def login(self, body: Any = ADA) -> tuple[int, Any]:
        return self.send("POST", "/users/login", json=body)

    def home(self, authorization: str | None = None) -> tuple[int, Any]:
        headers = {} if authorization is None else {"Authorization": authorization}
        return self.send("GET", "/home", headers=headers)

    def refresh(self, body: Any) -> tuple[int, Any]:
        return self.send("POST", "/refresh", json=body)

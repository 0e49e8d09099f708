"""Our servers under load, in a process of their own: both policies, and a bare Flask route.

    python benchmarks/servers.py SECRET

Prints a JSON object, their URLs. Ends when its standard input is closed. The users `user0` to
`user7` are registered.
"""

from __future__ import annotations

import json
import sys

import jwt
from flask import Flask, jsonify, request

from demo_server import DemoServer, ServerConfig
from demo_server.wsgi import WsgiServer

#: As in peers/: the users, their password and the lifetime of an access token, in seconds.
USERS = [f"user{number}" for number in range(8)]
PASSWORD = "the pass phrase of a benchmark"
LIFETIME = 3600


def bare_app(secret: str) -> Flask:
    """The least that can be called `/home`: a route that calls `jwt.decode`."""
    app = Flask("bare")

    @app.get("/home")
    def home() -> object:
        token = request.headers["Authorization"].partition(" ")[2]
        claims = jwt.decode(token, secret, algorithms=["HS256"])
        return jsonify(message=f"Welcome {claims['username']}")

    return app


def main() -> None:
    secret = sys.argv[1]
    urls = {}
    for policy in ("article", "rfc"):
        config = ServerConfig(
            access_token_secret=secret,
            access_token_ttl=LIFETIME,
            refresh_token_ttl=LIFETIME,
            policy=policy,
        )
        server = DemoServer(config, name=policy).start()
        visitor = server.app.test_client()
        for user in USERS:
            answer = visitor.post("/users/register", json={"username": user, "password": PASSWORD})
            assert answer.status_code == 201
        urls[policy] = server.url
    bare = WsgiServer(bare_app(secret), "127.0.0.1", 0, "bare")
    print(json.dumps({**urls, "bare": f"http://127.0.0.1:{bare.port}"}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()

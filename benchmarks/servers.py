"""Our servers under load, in their own process: both policies, and a bare Flask route.

    python benchmarks/servers.py SECRET

Prints a JSON object, their URLs. Ends when its standard input is closed.
"""

from __future__ import annotations

import json
import sys

import jwt
from flask import Flask, jsonify, request

from demo_server import DemoServer, ServerConfig
from demo_server.serving.wsgi import WsgiServer

#: The lifetime of a token, in seconds: longer than a run.
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
        urls[policy] = DemoServer(config, name=policy).start().url
    bare = WsgiServer(bare_app(secret), "127.0.0.1", 0, "bare")
    print(json.dumps({**urls, "bare": f"http://127.0.0.1:{bare.port}"}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()

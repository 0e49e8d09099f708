"""The servers under load, in a process of their own: ours, and a bare Flask route.

Prints a JSON object: the two URLs and an access token that both take. Ends when its
standard input is closed.
"""

from __future__ import annotations

import json
import sys
import time

import jwt
from flask import Flask, jsonify, request

from demo_server import DemoServer, ServerConfig
from demo_server.tokens import TokenService
from demo_server.wsgi import WsgiServer


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
    config = ServerConfig(access_token_secret=secret, access_token_ttl=3600)
    ours = DemoServer(config).start()
    bare = WsgiServer(bare_app(secret), "127.0.0.1", 0, "bare")
    token, _ = TokenService(config, time.time).issue("access", "ada")
    urls = {"ours": ours.url, "bare": f"http://127.0.0.1:{bare.port}", "token": token}
    print(json.dumps(urls), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()

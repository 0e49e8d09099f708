"""The same three routes with flask-jwt-extended, on the WSGI server that ours has.

    python benchmarks/peers/flask_jwt.py SECRET

Prints its URL as JSON; ends when its standard input is closed.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta

import bcrypt
from flask import Flask, jsonify, request
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    get_jwt_identity,
    jwt_required,
)

from demo_server.wsgi import WsgiServer

COST = 10
HASH = bcrypt.hashpw(b"the pass phrase of a benchmark", bcrypt.gensalt(COST))
USERS = {f"user{number}": HASH for number in range(8)}

app = Flask("flask_jwt")
app.config["JWT_SECRET_KEY"] = sys.argv[1]
app.config["JWT_ACCESS_TOKEN_EXPIRES"] = timedelta(hours=1)
JWTManager(app)


@app.post("/users/login")
def login() -> object:
    given = request.get_json()
    known = USERS.get(given["username"])
    if known is None or not bcrypt.checkpw(given["password"].encode(), known):
        return jsonify(message="wrong"), 401
    name = given["username"]
    return jsonify(accessToken=create_access_token(name), refreshToken=create_refresh_token(name))


@app.get("/home")
@jwt_required()
def home() -> object:
    return jsonify(message=f"Welcome {get_jwt_identity()}")


@app.post("/refresh")
@jwt_required(refresh=True)
def refresh() -> object:
    return jsonify(accessToken=create_access_token(get_jwt_identity()))


server = WsgiServer(app, "127.0.0.1", 0, "flask_jwt")
print(json.dumps({"flask-jwt": f"http://127.0.0.1:{server.port}"}), flush=True)
sys.stdin.read()

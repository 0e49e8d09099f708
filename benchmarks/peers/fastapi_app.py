"""FastAPI's documented scheme, "OAuth2 with Password (and hashing), Bearer with JWT tokens".

    python benchmarks/peers/fastapi_app.py SECRET

The tutorial's dependencies and its `async def` routes, with bcrypt for its hash, so that all
servers do the same work, and `/refresh`, which the tutorial has not. Prints its URL as JSON;
ends when its standard input is closed.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import bcrypt
import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, status
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from pydantic import BaseModel

SECRET = sys.argv[1]
REFRESH_SECRET = SECRET[::-1]
ALGORITHM = "HS256"
COST = 10
HASH = bcrypt.hashpw(b"the pass phrase of a benchmark", bcrypt.gensalt(COST)).decode()

DATABASE = {
    name: {"username": name, "hashed_password": HASH, "disabled": False}
    for name in (f"user{number}" for number in range(8))
}

app = FastAPI()
oauth2_scheme = OAuth2PasswordBearer(tokenUrl="token")


class Token(BaseModel):
    access_token: str
    token_type: str
    refresh_token: str | None = None


class RefreshRequest(BaseModel):
    token: str


class User(BaseModel):
    username: str
    disabled: bool | None = None


class UserInDatabase(User):
    hashed_password: str


def find_user(name: str | None) -> UserInDatabase | None:
    return UserInDatabase(**DATABASE[name]) if name in DATABASE else None


def create_token(name: str, secret: str) -> str:
    claims: dict[str, Any] = {"sub": name, "exp": datetime.now(UTC) + timedelta(hours=1)}
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


def owner_of(token: str, secret: str) -> UserInDatabase:
    refusal = HTTPException(
        status_code=status.HTTP_401_UNAUTHORIZED,
        detail="Could not validate credentials",
        headers={"WWW-Authenticate": "Bearer"},
    )
    try:
        user = find_user(jwt.decode(token, secret, algorithms=[ALGORITHM]).get("sub"))
    except jwt.InvalidTokenError:
        raise refusal from None
    if user is None:
        raise refusal
    return user


async def get_current_user(token: Annotated[str, Depends(oauth2_scheme)]) -> User:
    return owner_of(token, SECRET)


async def get_current_active_user(user: Annotated[User, Depends(get_current_user)]) -> User:
    if user.disabled:
        raise HTTPException(status_code=400, detail="Inactive user")
    return user


@app.post("/token")
async def login(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> Token:
    user = find_user(form.username)
    if not user or not bcrypt.checkpw(form.password.encode(), user.hashed_password.encode()):
        raise HTTPException(status_code=401, detail="Incorrect username or password")
    return Token(
        access_token=create_token(user.username, SECRET),
        refresh_token=create_token(user.username, REFRESH_SECRET),
        token_type="bearer",
    )


@app.get("/home")
async def home(user: Annotated[User, Depends(get_current_active_user)]) -> dict[str, str]:
    return {"message": f"Welcome {user.username}"}


@app.post("/refresh")
async def refresh(given: RefreshRequest) -> Token:
    owner = owner_of(given.token, REFRESH_SECRET)
    return Token(access_token=create_token(owner.username, SECRET), token_type="bearer")


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    # A connection waits while the other servers have their turns.
    config = uvicorn.Config(app, log_level="error", access_log=False, timeout_keep_alive=120)
    server = uvicorn.Server(config)

    def end_with_stdin() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=end_with_stdin, daemon=True).start()
    print(json.dumps({"fastapi": f"http://127.0.0.1:{listener.getsockname()[1]}"}), flush=True)
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()

"""FastAPI's documented scheme, "OAuth2 with Password (and hashing), Bearer with JWT tokens".

    python benchmarks/peers/fastapi_app.py SECRET

The tutorial's dependencies and its `async def` route `/home`. Prints its URL as JSON; ends when its
standard input is closed.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from typing import Annotated

import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, status
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel

SECRET = sys.argv[1]
DATABASE = {name: {"username": name} for name in (f"user{number}" for number in range(8))}

app = FastAPI()
oauth2_scheme = OAuth2PasswordBearer(tokenUrl="token")


class User(BaseModel):
    username: str
    disabled: bool | None = None


async def get_current_user(token: Annotated[str, Depends(oauth2_scheme)]) -> User:
    try:
        name = jwt.decode(token, SECRET, algorithms=["HS256"])["username"]
        return User(**DATABASE[name])
    except (jwt.InvalidTokenError, KeyError):
        raise HTTPException(
            status_code=status.HTTP_401_UNAUTHORIZED,
            detail="Could not validate credentials",
            headers={"WWW-Authenticate": "Bearer"},
        ) from None


async def get_current_active_user(user: Annotated[User, Depends(get_current_user)]) -> User:
    if user.disabled:
        raise HTTPException(status_code=400, detail="Inactive user")
    return user


@app.get("/home")
async def home(user: Annotated[User, Depends(get_current_active_user)]) -> dict[str, str]:
    return {"message": f"Welcome {user.username}"}


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

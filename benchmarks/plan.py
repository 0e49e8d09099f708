"""The servers under load, each in its own process, and what they are asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from .servers import LIFETIME

HERE = Path(__file__).parent
PEERS = HERE / "peers"

#: One user for each connection: with the `rfc` policy, logins of one name at once have to wait.
USERS = [f"user{number}" for number in range(8)]
PASSWORD = "the pass phrase of a benchmark"

Target = dict[str, Any]


@contextmanager
def process(*command: str, **settings: str) -> Iterator[dict[str, Any]]:
    """Run a server; yields what it prints first, a JSON object or a line that ends with its URL."""
    running = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **settings},
    )
    assert running.stdin is not None
    assert running.stdout is not None
    try:
        line = running.stdout.readline()
        if not line:
            raise RuntimeError(f"{command[1]} ended before it listened")
        facts = json.loads(line) if line.startswith("{") else {"url": line.split()[-1]}
        yield {**facts, "pid": running.pid}
    finally:
        running.terminate()  # not kill: that would leave the workers of the class server
        running.communicate(timeout=30)


def class_server(secret: str) -> Any:
    """`make serve` with one worker and the article's policy, as a `process`."""
    return process(
        *(sys.executable, "-m", "demo_server.class_server"),
        HOST="127.0.0.1",
        PORT="0",
        WORKERS="1",
        ACCESS_TOKEN_SECRET=secret,
        REFRESH_TOKEN_SECRET=secret[::-1],
        ACCESS_TOKEN_TTL=str(LIFETIME),
        REFRESH_TOKEN_TTL=str(LIFETIME),
    )


def express_is_installed() -> bool:
    """Install Express from npm, where there is npm."""
    if not (shutil.which("node") and shutil.which("npm")):
        return False
    if (PEERS / "node_modules" / "express").is_dir():
        return True
    command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
    return subprocess.run(command, cwd=PEERS, check=False).returncode == 0


def log_in(url: str) -> tuple[list[str], list[str]]:
    """Register all users at one of our servers; returns their access and refresh tokens."""
    session = requests.Session()
    session.trust_env = False
    answers = []
    for user in USERS:
        credentials = {"username": user, "password": PASSWORD}
        session.post(f"{url}/users/register", json=credentials, timeout=30).raise_for_status()
        answers.append(session.post(f"{url}/users/login", json=credentials, timeout=30).json())
    return [a["accessToken"] for a in answers], [a["refreshToken"] for a in answers]


def homes(url: str, tokens: Sequence[str]) -> Target:
    """A target of load.py: `GET /home`."""
    head = f"GET /home HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nX-Request-ID: bench\r\n"
    asked = [f"{head}Authorization: Bearer {token}\r\n\r\n" for token in tokens]
    return {"url": url, "requests": asked, "tokens": []}


def refreshes(url: str, tokens: Sequence[str], *, rotates: bool) -> Target:
    """A target of load.py: a refresh, again and again."""
    head = f"POST /refresh HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nX-Request-ID: bench\r\n"
    asked = []
    for token in tokens:
        body = json.dumps({"token": token})
        kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}"
        asked.append(f"{head}{kind}\r\n\r\n{body}")
    return {"url": url, "requests": asked, "tokens": list(tokens) if rotates else []}


def load(targets: Sequence[Target], **plan: float) -> list[list[float]]:
    """Answers per second of each target in each round, from its own process.

    Args:
        targets: as `homes` and `refreshes` return them.
        plan: `rounds` and `slice` (seconds), or `answers`; see load.py.
    """
    ran = subprocess.run(
        [sys.executable, str(HERE / "load.py")],
        input=json.dumps({"targets": list(targets), **plan}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    rates: list[list[float]] = json.loads(ran.stdout)
    return rates

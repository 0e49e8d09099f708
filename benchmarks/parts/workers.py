"""Workers: the class server next to FastAPI, and what it gains from more processes."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

from ..plan import CONNECTIONS, Visitor, load
from ..processes import HERE, process
from ..servers import LIFETIME, PASSWORD, USERS
from ..table import Grid, Part, number, quartiles, ratio

WORKERS = (1, 2, 3, 4)

#: The least that one worker answers, over what FastAPI does.
LEAST_OVER_FASTAPI = 1.2


def measure(quick: bool) -> Part:
    part = Part(
        "Workers",
        f"`python -m demo_server.class_server` with {WORKERS[0]} to {WORKERS[-1]} workers over one "
        "nx-27017, whose files are on disk; all numbers of workers run side by side and take "
        "turns. Under the policy `rfc` each request queries the database, which is one process "
        "for all; under `article`, `/home` does not. Load and database use the same cores as the "
        f"workers, so there is little to gain on a machine with few. {CONNECTIONS} kept "
        "connections. One worker over mongomock is next to FastAPI on uvicorn with one.",
    )
    for package in ("demo_server.class_server", "granian", "nx_27017", "pymongo"):
        if not _is_there(package):
            part.left_out.append(f"all of it: {package} is not there (extras `serve` and `test`).")
            return part
    _against_fastapi(part, quick)
    numbers = WORKERS[:2] if quick else WORKERS
    series = {**_with_policy("article", numbers, quick), **_with_policy("rfc", numbers, quick)}
    for what, rates in series.items():
        for workers, rate in zip(numbers[1:], rates[1:], strict=True):
            part.rows.append(ratio(f"answers of {what}: {workers} workers / 1", rate, rates[0]))
    rows = [
        [str(n), *(number(quartiles(rates[index])[1]) for rates in series.values())]
        for index, n in enumerate(numbers)
    ]
    part.grids.append(Grid(("workers", *(f"{what}, answers a second" for what in series)), rows))
    return part


def _against_fastapi(part: Part, quick: bool) -> None:
    if not (_is_there("fastapi") and _is_there("uvicorn")):
        part.left_out.append("FastAPI, which is not installed (extra `bench`).")
        return
    secret = secrets.token_hex(32)
    shared = {"ACCESS_TOKEN_SECRET": secret, "REFRESH_TOKEN_SECRET": secret[::-1]}
    command = (sys.executable, str(HERE / "peers" / "fastapi_app.py"), secret)
    with process(*command) as fastapi, _served(1, shared) as url:
        _register(url)
        visitors = [Visitor("article", url), Visitor("fastapi", fastapi["fastapi"])]
        rates = load(
            [visitor.homes() for visitor in visitors], rounds=5 if quick else 60, slice=0.1
        )
    what = "answers of /home, article: one worker / FastAPI on uvicorn"
    part.rows.append(ratio(what, *rates, at_least=LEAST_OVER_FASTAPI))


def _with_policy(policy: str, numbers: Sequence[int], quick: bool) -> dict[str, list[list[float]]]:
    """Answers per second, by what is asked, for each number of workers in each round."""
    from tests.demo_server.mongodb import NxServer

    short = {"rounds": 2 if quick else 8, "slice": 0.2 if quick else 0.3}
    long = {"rounds": 1 if quick else 3, "slice": 0.5 if quick else 1.0}
    with TemporaryDirectory() as folder, ExitStack() as stack:
        database = NxServer(Path(folder)).start()
        stack.callback(database.stop)
        shared = {
            "DB_URI": f"{database.uri}/bench",
            "AUTH_POLICY": policy,
            "ACCESS_TOKEN_SECRET": secrets.token_hex(32),
            "REFRESH_TOKEN_SECRET": secrets.token_hex(32),
        }
        urls = [stack.enter_context(_served(workers, shared)) for workers in numbers]
        _register(urls[0])
        visitors = [Visitor(policy, url) for url in urls]
        measured = {f"/home, {policy}": load([visitor.homes() for visitor in visitors], **short)}
        if policy == "rfc":
            measured["/refresh, rfc"] = load([visitor.refreshes() for visitor in visitors], **short)
            measured["login, rfc"] = load([visitor.logins() for visitor in visitors], **long)
    return measured


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:
        return False


@contextmanager
def _served(workers: int, shared: dict[str, str]) -> Iterator[str]:
    """A server of so many workers; gives its URL."""
    settings = {
        "PORT": "0",
        "HOST": "127.0.0.1",
        "WORKERS": str(workers),
        "ACCESS_TOKEN_TTL": str(LIFETIME),
        "REFRESH_TOKEN_TTL": str(LIFETIME),
        **shared,
    }
    running = subprocess.Popen(
        [sys.executable, "-m", "demo_server.class_server"],
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert running.stdout is not None
        line = running.stdout.readline()
        if not line:
            raise RuntimeError("demo_server.class_server ended before it listened")
        yield line.split()[-1]
    finally:
        running.terminate()  # not kill: that would leave its workers
        running.wait(timeout=30)


def _register(url: str) -> None:
    for user in USERS:
        answer = requests.post(
            f"{url}/users/register", json={"username": user, "password": PASSWORD}, timeout=30
        )
        assert answer.status_code == 201, answer.text

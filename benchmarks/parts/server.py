"""The server: `/home` next to other people's servers, a refresh, a login, and its memory."""

from __future__ import annotations

import secrets
import sys
from contextlib import ExitStack
from importlib.util import find_spec

import bcrypt
import psutil
import requests

from ..plan import (
    HERE,
    PASSWORD,
    PEERS,
    USERS,
    class_server,
    express_is_installed,
    homes,
    load,
    log_in,
    process,
    refreshes,
)
from ..table import Part, measured, ratio
from ..turns import take_turns

COST = 10


def measure(quick: bool) -> Part:
    part = Part(
        "Server",
        f"{len(USERS)} kept connections, each with its own user, from one process of load; the "
        "servers take turns in short slices. The bare route only calls `jwt.decode`, on our WSGI "
        "server. FastAPI is set up as in its tutorial, and runs on uvicorn with one worker, next "
        "to `make serve` with one. Each connection sends one access token again and again, as a "
        "client does: our server checks its signature once, the others each time.",
    )
    secret = secrets.token_hex(32)
    with ExitStack() as stack:
        urls = stack.enter_context(process(sys.executable, str(HERE / "servers.py"), secret))
        ours = psutil.Process(urls["pid"])
        if find_spec("granian"):
            urls["class"] = stack.enter_context(class_server(secret))["url"]
        else:
            part.left_out.append("`make serve`, which needs granian (extra `serve`).")
        _start_peers(part, stack, secret, urls)
        del urls["pid"]
        tokens = {name: log_in(urls[name]) for name in ("article", "rfc", "class") if name in urls}
        # The other servers check the same secret.
        targets = {n: homes(url, tokens.get(n, tokens["article"])[0]) for n, url in urls.items()}
        _homes(part, targets, quick)
        _memory(part, [targets["article"], targets["rfc"]], ours, quick)
        _refreshes(part, urls, tokens, quick)
        _over_bcrypt(part, urls, quick)
    return part


def _start_peers(part: Part, stack: ExitStack, secret: str, urls: dict[str, str]) -> None:
    if find_spec("fastapi") and find_spec("uvicorn"):
        command = (sys.executable, str(PEERS / "fastapi_app.py"), secret)
        urls |= stack.enter_context(process(*command))
    else:
        part.left_out.append("FastAPI, which is not installed (extra `bench`).")
    if express_is_installed():
        urls |= stack.enter_context(process("node", str(PEERS / "express.js"), secret))
    else:
        part.left_out.append("Express, which needs node and npm.")


def _homes(part: Part, targets: dict[str, object], quick: bool) -> None:
    plan = {"rounds": 3, "slice": 0.15} if quick else {"rounds": 32, "slice": 0.15}
    rates = dict(zip(targets, load(list(targets.values()), **plan), strict=True))
    bare, article = rates["bare"], rates["article"]
    part.rows.append(
        ratio("time of /home: ours, article / bare Flask route", bare, article, at_most=1.08)
    )
    part.rows.append(ratio("time of /home: ours, rfc / article", article, rates["rfc"]))
    if "express" in rates:
        what = "answers of /home: ours, article / Express, the article's"
        part.rows.append(ratio(what, article, rates["express"], at_least=1.5))
    if "fastapi" in rates and "class" in rates:
        what = "answers of /home: `make serve`, one worker / FastAPI on uvicorn"
        part.rows.append(ratio(what, rates["class"], rates["fastapi"], at_least=1.6))
    for name, series in rates.items():
        part.rows.append(measured(f"answers of /home a second: {name}", series))


def _memory(part: Part, targets: list[object], ours: psutil.Process, quick: bool) -> None:
    """The server's memory before and after many requests, half of them to each policy."""
    answers = 1_000 if quick else 20_000
    before = ours.memory_info().rss
    load(targets, answers=answers)
    after = ours.memory_info().rss
    what = f"memory after {2 * answers:,} more requests to /home / before"
    part.rows.append(ratio(what, [after], [before], at_most=1.05))


def _refreshes(
    part: Part, urls: dict[str, str], tokens: dict[str, tuple[list[str], list[str]]], quick: bool
) -> None:
    targets = [
        refreshes(urls[policy], tokens[policy][1], rotates=policy == "rfc")
        for policy in ("article", "rfc")
    ]
    article, rfc = load(targets, rounds=3 if quick else 24, slice=0.15)
    part.rows.append(ratio("time of a refresh: ours, rfc / article", article, rfc, at_most=1.25))


def _over_bcrypt(part: Part, urls: dict[str, str], quick: bool) -> None:
    """One login at a time, over the time of `bcrypt.checkpw` alone."""
    session = requests.Session()
    session.trust_env = False
    password = PASSWORD.encode()
    hashed = bcrypt.hashpw(password, bcrypt.gensalt(COST))
    credentials = {"username": USERS[0], "password": PASSWORD}

    def login(url: str) -> None:
        assert session.post(f"{url}/users/login", json=credentials).status_code == 201

    calls = {
        "bcrypt": lambda: bcrypt.checkpw(password, hashed),
        "article": lambda: login(urls["article"]),
        "rfc": lambda: login(urls["rfc"]),
    }
    times = take_turns(calls, rounds=6 if quick else 50)
    for policy in ("article", "rfc"):
        what = f"time of a login: ours, {policy} / bcrypt.checkpw"
        part.rows.append(ratio(what, times[policy], times["bcrypt"], at_most=1.1))

"""The server: `/home`, `/refresh` and login beside other people's servers, and its memory."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import ExitStack

import bcrypt
import psutil
import requests

from ..plan import CONNECTIONS, DIALECTS, Visitor, load
from ..processes import start_all
from ..servers import PASSWORD, USERS
from ..table import Grid, Part, number, quartiles, ratio
from ..turns import take_turns

NAMES = {
    "article": "ours, article",
    "rfc": "ours, rfc",
    "bare": "bare Flask route",
    "express": "Express, the article's",
    "express-async": "Express, with bcrypt's threads",
    "fastapi": "FastAPI on uvicorn",
    "flask-jwt": "flask-jwt-extended",
}

COST = 10

#: The least that we answer, over what the article's app on Express does.
LEAST_OVER_EXPRESS = 1.3


def measure(quick: bool) -> Part:
    part = Part(
        "Server",
        f"{CONNECTIONS} kept connections, each with its own user, from one process of load; the "
        f"servers take turns in short slices. All check passwords with bcrypt at cost {COST}. The "
        "bare route only calls `jwt.decode`, on our WSGI server; flask-jwt-extended runs on it "
        "too. FastAPI is set up as in its tutorial: one thread, so a login blocks all other "
        "requests. The article's `compareSync` does the same on Express; next to it is a variant "
        "with `compare`, which uses more cores.",
    )
    with ExitStack() as stack:
        urls = start_all(stack, secrets.token_hex(32), part.left_out)
        # Of the last dictionary that was unpacked, so of ours.
        ours = psutil.Process(urls.pop("pid"))
        if "express" in urls:
            urls["express-async"] = urls["express"]
        visitors = {name: Visitor(name, url) for name, url in urls.items() if name in DIALECTS}
        homes = _homes(part, visitors, urls["bare"], quick)
        _memory(part, visitors, ours, quick)
        refreshes = _refreshes(part, visitors, quick)
        logins = _logins(part, visitors, quick)
        _over_bcrypt(part, urls, quick)
    _absolute(part, homes, refreshes, logins)
    return part


Rates = dict[str, list[float]]


def _homes(part: Part, visitors: dict[str, Visitor], bare: str, quick: bool) -> Rates:
    targets = {name: v.homes() for name, v in visitors.items() if name != "express-async"}
    plain = targets["article"]
    there = bare.rpartition("/")[2]
    here = plain["url"].split("/")[2]
    asked = [request.replace(here, there) for request in plain["requests"]]
    targets["bare"] = {"url": f"{bare}/home", "requests": asked, "tokens": []}
    rates = _in_turns(targets, rounds=3 if quick else 20, seconds=0.15 if quick else 0.3)
    part.rows.append(
        ratio(
            "time of /home: ours, article / bare Flask route",
            rates["bare"],
            rates["article"],
            at_most=1.15,
        )
    )
    part.rows.append(ratio("time of /home: ours, rfc / article", rates["article"], rates["rfc"]))
    _against_peers(part, "/home", rates)
    return rates


def _refreshes(part: Part, visitors: dict[str, Visitor], quick: bool) -> Rates:
    targets = {name: v.refreshes() for name, v in visitors.items() if name != "express-async"}
    rates = _in_turns(targets, rounds=3 if quick else 15, seconds=0.15 if quick else 0.3)
    _against_peers(part, "/refresh", rates)
    return rates


def _logins(part: Part, visitors: dict[str, Visitor], quick: bool) -> Rates:
    targets = {name: visitor.logins() for name, visitor in visitors.items()}
    rates = _in_turns(targets, rounds=2 if quick else 5, seconds=0.5 if quick else 1.0)
    _against_peers(part, "login", rates)
    return rates


def _in_turns(targets: Mapping[str, object], *, rounds: int, seconds: float) -> Rates:
    rates = load(list(targets.values()), rounds=rounds, slice=seconds)
    return dict(zip(targets, rates, strict=True))


def _against_peers(part: Part, what: str, rates: Rates) -> None:
    for policy in ("article", "rfc"):
        for peer in ("express", "express-async", "fastapi", "flask-jwt"):
            if peer in rates:
                budget = {}
                if (what, policy, peer) == ("/home", "article", "express"):
                    budget["at_least"] = LEAST_OVER_EXPRESS
                name = f"answers of {what}: {NAMES[policy]} / {NAMES[peer]}"
                part.rows.append(ratio(name, rates[policy], rates[peer], **budget))


def _memory(part: Part, visitors: dict[str, Visitor], ours: psutil.Process, quick: bool) -> None:
    """The server's memory before and after many requests, half of them to each policy."""
    answers = 1_000 if quick else 50_000
    before = ours.memory_info().rss
    load([visitors["article"].homes(), visitors["rfc"].homes()], answers=answers)
    after = ours.memory_info().rss
    what = f"memory after {2 * answers:,} more requests to /home / before"
    part.rows.append(ratio(what, [after], [before], at_most=1.05))


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
    times = take_turns(calls, rounds=6 if quick else 60)
    for policy in ("article", "rfc"):
        what = f"time of a login: {NAMES[policy]} / bcrypt.checkpw"
        part.rows.append(ratio(what, times[policy], times["bcrypt"], at_most=1.1))


def _absolute(part: Part, homes: Rates, refreshes: Rates, logins: Rates) -> None:
    rows = []
    for key, name in NAMES.items():
        series = [rates.get(key) for rates in (homes, refreshes, logins)]
        if any(series):
            rows.append([name, *(number(quartiles(s)[1]) if s else "" for s in series)])
    part.grids.append(Grid(("answers a second", "/home", "/refresh", "login"), rows))

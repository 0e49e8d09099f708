"""Growth: does an action cost more when there are more users, sessions or events?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

from client_widget import EventLog
from demo_server import ServerConfig, open_database
from demo_server.auth.auth_service import AuthService
from demo_server.auth.token_families import FamilyRepository
from demo_server.emit import ignore
from demo_server.storage.database import Database

from ..plots import plot
from ..table import Grid, Part, number, quartiles, ratio
from ..turns import take_turns

PASSWORD = "the pass phrase of a benchmark"

#: bcrypt's cost is the least there is, so that it hides little.
COST = 4

#: How much more the last size may cost than the first.
MOST_GROWTH = 1.3

#: Rounds in which all sizes take turns, and calls of each one.
ROUNDS, EACH = 40, 5

#: The server's time, which stands still: filling a database takes longer than a token lives.
NOW = 1_800_000_000.0

Calls = Mapping[str, Callable[[], object]]


def measure(quick: bool) -> Part:
    part = Part(
        "Growth",
        f"In this process and without HTTP, so that growth is easy to see; bcrypt at cost {COST} "
        "for the same reason. CPU time; the sizes take turns. The database is mongomock with the "
        "indexes of `demo_server/storage/indexed_mongomock.py`. A session is a token family of the "
        "policy `rfc`; a refresh rotates. The panel asks for a log's last action and for its "
        "diagram.",
    )
    users = sessions = (1, 1_000, 10_000, 100_000)
    events = (10, 100, 1_000, 10_000, 100_000)
    last = -2 if quick else None
    _grow(part, "users", users[:last], _with_users, plotted=not quick)
    _grow(part, "sessions", sessions[:last], _with_sessions, plotted=not quick)
    _grow(part, "events", events[:last], _with_events, plotted=not quick)
    return part


def _grow(
    part: Part,
    what: str,
    sizes: tuple[int, ...],
    calls_at: Callable[[int], Calls],
    *,
    plotted: bool,
) -> None:
    """Time each call at each size, and compare the last size with the first."""
    calls = [calls_at(size) for size in sizes]
    medians: dict[str, list[float]] = {}
    for name in calls[0]:
        at_size = {f"{size:,}": each[name] for size, each in zip(sizes, calls, strict=True)}
        times = take_turns(at_size, rounds=ROUNDS, each=EACH, timer=time.process_time)
        medians[name] = [quartiles(series)[1] * 1e6 for series in times.values()]
        first, *_, last = times
        title = f"time of {name}: {last} {what} / {first}"
        budget = {"at_most": MOST_GROWTH}
        part.rows.append(ratio(title, times[last], times[first], **budget))
    rows = [
        [f"{size:,}", *(number(line[index]) for line in medians.values())]
        for index, size in enumerate(sizes)
    ]
    part.grids.append(Grid((what, *(f"{name}, µs" for name in medians)), rows))
    if plotted:
        lines = {name: (sizes, line) for name, line in medians.items()}
        plot(part, f"growth-{what}", lines, across=what, up="µs")


def _with_users(size: int) -> Calls:
    database = open_database()
    database["users"].insert_many(_users(size))
    service = _service(database, "article")
    names = (f"new {number}" for number in count())
    return {
        "a login": lambda: service.login(f"user {size - 1}", PASSWORD),
        "a registration": lambda: service.register(next(names), PASSWORD),
    }


def _users(size: int) -> Iterator[dict[str, Any]]:
    """Documents as the repository stores them, without its search for a namesake at each."""
    database = open_database()
    service = _service(database, "article")
    service.register("user 0", PASSWORD)
    [pattern] = database["users"].find()
    for index in range(size):
        name = f"user {index}"
        document = {k: name if v == "user 0" else v for k, v in pattern.items()}
        if document["_id"] != name:
            del document["_id"]  # the database adds a new one
        yield document


def _with_sessions(size: int) -> Calls:
    database = open_database()
    families = FamilyRepository(database)
    for _ in range(size - 1):
        families.start("somebody", NOW)
    service = _service(database, "rfc")
    service.register("ada", PASSWORD)
    grant = service.login("ada", PASSWORD)
    tokens = [grant.refresh]

    def refresh() -> None:
        tokens.append(service.refresh(tokens[-1]).refresh)

    return {
        "a check of an access token": lambda: service.authenticate(grant.access),
        "a refresh": refresh,
        "a login": lambda: service.login("ada", PASSWORD),
    }


def _with_events(size: int) -> Calls:
    log = EventLog(limit=1_000_000)  # none is dropped while this is measured
    for index in range(size):
        log.record(
            "request.sent",
            source="client",
            correlation=f"action {index // 10}",
            method="GET",
            path="/home",
            purpose="call",
        )
    return {
        "the last action": log.action,
        "its diagram": lambda: log.to_mermaid(f"action {(size - 1) // 10}"),
        "an event": lambda: log.record("test.made", source="bench"),
    }


def _service(database: Database, policy: str) -> AuthService:
    config = ServerConfig(policy=policy, bcrypt_cost=COST)
    return AuthService(config, database=database, clock=lambda: NOW, emit=ignore)

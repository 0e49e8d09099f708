"""The same actions on a server with each policy, and the responses side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from requests.structures import CaseInsensitiveDict

from client_widget import AuthClient, EventLog, Rejected
from client_widget.display import cut
from client_widget.log.pictures.page import wrapped
from client_widget.log.pictures.shapes import Role
from client_widget.log.pictures.table import Cell, table
from client_widget.protocol.jwt_by_hand import split, with_payload
from demo_server import DemoClock, DemoServer

from ..outputs import Picture

PASSWORD = "a pass phrase of ada"


@dataclass(frozen=True)
class Answered:
    """The response to an action, as the log recorded it.

    Attributes:
        action (str): such as "GET /home, no token".
        status (int): the HTTP status.
        headers (Mapping[str, str]): of the response; their names are case-insensitive (RFC 9110,
            section 5.1).
        body (Mapping[str, Any]): its JSON, with tokens masked; {} if it has none.
    """

    action: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: Mapping[str, Any] = field(repr=False)

    @property
    def error(self) -> str:
        """The code for programs; "" if there is none."""
        return str(self.body.get("error", ""))

    @property
    def advice(self) -> tuple[str, ...]:
        """The headers that tell a client what to do, as lines."""
        names = ("WWW-Authenticate", "Retry-After")
        return tuple(f"{name}: {self.headers[name]}" for name in names if name in self.headers)


def ask_all(server: DemoServer, clock: DemoClock) -> tuple[Answered, ...]:
    """Do all actions on a server that knows neither ada nor eve; returns the responses.

    The clock moves by five minutes, so that tokens expire.
    """
    log = EventLog(clock=clock)
    client = AuthClient(server.url, log=log, clock=clock)
    client.register("ada", PASSWORD)
    access, refresh = _tokens_of_ada(client)
    forged = with_payload(access, split(access).payload_text.replace("ada", "eve"))
    answers: list[Answered] = []

    def ask(action: str, call: Callable[[], object]) -> None:
        with suppress(Rejected):  # the log has it
            call()
        last = [event.fields for event in log if event.name == "response.received"][-1]
        body = json.loads(last["body"] or "{}")
        headers = CaseInsensitiveDict(last["headers"])
        answers.append(Answered(action, last["status"], headers, body))

    ask("GET /home, no token", lambda: client.request("GET", "/home"))
    ask("GET /home, forged token", lambda: client.probe(forged))
    ask("GET /class, no teacher", lambda: client.request("GET", "/class", **_bearer(access)))
    clock.advance(61)
    ask("GET /home, expired token", lambda: client.probe(access))
    ask("POST /refresh, no token", lambda: client.request("POST", "/refresh", json={}))
    clock.advance(240)
    ask("POST /refresh, expired token", lambda: client.probe(refresh, "refresh"))
    ask("POST /users/register, name is taken", lambda: client.register("ada", PASSWORD))
    ask("POST /users/login, wrong password", lambda: client.login("ada", "a guess"))
    ask("POST /users/login, unknown user", lambda: client.login("eve", "a guess"))
    for _ in range(4):
        with suppress(Rejected):
            client.login("eve", "a guess")
    ask("POST /users/login, sixth failure", lambda: client.login("eve", "a guess"))
    fresh, _ = _tokens_of_ada(client)
    ask("POST /logout", lambda: client.request("POST", "/logout", **_bearer(fresh)))
    ask("GET /home, after the logout", lambda: client.probe(fresh))
    return tuple(answers)


def _tokens_of_ada(client: AuthClient) -> tuple[str, str]:
    """Both tokens of a new login. The client forgets them: each action brings its token."""
    answer = client.login("ada", PASSWORD)
    client.store.clear()
    return answer["accessToken"], answer["refreshToken"]


def _bearer(token: str) -> dict[str, dict[str, str]]:
    return {"headers": {"Authorization": f"Bearer {token}"}}


def as_text(answers: Mapping[str, Sequence[Answered]]) -> str:
    """The answers of each policy, action by action, as lines of text.

    Args:
        answers: by the policy's name, each in the same order of actions.
    """
    lines = []
    for of_all in zip(*answers.values(), strict=True):
        lines.append(of_all[0].action)
        for policy, answered in zip(answers, of_all, strict=True):
            lines.append(f"  {policy:8} {answered.status} {answered.error}".rstrip())
            lines += [f"{'':15}{line}" for line in answered.advice]
    return "\n".join(lines)


def side_by_side(answers: Mapping[str, Sequence[Answered]]) -> Picture:
    """The answers as a table: a row for each action, a column for each policy."""
    rows = [
        [_named(of_all[0].action), *map(_cell, of_all)]
        for of_all in zip(*answers.values(), strict=True)
    ]
    return Picture(table("Both policies", ["", *answers], rows), as_text(answers))


def _named(action: str) -> Cell:
    """What is asked, and below it the circumstances: so the table fits a narrow page."""
    asked, _, circumstances = action.partition(", ")
    return Cell(asked, more=[circumstances] if circumstances else [])


def _cell(answered: Answered) -> Cell:
    role: Role = "bad" if answered.status >= 400 else "ok"
    advice = [part for line in answered.advice for part in wrapped(line, 240)]
    return Cell(f"{answered.status} {cut(answered.error, 30)}".rstrip(), role, advice)

"""Lesson 07: what the judges take and refuse, and how a challenge is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.request import parse_http_list

import pytest
from jwt_course import Wrong
from jwt_course.lesson_07.challenges import parameters_of, scheme_of
from jwt_course.lesson_07.judges import CHALLENGES, judge_answer, judge_parameters, judge_what_to_do

from client_widget import ArticleAuth, AuthClient, BearerAuth, EventLog
from demo_server import DemoClock, DemoServer, ServerConfig

from ..conftest import PASSWORD
from .learner import AnyNumber, AnyText, cell

# Challenges


@pytest.mark.parametrize("text", CHALLENGES)
def test_a_challenge_is_read(text: str) -> None:
    assert scheme_of(text) == "bearer"
    assert parameters_of(text) == CHALLENGES[text]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('Basic realm = "a b"', {"realm": "a b"}),
        (r'Bearer realm="\\"', {"realm": "\\"}),
        ('Bearer realm=""', {"realm": ""}),
        ("", {}),
    ],
)
def test_a_rare_challenge_is_read(text: str, wanted: dict[str, str]) -> None:
    assert parameters_of(text) == wanted


# The two clients on the two servers, as the lesson shows them


class TestClients:
    @pytest.fixture
    def config(self) -> ServerConfig:
        return ServerConfig(policy="rfc", bcrypt_cost=4)

    def login(self, server: DemoServer, log: EventLog, clock: DemoClock, auth: Any) -> AuthClient:
        client = AuthClient(server.url, log=log, clock=clock, auth=auth)
        client.register("ada", PASSWORD)
        client.login("ada", PASSWORD)
        return client

    @pytest.mark.parametrize(("auth", "status"), [(ArticleAuth, 401), (BearerAuth, 200)])
    def test_an_expiry_on_the_server_rfc(
        self, server: DemoServer, log: EventLog, clock: DemoClock, auth: Any, status: int
    ) -> None:
        client = self.login(server, log, clock, auth)
        clock.advance(61)
        assert client.request("GET", "/home").status_code == status

    @pytest.mark.parametrize(
        ("auth", "statuses", "decisive"),
        [
            (
                ArticleAuth,
                [403, 403, 400],
                ["token.spent", "reuse.detected", "family.revoked"],
            ),
            (BearerAuth, [403, 403, 403], []),
        ],
    )
    def test_no_right_three_times(
        self,
        server: DemoServer,
        log: EventLog,
        clock: DemoClock,
        auth: Any,
        statuses: list[int],
        decisive: list[str],
    ) -> None:
        client = self.login(server, log, clock, auth)
        assert [client.request("GET", "/class").status_code for _ in range(3)] == statuses
        assert [
            event.name
            for event in log
            if event.name in ("token.spent", "reuse.detected", "family.revoked")
        ] == decisive


# Exercise 1


def by_characters(header: str) -> dict[str, str]:
    """No regular expression: another right way."""
    rest, read = header.partition(" ")[2].strip(), {}
    while rest:
        name, _, rest = rest.partition("=")
        value = ""
        if rest.startswith('"'):
            rest = rest[1:]
            while not rest.startswith('"'):
                rest = rest[1:] if rest.startswith("\\") else rest
                value, rest = value + rest[0], rest[1:]
            rest = rest[1:].lstrip(", ")
        else:
            value, _, rest = rest.partition(",")
        read[name.strip().lower()] = value.strip()
        rest = rest.strip()
    return read


def by_expression(header: str) -> dict[str, str]:
    found = re.findall(r'(\w+)=(?:"((?:\\.|[^"\\])*)"|([^\s,"]+))', header)
    return {name.lower(): re.sub(r"\\(.)", r"\1", quoted) or bare for name, quoted, bare in found}


def by_library(header: str) -> dict[str, str]:
    """The standard library splits at commas outside of quotes."""
    read = {}
    for part in parse_http_list(header.partition(" ")[2]):
        name, _, value = part.partition("=")
        value = value[1:-1].replace('\\"', '"') if value.startswith('"') else value
        read[name.strip().lower()] = value
    return read


@pytest.mark.parametrize("parameters", [by_expression, by_characters, by_library])
def test_parameters_is_taken(parameters: Any) -> None:
    assert judge_parameters(parameters) == ("You read 5 challenges of our server, and 9 of others.")


def quoted_only(header: str) -> dict[str, str]:
    return {name.lower(): value for name, value in re.findall(r'(\w+)="([^"]*)"', header)}


def as_written(header: str) -> dict[str, str]:
    return dict(re.findall(r'(\w+)="([^"]*)"', header))


def with_backslashes(header: str) -> dict[str, str]:
    found = re.findall(r'(\w+)=(?:"((?:\\.|[^"\\])*)"|([^\s,"]+))', header)
    return {name.lower(): quoted or bare for name, quoted, bare in found}


def at_commas(header: str) -> dict[str, str]:
    parts = [part.partition("=") for part in header.partition(" ")[2].split(",") if part]
    return {name.strip().lower(): value.strip('"') for name, _, value in parts}


@pytest.mark.parametrize(
    ("parameters", "seen"),
    [
        (quoted_only, "'Bearer realm=lab, error=invalid_token'"),
        (as_written, "bearer Realm"),
        (with_backslashes, "the "),
        (at_commas, "expired, so refresh"),
        (lambda header: {}, "you read {}; it says"),
        (lambda header: None, "you read None"),
        ({}, "`parameters` is a dict. It should be a function: `def parameters(header):`."),
    ],
)
def test_parameters_is_refused(parameters: Any, seen: str) -> None:
    with pytest.raises(Wrong) as wrong:
        judge_parameters(parameters)
    assert seen in str(wrong.value)


@pytest.mark.parametrize("parameters", [parameters_of, lambda header: parameters_of(header)])
def test_parameters_is_not_borrowed(parameters: Any) -> None:
    seen = "`parameters` uses parameters_of of jwt_course.lesson_07.challenges"
    with pytest.raises(Wrong, match=seen):
        judge_parameters(parameters)


# Exercise 2

LOG_IN = ("token_missing", "user_unknown", "password_wrong", "invalid_credentials")


def right(status: int, headers: Mapping[str, str], body: Mapping[str, str]) -> str:
    if status < 400:
        return "go on"
    if "Retry-After" in headers:
        return "wait"
    code = body.get("error") or by_expression(headers.get("www-authenticate", "")).get("error")
    if code in ("token_expired", "token_invalid", "invalid_token"):
        return "refresh"
    if code == "insufficient_scope":
        return "no right"
    if code in LOG_IN or code == "invalid_grant" or (status == 401 and not code):
        return "log in"
    return "report"


def by_table(status: int, headers: Mapping[str, str], body: Mapping[str, str]) -> str:
    """Another right way: a forged token of the article's asks for a login."""
    if (status, body.get("error")) == (403, "token_invalid"):
        return "log in"
    return right(status, headers, body)


def by_header_first(status: int, headers: Mapping[str, str], body: Mapping[str, str]) -> str:
    """Another right way: one table of codes, and the status for what has none."""
    if "retry-after" in headers:
        return "wait"
    challenge = headers.get("WWW-Authenticate", "")
    code = by_characters(challenge).get("error", "") or body.get("error", "")
    after = {
        **dict.fromkeys(["invalid_token", "token_expired", "token_invalid"], "refresh"),
        **dict.fromkeys([*LOG_IN, "invalid_grant"], "log in"),
        "insufficient_scope": "no right",
        "": {2: "go on", 4: "log in"}.get(status // 100, "report"),
    }
    return after.get(code, "report")


@pytest.mark.parametrize("what_to_do", [right, by_table, by_header_first])
def test_what_to_do_is_taken(what_to_do: Any) -> None:
    assert judge_what_to_do(what_to_do) == (
        "After 20 responses of both servers, and 4 of others, you act correctly."
    )


def but(wanted: str, **given: Any) -> Any:
    """What is right, but for answers with this status or this code."""

    def what_to_do(status: int, headers: Mapping[str, str], body: Mapping[str, str]) -> str:
        seen = {"status": status, "error": body.get("error", "")}
        if all(seen[name] == value for name, value in given.items()):
            return wanted
        return right(status, headers, body)

    return what_to_do


@pytest.mark.parametrize(
    ("what_to_do", "seen"),
    [
        (
            but("refresh", status=403),
            "GET /home, no token, on the article server: 403 token_missing. "
            "You said 'refresh'; the right action is 'log in'.",
        ),
        (
            but("refresh", status=401),
            "POST /users/login, unknown user, on the article server: 401 user_unknown. You said",
        ),
        (but("refresh", error="insufficient_scope"), "the right action is 'no right'"),
        (
            but("log in", error="user_exists"),
            "403 user_exists. You said 'log in'; the right action is 'rep",
        ),
        (
            but("refresh", status=401, error="invalid_credentials"),
            "wrong password, on the rfc server",
        ),
        (but("refresh", status=401, error=""), "GET /home, no token, on the rfc server: 401. "),
        (but("report", status=429), "sixth failure, on the rfc server: 429"),
        (but("report", status=204), "POST /logout, on the rfc server: 204. "),
        (but("report", error="invalid_grant"), "POST /refresh, expired token, on the rfc server"),
        (
            lambda status, headers, body: (
                right(status, {"Retry-After": "1"}, body)
                if status in (429, 503)
                else right(status, {}, body)
            ),
            "A server with no body says",
        ),
        (None, "`what_to_do` is None. It should be a function"),
    ],
)
def test_what_to_do_is_refused(what_to_do: Any, seen: str) -> None:
    with pytest.raises(Wrong) as wrong:
        judge_what_to_do(what_to_do)
    assert seen in str(wrong.value)


@pytest.mark.parametrize(
    ("what_to_do", "seen"),
    [
        (lambda status, headers, body: AnyText("guess"), "You said 'guess'"),
        (
            cell(
                "from jwt_course.lesson_07.judges import ACTIONS, answers_of\n"
                "def what_to_do(status, headers, body):\n"
                "    for policy, wanted in ACTIONS.items():\n"
                "        for seen in answers_of(policy):\n"
                "            if (seen.status, seen.body) == (status, body):\n"
                "                return wanted[seen.action][0]\n"
            )["what_to_do"],
            "`what_to_do` uses answers_of of jwt_course.lesson_07.judges",
        ),
    ],
)
def test_a_trick_for_what_to_do_is_seen(what_to_do: Any, seen: str) -> None:
    with pytest.raises(Wrong) as wrong:
        judge_what_to_do(what_to_do)
    assert seen in str(wrong.value)


# Exercise 3

RIGHT = {
    "no token": (401, 'Bearer realm="lab"'),
    "expired": (401, 'Bearer error="invalid_token", error_description="expired"'),
    "forged": (401, "bearer error=invalid_token"),
    "two tokens": (400, 'Bearer realm="lab", error="invalid_request"'),
    "no right": (403, 'Bearer error="insufficient_scope", scope="class"'),
}


def by_match(reason: str) -> tuple[int, str]:
    match reason:
        case "no token":
            return 401, 'Bearer realm="lab"'
        case "expired" | "forged":
            return 401, f'Bearer error="invalid_token", error_description="{reason}"'
        case "two tokens":
            return 400, 'Bearer error="invalid_request"'
    return 403, 'Bearer scope="class", error="insufficient_scope"'


def by_parts(reason: str) -> list[Any]:
    """As a list, with the parameters joined."""
    code = {"no token": "", "two tokens": "invalid_request", "no right": "insufficient_scope"}
    error = code.get(reason, "invalid_token")
    parameters = ['realm="home"', *([f"error={error}"] if error else [])]
    return [
        {"invalid_request": 400, "insufficient_scope": 403}.get(error, 401),
        "BEARER " + ", ".join(parameters),
    ]


@pytest.mark.parametrize("answer", [lambda reason: RIGHT[reason], by_match, by_parts])
def test_answer_is_taken(answer: Any) -> None:
    assert judge_answer(answer) == "5 reasons, and each answer says what a client can do."


@pytest.mark.parametrize(
    ("reason", "given", "seen"),
    [
        ("no token", (403, 'Bearer realm="lab"'), "the status is 403; it should be 401"),
        ("no token", (401, None), "should begin with Bearer"),
        ("no token", (401, "Bearer"), "at least one parameter"),
        ("no token", (401, 'Basic realm="lab"'), "should begin with Bearer"),
        ("no token", (401, 'Bearer error="invalid_token"'), "gets no error code"),
        ("expired", (403, 'Bearer error="invalid_token"'), "the status is 403"),
        ("expired", (401, 'Bearer realm="lab"'), "the error is ''; it should be 'invalid_token'"),
        ("expired", (401, 'Bearer error="token_expired"'), "the error is 'token_expired'"),
        ("expired", (401, 'Bearer error="invalid_token", error_description="…"'), "only ASCII"),
        ("forged", (403, 'Bearer error="invalid_token"'), "the status is 403"),
        ("two tokens", (401, 'Bearer error="invalid_request"'), "should be 400"),
        ("no right", (401, 'Bearer error="insufficient_scope"'), "should be 403"),
        ("no right", (403, None), "should begin with Bearer"),
        ("no right", 403, "should give a status and a challenge, not 403"),
    ],
)
def test_answer_is_refused(reason: str, given: Any, seen: str) -> None:
    with pytest.raises(Wrong) as wrong:
        judge_answer(lambda asked: {**RIGHT, reason: given}[asked])
    assert str(wrong.value).startswith(repr(reason))
    assert seen in str(wrong.value)


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (lambda reason: (AnyNumber(200), RIGHT[reason][1]), "the status is 200; it should be 401"),
        (
            cell(
                "from jwt_course.lesson_07.judges import REASONS\n"
                "def answer(reason):\n"
                "    status, code = REASONS[reason]\n"
                "    return status, f'Bearer realm=lab, error={code}' if code else 'Bearer a=b'\n"
            )["answer"],
            "`answer` uses jwt_course.lesson_07.judges, which does the work of this exercise",
        ),
    ],
)
def test_a_trick_for_answer_is_seen(answer: Any, seen: str) -> None:
    with pytest.raises(Wrong) as wrong:
        judge_answer(answer)
    assert seen in str(wrong.value)

"""The same actions on both servers, and what somebody learns who guesses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from jwt_course.lesson_07.both_policies import Answered, as_text, ask_all, side_by_side
from jwt_course.lesson_07.guessing import try_names, try_to_register, waits

from client_widget import AuthClient
from demo_server import DemoClock, DemoServer, ServerConfig

from ..client_widget.log.pictures.reading import size, texts, texts_in
from ..conftest import PASSWORD

INVALID = 'WWW-Authenticate: Bearer error="invalid_token", error_description='
SIGNATURE = "The signature does not match this server's key for access tokens"
REALM = 'WWW-Authenticate: Bearer realm="demo_server"'

BY_ARTICLE = [
    ("GET /home, no token", 403, "token_missing", ()),
    ("GET /home, forged token", 403, "token_invalid", ()),
    ("GET /class, no teacher", 403, "insufficient_scope", ()),
    ("GET /home, expired token", 403, "token_expired", ()),
    ("POST /refresh, no token", 403, "token_missing", ()),
    ("POST /refresh, expired token", 403, "token_expired", ()),
    ("POST /users/register, name is taken", 403, "user_exists", ()),
    ("POST /users/login, wrong password", 400, "password_wrong", ()),
    ("POST /users/login, unknown user", 401, "user_unknown", ()),
    ("POST /users/login, sixth failure", 401, "user_unknown", ()),
    ("POST /logout", 404, "route_unknown", ()),
    ("GET /home, after the logout", 200, "", ()),
]

BY_RFC = [
    ("GET /home, no token", 401, "", (REALM,)),
    ("GET /home, forged token", 401, "invalid_token", (f'{INVALID}"{SIGNATURE}"',)),
    (
        "GET /class, no teacher",
        403,
        "insufficient_scope",
        (
            'WWW-Authenticate: Bearer error="insufficient_scope", '
            'error_description="Only a teacher may read this"',
        ),
    ),
    (
        "GET /home, expired token",
        401,
        "invalid_token",
        (f'{INVALID}"The access token has expired"',),
    ),
    ("POST /refresh, no token", 400, "invalid_request", ()),
    ("POST /refresh, expired token", 400, "invalid_grant", ()),
    ("POST /users/register, name is taken", 409, "user_exists", ()),
    ("POST /users/login, wrong password", 401, "invalid_credentials", (REALM,)),
    ("POST /users/login, unknown user", 401, "invalid_credentials", (REALM,)),
    ("POST /users/login, sixth failure", 429, "too_many_attempts", ("Retry-After: 1",)),
    ("POST /logout", 204, "", ()),
    ("GET /home, after the logout", 401, "invalid_token", (f'{INVALID}"The session has ended"',)),
]

Servers = Mapping[str, DemoServer]


@pytest.fixture
def servers(clock: DemoClock) -> Iterator[Servers]:
    both = {
        policy: DemoServer(ServerConfig(policy=policy, bcrypt_cost=4), clock=clock, name=policy)
        for policy in ("article", "rfc")
    }
    yield {policy: server.start() for policy, server in both.items()}
    for server in both.values():
        server.stop()


@pytest.mark.parametrize(("policy", "wanted"), [("article", BY_ARTICLE), ("rfc", BY_RFC)])
def test_each_action_has_its_answer(
    servers: Servers, clock: DemoClock, policy: str, wanted: list[object]
) -> None:
    answers = ask_all(servers[policy], clock)
    assert [(a.action, a.status, a.error, a.advice) for a in answers] == wanted


def test_the_table_fits_a_small_screen(servers: Servers, clock: DemoClock) -> None:
    """A cell has 668 pixels if the window has 1100 and JupyterLab lists its files."""
    answers = {policy: ask_all(server, clock) for policy, server in servers.items()}
    width, _ = size(side_by_side(answers).svg)
    assert width <= 668


ONE_EACH = {
    "article": [Answered("GET /home", 403, {}, {"error": "token_missing"})],
    "rfc": [Answered("GET /home", 401, {"WWW-Authenticate": 'Bearer realm="<lab>"'}, {})],
}


def test_the_table_as_text() -> None:
    assert as_text(ONE_EACH).splitlines() == [
        "GET /home",
        "  article  403 token_missing",
        "  rfc      401",
        '               WWW-Authenticate: Bearer realm="<lab>"',
    ]


def test_the_table_as_a_picture() -> None:
    picture = side_by_side(ONE_EACH)
    drawn = texts(picture.svg)
    assert drawn[:3] == ["", "article", "rfc"]
    assert texts_in(picture.svg, "bad") == ["403 token_missing", "401"]
    assert drawn[-2:] == ["WWW-Authenticate: Bearer", 'realm="<lab>"']
    assert picture.words == as_text(ONE_EACH)


def stranger(servers: Servers, clock: DemoClock, policy: str) -> AuthClient:
    client = AuthClient(servers[policy].url, clock=clock)
    client.register("ada", PASSWORD)
    return client


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("article", {"ada": "400 password_wrong", "bob": "401 user_unknown"}),
        ("rfc", {"ada": "401 invalid_credentials", "bob": "401 invalid_credentials"}),
    ],
)
def test_a_wrong_password_tells_who_exists_by_the_article_only(
    servers: Servers, clock: DemoClock, policy: str, said: dict[str, str]
) -> None:
    assert try_names(stranger(servers, clock, policy), ["ada", "bob"]) == said


def test_a_registration_tells_who_exists(servers: Servers, clock: DemoClock) -> None:
    client = stranger(servers, clock, "rfc")
    assert try_to_register(client, "ada") == "409 user_exists"
    assert try_to_register(client, "bob") == "201"


def test_each_guess_past_the_fifth_costs_twice_as_long(servers: Servers, clock: DemoClock) -> None:
    before = clock()
    client = stranger(servers, clock, "rfc")
    assert waits(client, "ada", 15, clock.advance) == [
        *[0] * 5,
        *[1, 2, 4, 8, 16, 32, 64, 128, 256, 300],
    ]
    assert clock() - before == 811


def test_by_the_article_no_guess_costs_anything(servers: Servers, clock: DemoClock) -> None:
    assert waits(stranger(servers, clock, "article"), "ada", 9, clock.advance) == [0] * 9

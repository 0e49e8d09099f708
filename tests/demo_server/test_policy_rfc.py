"""The policy of the RFCs over real HTTP: status, challenge and body of each answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt
import pytest
import requests

from client_widget import EventLog
from demo_server import DemoClock, DemoServer, ServerConfig

from .api import ADA, TESS, Api


@pytest.fixture
def config() -> ServerConfig:
    return ServerConfig(
        bcrypt_cost=4, policy="rfc", teachers=("tess",), teacher_password=TESS["password"]
    )


def get(server: DemoServer, path: str, token: str | None) -> requests.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return requests.get(server.url + path, headers=headers, timeout=20)


def described(error: str, message: str) -> dict[str, str]:
    return {"error": error, "error_description": message, "message": message}


def test_without_a_token_no_error_is_told(server: DemoServer) -> None:
    """RFC 6750, section 3.1."""
    answer = get(server, "/home", None)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="demo_server"'
    assert answer.json() == {"message": "The request carries no bearer token"}


def test_an_expired_token_is_invalid(
    server: DemoServer, tokens: dict[str, str], clock: DemoClock
) -> None:
    clock.advance(60)
    answer = get(server, "/home", tokens["accessToken"])
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer error="invalid_token", error_description="The access token has expired"'
    )
    assert answer.json() == described("invalid_token", "The access token has expired")


@pytest.mark.parametrize("token", ["x", "a.b.c", "refresh"])
def test_a_bad_token_is_invalid(server: DemoServer, tokens: dict[str, str], token: str) -> None:
    answer = get(server, "/home", tokens["refreshToken"] if token == "refresh" else token)
    assert answer.status_code == 401
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer error="invalid_token", error_description="')
    assert answer.json()["error"] == "invalid_token"


def test_only_a_lack_of_right_is_403(server: DemoServer, api: Api, tokens: dict[str, str]) -> None:
    answer = get(server, "/class", tokens["accessToken"])
    assert answer.status_code == 403
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer error="insufficient_scope", error_description="Only a teacher may read this"'
    )
    assert answer.json() == described("insufficient_scope", "Only a teacher may read this")
    answer = get(server, "/class", api.login(TESS)[1]["accessToken"])
    assert (answer.status_code, answer.json()) == (200, {"users": ["ada", "tess"]})


class TestRefresh:
    def test_gives_both_tokens_and_no_cache_may_keep_them(
        self, server: DemoServer, tokens: dict[str, str]
    ) -> None:
        """RFC 6749, section 5.1."""
        body = {"token": tokens["refreshToken"]}
        answer = requests.post(server.url + "/refresh", json=body, timeout=20)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert set(answer.json()) == {"accessToken", "refreshToken"}
        assert get(server, "/home", answer.json()["accessToken"]).status_code == 200

    def test_without_a_token_is_an_invalid_request(self, api: Api) -> None:
        """RFC 6749, section 5.2."""
        message = "token Unavailable!!"
        assert api.refresh({}) == (400, described("invalid_request", message))
        assert api.refresh({"token": 1})[1]["error"] == "invalid_request"

    def test_refused_is_an_invalid_grant(
        self, api: Api, tokens: dict[str, str], clock: DemoClock
    ) -> None:
        for bad in ("x", tokens["accessToken"]):
            status, body = api.refresh({"token": bad})
            assert (status, body["error"]) == (400, "invalid_grant")
        clock.advance(300)
        message = "The refresh token has expired"
        assert api.refresh({"token": tokens["refreshToken"]}) == (
            400,
            described("invalid_grant", message),
        )


class TestLogin:
    def test_an_unknown_user_and_a_wrong_password_are_answered_alike(
        self, server: DemoServer, api: Api
    ) -> None:
        api.register()
        answers = [
            requests.post(server.url + "/users/login", json=body, timeout=20)
            for body in ({**ADA, "password": "wrong"}, {**ADA, "username": "nobody"})
        ]
        message = "The username or the password is wrong"
        for answer in answers:
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="demo_server"'
            assert answer.json() == described("invalid_credentials", message)

    def test_an_unknown_user_costs_the_same_work(
        self, api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As many hashes of the same cost, so that no watch can tell the two apart."""
        from demo_server.auth import auth_service

        api.register()
        real, costs = auth_service.bcrypt.checkpw, []

        def checkpw(password: bytes, hashed: bytes) -> bool:
            costs.append(hashed[:7])
            return bool(real(password, hashed))

        monkeypatch.setattr(auth_service.bcrypt, "checkpw", checkpw)
        api.login({**ADA, "password": "wrong"})
        api.login({**ADA, "username": "nobody"})
        assert costs == [b"$2b$04$", b"$2b$04$"]

    @pytest.mark.parametrize("name", ["ada", "nobody"])
    def test_guessing_must_wait_and_the_waits_double(
        self, server: DemoServer, api: Api, clock: DemoClock, name: str
    ) -> None:
        """Known or not, on the injected clock; a refused attempt does not make it longer."""
        api.register()
        url, guess = server.url + "/users/login", {"username": name, "password": "wrong"}
        waits = []
        for _ in range(14):
            answer = requests.post(url, json=guess, timeout=20)
            if answer.status_code == 429:
                waits.append(int(answer.headers["Retry-After"]))
                assert answer.json()["error"] == "too_many_attempts"
                clock.advance(waits[-1])
        assert waits == [1, 2, 4, 8, 16]
        assert requests.post(url, json=guess, timeout=20).status_code == 401

    def test_the_right_password_must_wait_as_well_and_then_clears_the_count(
        self, api: Api, clock: DemoClock
    ) -> None:
        api.register()
        statuses = [api.login({**ADA, "password": "wrong"})[0] for _ in range(6)]
        assert statuses == [401] * 5 + [429]
        assert api.login()[0] == 429
        clock.advance(1)
        assert api.login()[0] == 201
        assert [api.login({**ADA, "password": "wrong"})[0] for _ in range(5)] == [401] * 5

    def test_waits_end_at_five_minutes_and_failures_are_forgotten(
        self, api: Api, clock: DemoClock
    ) -> None:
        wrong = {**ADA, "password": "wrong"}
        for _ in range(20):
            assert api.login(wrong)[0] == 401
            clock.advance(300)
        api.login(wrong)
        message = "Too many failed logins: wait 300 s"
        assert api.login(wrong) == (429, described("too_many_attempts", message))
        clock.advance(300 + 86_401)
        assert [api.login(wrong)[0] for _ in range(5)] == [401] * 5

    def test_a_clock_that_is_set_back_locks_nobody_out(self, api: Api, clock: DemoClock) -> None:
        for _ in range(6):
            api.login({**ADA, "password": "wrong"})
        clock.advance(-3600)
        api.register()
        assert api.login()[0] == 201


def test_a_name_is_given_once(api: Api) -> None:
    api.register()
    assert api.register() == (409, described("user_exists", "User already exists"))


class TestKnownDevice:
    """A device that has logged in before has its own counter (OWASP's device cookies)."""

    @pytest.fixture
    def known(self, api: Api) -> dict[str, str]:
        """Ada's login from a device that has logged in before."""
        api.register()
        return {**ADA, "deviceToken": api.login()[1]["deviceToken"]}

    def lock_out(self, api: Api) -> None:
        """A stranger guesses until the name must wait."""
        assert [api.login({**ADA, "password": "wrong"})[0] for _ in range(6)][-1] == 429

    def test_does_not_wait_for_a_stranger(
        self, api: Api, clock: DemoClock, known: dict[str, str]
    ) -> None:
        wrong = {**ADA, "password": "wrong"}
        until = clock() + 6 * 3600
        while clock() < until:  # as often as the server lets a stranger, and at once
            while api.login(wrong)[0] == 401:
                pass
            wait = api.login(wrong)[1]["message"].split()[-2]
            clock.advance(int(wait))
        while api.login(wrong)[0] == 401:
            pass
        assert api.login()[0] == 429
        status, body = api.login(known)
        assert status == 201
        assert set(body) == {"accessToken", "refreshToken", "deviceToken"}
        assert body["deviceToken"] == known["deviceToken"]
        # The owner's success does not help the stranger.
        assert api.login()[0] == 429

    def test_waits_for_its_own_failures(self, api: Api, known: dict[str, str]) -> None:
        """So a stolen device token is no way around the back-off."""
        wrong = {**known, "password": "wrong"}
        assert [api.login(wrong)[0] for _ in range(6)] == [401] * 5 + [429]
        assert api.login(known)[0] == 429
        assert api.login()[0] == 201

    @pytest.mark.parametrize(
        "change",
        [
            lambda token: "",
            lambda token: "x",
            lambda token: token.upper(),
            lambda token: token + "0",
            lambda token: "0" * 32 + token[32:],
            lambda token: token[:-1] + ("0" if token[-1] != "0" else "1"),
            lambda token: token.partition(".")[0],
            lambda token: "\ud800",
            lambda token: "ü" * 32 + "." + "٣" * 64,
        ],
    )
    def test_a_forged_token_is_ignored(
        self, api: Api, known: dict[str, str], change: Callable[[str], str]
    ) -> None:
        forged = {**known, "deviceToken": change(known["deviceToken"])}
        assert api.login(forged)[0] == 201
        self.lock_out(api)
        assert api.login(forged)[0] == 429

    def test_a_token_is_for_one_name(self, api: Api, known: dict[str, str]) -> None:
        api.register(TESS)
        of_tess = api.login(TESS)[1]["deviceToken"]
        self.lock_out(api)
        assert api.login({**known, "deviceToken": of_tess})[0] == 429

    def test_a_token_opens_nothing(self, api: Api, known: dict[str, str]) -> None:
        token = known["deviceToken"]
        assert api.login({**known, "password": "wrong"})[0] == 401
        assert api.home(f"Bearer {token}")[0] == 401
        assert api.refresh({"token": token})[0] == 400

    def test_a_field_that_is_no_string_is_malformed(self, api: Api, known: dict[str, str]) -> None:
        status, body = api.login({**ADA, "deviceToken": 1})
        assert (status, body["message"]) == (400, "The field deviceToken must be a string")

    def test_no_event_holds_it(self, known: dict[str, str], log: EventLog) -> None:
        assert known["deviceToken"] not in log.to_jsonl()
        assert known["deviceToken"].partition(".")[0] not in log.to_jsonl()


@pytest.mark.parametrize("password", ["x", "seven77", "ü" * 7, "\N{PILE OF POO}" * 7])
def test_a_new_password_has_at_least_eight_characters(
    api: Api, log: EventLog, password: str
) -> None:
    """Characters, not bytes: NIST SP 800-63B-3, 5.1.1.2, counts each code point as one."""
    message = "The password must have at least 8 characters."
    short = {**ADA, "password": password}
    assert api.register(short) == (400, described("invalid_request", message))
    told = [event.fields for event in log if event.name == "request.refused"]
    assert [(fields["reason"], fields["detail"]) for fields in told] == [
        ("request_malformed", message)
    ]
    # Nothing is stored, and a login does not reveal the rule.
    assert api.login(short)[1]["error"] == "invalid_credentials"
    assert api.register({**ADA, "password": password[:1] * 8})[0] == 201


def test_the_article_accepts_a_short_password_and_knows_no_device(clock: DemoClock) -> None:
    short = {**ADA, "password": "x"}
    with DemoServer(ServerConfig(bcrypt_cost=4), clock=clock, name="article") as server:
        assert Api(server.url).register(short)[0] == 201
        status, body = Api(server.url).login({**short, "deviceToken": 1})
        assert (status, set(body)) == (201, {"accessToken", "refreshToken"})


def test_a_malformed_request_is_invalid(api: Api) -> None:
    status, body = api.register({"username": "ada"})
    assert (status, body["error"]) == (400, "invalid_request")


def test_other_refusals_are_as_ever(api: Api) -> None:
    assert api.send("GET", "/nowhere") == (404, described("route_unknown", "No such route exists"))


class TestClaims:
    """Each is pinned (RFC 8725, sections 3.8 to 3.12)."""

    def test_a_token_says_who_made_it_and_for_whom(self, tokens: dict[str, str]) -> None:
        options = {"verify_signature": False}
        claims = {kind: jwt.decode(tokens[f"{kind}Token"], options=options) for kind in KINDS}
        for kind in KINDS:
            assert set(claims[kind]) == {"sub", "iss", "aud", "iat", "exp", "jti", "sid"}
        assert claims["access"]["jti"] != claims["refresh"]["jti"]
        assert claims["access"]["sid"] == claims["refresh"]["sid"]

    @pytest.mark.parametrize(
        "change",
        [
            {"iss": "another"},
            {"aud": "another"},
            {"sub": ""},
            {"sid": 1},
            {"sid": "of no session"},
            *({name: None} for name in ("sub", "iss", "aud", "jti", "sid", "exp")),
        ],
        ids=repr,
    )
    def test_a_signed_token_with_another_claim_is_refused(
        self,
        server: DemoServer,
        tokens: dict[str, str],
        config: ServerConfig,
        change: dict[str, Any],
    ) -> None:
        secret = config.access_token_secret
        claims = jwt.decode(tokens["accessToken"], options={"verify_signature": False}) | change
        changed = {name: value for name, value in claims.items() if value is not None}
        answer = get(server, "/home", jwt.encode(changed, secret, "HS256", TYPE))
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")

    def test_the_same_claims_signed_again_are_taken(
        self, server: DemoServer, tokens: dict[str, str], config: ServerConfig
    ) -> None:
        """So the refusals above are because of the claims."""
        claims = jwt.decode(tokens["accessToken"], options={"verify_signature": False})
        again = jwt.encode(claims, config.access_token_secret, "HS256", TYPE)
        assert get(server, "/home", again).status_code == 200

    def test_the_header_says_what_a_token_is_for(self, tokens: dict[str, str]) -> None:
        """RFC 9068, section 2.1, has the type of an access token."""
        headers = [jwt.get_unverified_header(tokens[f"{kind}Token"]) for kind in KINDS]
        assert headers == [{"alg": "HS256", **TYPE}, {"alg": "HS256", "typ": "rt+jwt"}]

    @pytest.mark.parametrize("typ", ["JWT", "rt+jwt", "AT+JWT", "", None])
    def test_a_signed_token_of_another_type_is_refused(
        self, server: DemoServer, tokens: dict[str, str], config: ServerConfig, typ: str | None
    ) -> None:
        """The secret and each claim are right (RFC 8725, section 3.11)."""
        claims = jwt.decode(tokens["accessToken"], options={"verify_signature": False})
        other = jwt.encode(claims, config.access_token_secret, "HS256", {"typ": typ})
        answer = get(server, "/home", other)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
        assert answer.json()["message"] == "The token's type is not at+jwt"


KINDS = ("access", "refresh")
TYPE = {"typ": "at+jwt"}


def test_the_article_has_no_logout_and_no_challenge(clock: DemoClock, log: EventLog) -> None:
    with DemoServer(ServerConfig(bcrypt_cost=4), clock=clock, name="article") as server:
        assert Api(server.url).send("POST", "/logout")[0] == 404
        answer = get(server, "/home", "x")
        assert "WWW-Authenticate" not in answer.headers
        assert get(server, "/class", None).status_code == 403

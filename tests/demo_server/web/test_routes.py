"""The table of routes in the README, over real HTTP."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from demo_server import DemoServer

from ..api import ADA, Api

JSON, FORM = "application/json", "application/x-www-form-urlencoded"


def refused(answer: tuple[int, Any]) -> tuple[int, str]:
    """Status and code of a refusal; its form is always the same."""
    status, body = answer
    assert set(body) == {"message", "error"}
    assert isinstance(body["message"], str)
    assert body["message"]
    return status, body["error"]


class TestRegister:
    def test_answers_with_id_and_name_and_no_hash(self, api: Api) -> None:
        status, body = api.register()
        assert status == 201
        assert set(body) == {"_id", "username"}
        assert body["username"] == "ada"
        assert isinstance(body["_id"], str)

    def test_takes_a_form_as_well(self, api: Api) -> None:
        assert api.send("POST", "/users/register", data=ADA)[0] == 201
        assert api.send("POST", "/users/login", data=ADA)[0] == 201

    def test_a_name_is_given_once(self, api: Api) -> None:
        api.register()
        assert api.register() == (
            403,
            {"message": "User already exists", "error": "user_exists"},
        )

    @pytest.mark.parametrize(
        "body",
        [
            [],
            "ada",
            None,
            {},
            {"username": "ada"},
            {"password": "x"},
            {"username": "", "password": "x"},
            {"username": "ada", "password": ""},
            {"username": 1, "password": "x"},
            {"username": {"$ne": None}, "password": "x"},
            {"username": "ada", "password": ["x"]},
            {"username": "ada", "password": "x" * 73},
            {"username": "ada", "password": "ü" * 37},
            {"username": "ada", "password": "a\0b"},
            {"username": "\ud800", "password": "x"},
            {"username": "ada", "password": "\ud800"},
        ],
        ids=repr,
    )
    def test_refuses_a_body_that_it_cannot_use(self, api: Api, body: Any) -> None:
        assert refused(api.register(body)) == (400, "request_malformed")
        assert refused(api.login(body)) == (400, "request_malformed")

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("application/json", b"{"),
            ("application/json", b""),
            ("application/json", b'{"username": "\xff", "password": "x"}'),
            ("application/json", b"[" * 16_000),
            ("text/plain", b"username=ada&password=x"),
            ("application/x-www-form-urlencoded", b"username=a&username=b&password=x"),
        ],
    )
    def test_refuses_bytes_that_are_no_body(self, api: Api, content_type: str, body: bytes) -> None:
        answer = api.send(
            "POST", "/users/register", data=body, headers={"Content-Type": content_type}
        )
        assert refused(answer) == (400, "request_malformed")

    def test_a_password_of_72_bytes_is_taken_whole(self, api: Api) -> None:
        api.register({"username": "ada", "password": "ü" * 36})
        assert api.login({"username": "ada", "password": "ü" * 36})[0] == 201
        assert api.login({"username": "ada", "password": "ü" * 35 + "xx"})[0] == 400


class TestLogin:
    def test_gives_two_tokens(self, api: Api) -> None:
        api.register()
        status, body = api.login()
        assert status == 201
        assert set(body) == {"accessToken", "refreshToken"}

    def test_refuses_an_unknown_user(self, api: Api) -> None:
        assert api.login() == (401, {"message": "user does not exist!", "error": "user_unknown"})

    def test_refuses_a_wrong_password(self, api: Api) -> None:
        api.register()
        assert api.login({**ADA, "password": "wrong"}) == (
            400,
            {"message": "Unauthorized: Wrong Password!!", "error": "password_wrong"},
        )


class TestBodies:
    @pytest.mark.parametrize(
        ("kind", "body", "message"),
        [
            (JSON, b'{"username":"a","username":"b","password":"x"}', "contains a field twice"),
            (JSON, b'{"username":"a","password":"x","x":{"y":1,"y":2}}', "contains a field twice"),
            (FORM, b"username=%ff&password=x", "not valid UTF-8"),
            (FORM, b"username=ada&password=%e9", "not valid UTF-8"),
            (FORM, b"username=\xe9&password=x", "not valid UTF-8"),
        ],
    )
    def test_one_that_programs_read_differently_is_refused(
        self, api: Api, kind: str, body: bytes, message: str
    ) -> None:
        for path in ("/users/register", "/users/login"):
            answer = api.send("POST", path, data=body, headers={"Content-Type": kind})
            assert refused(answer) == (400, "request_malformed")
            assert message in answer[1]["message"]

    def test_a_form_in_utf_8_is_read(self, api: Api) -> None:
        form = b"username=%C3%A9+a&password=%C3%BC%2B"
        for path in ("/users/register", "/users/login"):
            answer = api.send("POST", path, data=form, headers={"Content-Type": FORM})
            assert answer[0] == 201
        assert api.login({"username": "\u00e9 a", "password": "\u00fc+"})[0] == 201


class TestHome:
    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_welcomes_by_name(self, api: Api, tokens: dict[str, str], scheme: str) -> None:
        answer = api.home(f"{scheme} {tokens['accessToken']}")
        assert answer == (200, {"message": "Welcome ada"})

    @pytest.mark.parametrize(
        "authorization", [None, "", "Bearer", "Bearer ", "Basic YTpi", "Token abc"]
    )
    def test_asks_for_a_token(self, api: Api, authorization: str | None) -> None:
        assert refused(api.home(authorization)) == (403, "token_missing")

    @pytest.mark.parametrize("token", ["abc", "a.b.c", "a b", "..", "é.é.é", "x" * 8000])
    def test_refuses_what_is_no_token(self, api: Api, token: str) -> None:
        answer = api.home(f"Bearer {token}".encode("latin-1").decode("latin-1"))
        assert refused(answer) == (403, "token_malformed")

    def test_refuses_a_refresh_token(self, api: Api, tokens: dict[str, str]) -> None:
        answer = api.home(f"Bearer {tokens['refreshToken']}")
        assert refused(answer) == (403, "token_invalid")

    def test_refuses_an_expired_token(self, api: Api, tokens: dict[str, str], clock: Any) -> None:
        clock.advance(59)
        assert api.home(f"Bearer {tokens['accessToken']}")[0] == 200
        clock.advance(1)
        assert refused(api.home(f"Bearer {tokens['accessToken']}")) == (403, "token_expired")

    def test_refuses_a_token_from_the_future(
        self, api: Api, tokens: dict[str, str], clock: Any
    ) -> None:
        clock.advance(-11)
        answer = api.home(f"Bearer {tokens['accessToken']}")
        assert refused(answer) == (403, "token_not_yet_valid")


class TestRefresh:
    def test_gives_a_new_access_token(self, api: Api, tokens: dict[str, str], clock: Any) -> None:
        clock.advance(61)
        status, body = api.refresh({"token": tokens["refreshToken"]})
        assert status == 200
        assert set(body) == {"accessToken"}
        assert api.home(f"Bearer {body['accessToken']}") == (200, {"message": "Welcome ada"})

    @pytest.mark.parametrize("body", [{}, {"token": None}, {"token": ""}])
    def test_says_that_the_token_is_missing(self, api: Api, body: Any) -> None:
        expected = (403, {"message": "token Unavailable!!", "error": "token_missing"})
        assert api.refresh(body) == expected

    def test_without_a_body_the_token_is_missing(self, api: Api) -> None:
        assert refused(api.send("POST", "/refresh")) == (403, "token_missing")

    def test_refuses_an_access_token(self, api: Api, tokens: dict[str, str]) -> None:
        assert refused(api.refresh({"token": tokens["accessToken"]})) == (403, "token_invalid")

    def test_refuses_what_is_no_token(self, api: Api) -> None:
        assert refused(api.refresh({"token": "abc"})) == (403, "token_malformed")

    def test_refuses_after_300_seconds(self, api: Api, tokens: dict[str, str], clock: Any) -> None:
        clock.advance(299)
        assert api.refresh({"token": tokens["refreshToken"]})[0] == 200
        clock.advance(1)
        assert refused(api.refresh({"token": tokens["refreshToken"]})) == (403, "token_expired")

    @pytest.mark.parametrize("body", [[], {"token": 1}, {"token": {}}])
    def test_refuses_a_malformed_body(self, api: Api, body: Any) -> None:
        assert refused(api.refresh(body)) == (400, "request_malformed")


class TestTheRest:
    @pytest.mark.parametrize("path", ["/", "/nope", "/home/", "/users", "/static/x"])
    def test_an_unknown_route_is_404(self, api: Api, path: str) -> None:
        assert api.send("GET", path) == (
            404,
            {"message": "No such route exists", "error": "route_unknown"},
        )

    def test_a_wrong_method_is_405_and_names_the_right_one(self, server: DemoServer) -> None:
        response = requests.get(server.url + "/refresh", timeout=20)
        assert response.status_code == 405
        assert response.json()["error"] == "method_not_allowed"
        assert set(response.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}

    @pytest.mark.parametrize("path", ["/users/login", "/refresh", "/nope"])
    def test_a_body_past_16_kib_is_413(self, api: Api, path: str) -> None:
        headers = {"Content-Type": "application/json"}
        at_limit = b" " * 16 * 1024
        assert api.send("POST", path, data=at_limit, headers=headers)[0] != 413
        answer = api.send("POST", path, data=at_limit + b" ", headers=headers)
        assert refused(answer) == (413, "body_too_large")

    def test_a_chunked_body_past_16_kib_is_413(self, api: Api) -> None:
        answer = api.send("POST", "/refresh", data=iter([b"x" * 9000] * 2))
        assert refused(answer) == (413, "body_too_large")

    def test_a_fault_inside_is_500_without_its_trace(
        self, api: Api, server: DemoServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        def broken() -> None:
            raise RuntimeError("what only the operator may read")

        server.app.view_functions["home"] = broken
        assert api.home() == (500, {"message": "Internal Server Error", "error": "server_error"})
        assert [record.message for record in caplog.records] == ["GET /home failed"]

    def test_what_the_database_says_of_a_command_is_in_no_log(
        self, api: Api, server: DemoServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        """MongoDB repeats the command that a user may not run, with its documents."""
        from pymongo.errors import OperationFailure

        told = "not authorized to execute { documents: [{ password: $2b$04$x }]"

        def refused() -> None:
            raise OperationFailure(told)

        server.app.view_functions["register"] = refused
        status, body = api.register()
        assert (status, body["error"]) == (500, "server_error")
        assert "POST /users/register failed: OperationFailure" in caplog.text
        assert "in refused" in caplog.text
        assert "$2b$" not in caplog.text

    def test_any_origin_may_call(self, server: DemoServer) -> None:
        plain = requests.get(server.url + "/home", timeout=20)
        assert plain.headers["Access-Control-Allow-Origin"] == "*"
        cross = requests.get(server.url + "/home", headers={"Origin": "http://x"}, timeout=20)
        assert cross.headers["Access-Control-Allow-Origin"] == "*"
        assert cross.headers["Access-Control-Expose-Headers"] == "X-Request-ID"

    def test_a_browsers_preflight_is_answered(self, server: DemoServer) -> None:
        asked = {
            "Origin": "http://x",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization",
        }
        response = requests.options(server.url + "/refresh", headers=asked, timeout=20)
        assert response.status_code == 200
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "POST" in response.headers["Access-Control-Allow-Methods"]
        assert response.headers["Access-Control-Allow-Headers"] == "authorization"

    def test_the_request_id_comes_back_unless_it_could_hurt_a_log(self, server: DemoServer) -> None:
        def echoed(given: str) -> str:
            headers = {"X-Request-ID": given}
            return requests.get(server.url + "/home", headers=headers, timeout=20).headers[
                "X-Request-ID"
            ]

        assert echoed("a1-b2") == "a1-b2"
        for bad in ["<b>", "a b", "x" * 65]:
            assert len(echoed(bad)) == 12

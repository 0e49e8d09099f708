"""Messages as the log holds them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from client_widget.log.masking import MAX_BODY, mask_answer, mask_body, mask_headers, mask_token

JSON = "application/json"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VybmFtZSI6ImFkYSJ9.c2lnbmF0dXJl"


def test_the_token_of_a_header_is_masked() -> None:
    headers = {"Authorization": f"Bearer {JWT}", "Accept": "*/*"}
    assert mask_headers(headers) == {"Authorization": f"Bearer {mask_token(JWT)}", "Accept": "*/*"}
    assert headers["Authorization"] == f"Bearer {JWT}"
    assert mask_headers({"authorization": JWT}) == {"authorization": mask_token(JWT)}
    assert mask_headers({"Accept": "*/*"}) == {"Accept": "*/*"}


SECRET = "s3cret-value"


@pytest.mark.parametrize(
    "name",
    ["Cookie", "Set-Cookie", "Proxy-Authorization", "X-API-Key", "X-Auth-Token", "X-New-Thing"],
)
@pytest.mark.parametrize("value", [SECRET, SECRET.encode()])
def test_a_header_is_shown_only_if_it_is_known_to_be_harmless(name: str, value: Any) -> None:
    assert mask_headers({name: value}) == {name: "***"}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (f"Bearer {SECRET}", f"Bearer {mask_token(SECRET)}"),
        (f"bearer {SECRET}".encode(), f"bearer {mask_token(SECRET)}"),
        ("Basic YWRhOnMzY3JldA==", "Basic ***"),
        (f"Digest username=ada, response={SECRET}", "Digest ***"),
        (SECRET, "***"),
        (b"\xff\xfe", "***"),
    ],
)
def test_of_credentials_only_a_bearer_token_has_a_fingerprint(value: Any, shown: str) -> None:
    assert mask_headers({"Authorization": value}) == {"Authorization": shown}


def test_a_location_is_shown_without_its_query_and_fragment() -> None:
    headers = {"Location": f"/next?token={SECRET}#{SECRET}", "Content-Type": b"text/html"}
    assert mask_headers(headers) == {"Location": "/next", "Content-Type": "text/html"}


BCRYPT = "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
ARGON = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b27"
WERKZEUG = "scrypt:32768:8:1$abc$0123456789abcdef"


@pytest.mark.parametrize(
    "name",
    ["password", "PASSWORD", "passwd", "pwd", "userPassword", "old-password", "client_secret",
     "clientSecret", "apiKey", "api_key", "password_hash", "passwordHash", "authorization",
     "Set-Cookie", "pin", "otp"],
)  # fmt: skip
@pytest.mark.parametrize("value", [SECRET, 12345678, [SECRET, [SECRET]], {"value": SECRET}])
def test_a_secret_is_masked_at_any_depth(name: str, value: Any) -> None:
    for body in ({name: value}, [{"a": [{"b": {name: value}}]}]):
        for mask in (mask_answer, mask_body):
            shown = mask(json.dumps(body).encode(), JSON)
            assert SECRET not in shown
            assert "12345678" not in shown
            assert name in shown


@pytest.mark.parametrize("hashed", [BCRYPT, ARGON, WERKZEUG])
def test_the_hash_of_a_password_is_masked_under_any_name(hashed: str) -> None:
    for body in ([hashed], {"x": {"y": [f"it is {hashed}!"]}}, hashed):
        shown = mask_answer(json.dumps(body).encode(), JSON)
        assert hashed[-20:] not in shown


def test_what_is_no_secret_is_shown() -> None:
    body = {"message": "Welcome ada", "token_type": "Bearer", "expires_in": 60, "passed": True}
    assert json.loads(mask_answer(json.dumps(body).encode(), JSON)) == body


@pytest.mark.parametrize(
    ("body", "masked"),
    [
        ({"username": "ada", "password": "x"}, {"username": "ada", "password": "***"}),
        ({"token": "abc"}, {"token": mask_token("abc")}),
        (
            {"accessToken": "a", "refreshToken": "b", "n": 1},
            {"accessToken": mask_token("a"), "refreshToken": mask_token("b"), "n": 1},
        ),
        (
            {"token": None, "deep": [{"token": ["a"]}]},
            {"token": None, "deep": [{"token": [mask_token("a")]}]},
        ),
        ({"note": f"look: {JWT}!"}, {"note": f"look: {mask_token(JWT)}!"}),
        ([1, "ü"], [1, "ü"]),
    ],
)
def test_json_keeps_its_form(body: Any, masked: Any) -> None:
    assert json.loads(mask_body(json.dumps(body).encode(), JSON)) == masked


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"message":"Welcome ada"}\n', '{"message":"Welcome ada"}'),
        (b'{"accessToken": "abc"}', f'{{"accessToken":"{mask_token("abc")}"}}'),
        (b'{"access\\u0054oken": "abc"}', f'{{"accessToken":"{mask_token("abc")}"}}'),
        (f'{{"note": "{JWT}"}}'.encode(), f'{{"note":"{mask_token(JWT)}"}}'),
        (b'{"message": "\xff"}', '{"message": "\ufffd"}'),
    ],
)
def test_an_answer_is_masked_wherever_a_token_may_be(body: bytes, shown: str) -> None:
    assert mask_answer(body, JSON) == shown


@pytest.mark.parametrize("piece", ["eyJ", "eyJ.", "eyJ.a", "-scrypt", "$argon2"])
def test_a_megabyte_that_looks_like_tokens_takes_no_longer_than_other_text(piece: str) -> None:
    """A search that begins again at each piece would take hours."""
    text = f"{piece * (1_000_000 // len(piece))} $"
    assert len(mask_body(json.dumps(text), JSON)) <= MAX_BODY + 1


def test_a_form_keeps_its_names() -> None:
    form = "username=ada&password=x+y&token=abc"
    expected = f"username=ada&password=***&token={mask_token('abc')}"
    assert mask_body(form, "application/x-www-form-urlencoded") == expected


@pytest.mark.parametrize(
    ("body", "content_type", "shown"),
    [
        (None, JSON, ""),
        (b"", "", ""),
        (b"{secret", JSON, "<7 bytes>"),
        (b"[" * 9000, JSON, "<9000 bytes>"),
        (b"\xff\xfe", "application/x-www-form-urlencoded", "<2 bytes>"),
        ("plain", "text/plain", "<5 bytes>"),
        (iter([b"x"]), JSON, "<a stream>"),
    ],
)
def test_what_cannot_be_read_is_counted(body: object, content_type: str, shown: str) -> None:
    assert mask_body(body, content_type) == shown


def test_a_long_body_is_cut() -> None:
    assert len(mask_body(json.dumps("x" * 10_000), JSON)) == MAX_BODY + 1

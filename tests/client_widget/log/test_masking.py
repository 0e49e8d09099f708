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

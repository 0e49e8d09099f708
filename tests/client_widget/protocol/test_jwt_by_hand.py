"""A JWT by hand, held to the examples of the RFCs and to PyJWT."""

from __future__ import annotations

import base64
import json

import jwt
import pytest

from client_widget import AuthClient
from client_widget.clock import time_of_day
from client_widget.protocol.jwt_by_hand import (
    Parts,
    describe_claims,
    read_object,
    sign,
    split,
    unsigned,
    verdict_words,
    with_payload,
)
from demo_server import ServerConfig
from demo_server.errors import STATUS

from ...conftest import START, pair_of

# RFC 7515, appendix A.1, which is the example of RFC 7519, section 3.1.
HEADER = '{"typ":"JWT",\r\n "alg":"HS256"}'
PAYLOAD = '{"iss":"joe",\r\n "exp":1300819380,\r\n "http://example.com/is_root":true}'
KEY = base64.urlsafe_b64decode(
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow=="
)
SIGNATURE = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
BODY = (
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
)
TOKEN = f"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{BODY}.{SIGNATURE}"


def test_a_token_is_signed_as_the_rfc_does_it() -> None:
    assert sign(HEADER, PAYLOAD, KEY) == TOKEN


def test_with_the_secret_the_servers_own_token_comes_out(
    ada: AuthClient, config: ServerConfig
) -> None:
    pair = pair_of(ada)
    parts = split(pair.access)
    assert sign(parts.header_text, parts.payload_text, config.access_token_secret) == pair.access


def test_a_token_is_split_into_its_texts() -> None:
    assert split(TOKEN) == Parts(HEADER, PAYLOAD, SIGNATURE)
    assert SIGNATURE not in repr(split(TOKEN))


@pytest.mark.parametrize(
    ("token", "parts"),
    [
        ("", Parts("", "", "")),
        ("..", Parts("", "", "")),
        ("e30", Parts("{}", "", "")),
        ("e30.e30", Parts("{}", "{}", "")),
        ("e30.e30.a.b", Parts("{}", "{}", "a.b")),
        ("!.e30!!.x", Parts("", "", "x")),
        ("_w.e30.x", Parts("", "{}", "x")),  # not UTF-8
        ("é.a.x", Parts("", "", "x")),
    ],
)
def test_a_malformed_token_gives_what_can_be_read(token: str, parts: Parts) -> None:
    assert split(token) == parts


def test_another_payload_leaves_header_and_signature() -> None:
    forged = with_payload(TOKEN, '{"name": "é"}')
    assert split(forged) == Parts(HEADER, '{"name": "é"}', SIGNATURE)
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(forged, KEY, algorithms=["HS256"])
    assert with_payload(TOKEN, PAYLOAD) == TOKEN


@pytest.mark.parametrize("token", ["", "a", "a.b"])
def test_a_malformed_token_can_have_another_payload(token: str) -> None:
    assert with_payload(token, "{}") == f"{token[:1]}.e30."


def test_an_unsecured_token_is_that_of_the_rfc() -> None:
    assert unsigned(TOKEN) == f"eyJhbGciOiJub25lIn0.{BODY}."


def test_a_payload_is_an_object() -> None:
    assert read_object(' {"a": [1]} ') == {"a": [1]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": }', "The payload is not JSON: line 1, column 7: Expecting value"),
        ("", "The payload is not JSON: line 1, column 1: Expecting value"),
        ('{"a": NaN}', "The payload is not JSON that can be sent"),
        ("[" * 100_000, "The payload is not JSON that can be sent"),
        ('{"a": "\ud800"}', "The payload is not JSON that can be sent"),
        ("[1]", "The payload is not a JSON object: write it between { and }"),
    ],
)
def test_another_payload_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(ValueError, match="payload") as error:
        read_object(text)
    assert str(error.value) == words


def test_claims_are_said_in_words() -> None:
    claims = {
        "username": "ada",
        "iat": START - 18,
        "nbf": START + 4.5,
        "exp": START + 42,
        "jti": "x",
        "role": "admin",
    }
    assert describe_claims(claims, START) == [
        (
            "username",
            "ada",
            "who the token is about; anyone who has the token can read it",
        ),
        ("iat", START - 18, f"issued at {time_of_day(START - 18)}: 18 s ago"),
        ("nbf", START + 4.5, f"not valid before {time_of_day(START + 4)}: in 5 s"),
        ("exp", START + 42, f"expires at {time_of_day(START + 42)}: 42 s left"),
        ("jti", "x", "the id of the token"),
        ("role", "admin", ""),
    ]


def test_an_expiry_that_is_over_or_no_time_is_said() -> None:
    over = f"expires at {time_of_day(START)}: expired 1 s ago"
    assert describe_claims({"exp": START}, START + 1) == [("exp", START, over)]
    for value in ("soon", True, None, 1e300):
        [(_, _, words)] = describe_claims({"exp": value}, START)
        assert words == "not a number of seconds since 1970 (RFC 7519, section 2)"


def test_every_verdict_on_a_token_has_its_words() -> None:
    codes = [code for code in STATUS if code.startswith("token_")]
    codes += ["invalid_token", "invalid_grant"]
    texts = [verdict_words(200, ""), *(verdict_words(403, code) for code in codes)]
    assert len(set(texts)) == len(codes) + 1 == 10
    for text in texts:
        why, change = text.splitlines()
        assert why.endswith(".")
        assert change.startswith("What would change it: ")


@pytest.mark.parametrize(("status", "code"), [(500, "server_error"), (404, ""), (302, "")])
def test_another_answer_is_no_verdict(status: int, code: str) -> None:
    assert verdict_words(status, code) == f"The response {status} is not a verdict on the token."


def test_the_rfcs_example_is_what_it_says() -> None:
    assert jwt.decode(TOKEN, KEY, algorithms=["HS256"], options={"verify_exp": False}) == (
        json.loads(PAYLOAD)
    )

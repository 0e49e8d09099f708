"""One rule for usernames, at every place where a name comes in."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_server import ConfigError, DemoServer, ServerConfig
from demo_server.usernames import MAX_LENGTH, fault_in

from .api import Api

FINE = [
    "ada",
    "Ada Lovelace",
    "o'brien-42@example.org",
    "José",
    "Đặng Thị Ánh",
    "محمد",
    "דוד",
    "हिन्दी",
    "张伟",
    "🙂",
    "<b>ada</b>",
    "a" * MAX_LENGTH,
]

REFUSED = {
    "a\u202eb": "U+202E (RIGHT-TO-LEFT OVERRIDE)",
    "a\u2066b": "U+2066 (LEFT-TO-RIGHT ISOLATE)",
    "a\u200eb": "U+200E (LEFT-TO-RIGHT MARK)",
    "a\u200bb": "U+200B (ZERO WIDTH SPACE)",
    "a\u200db": "U+200D (ZERO WIDTH JOINER)",
    "\ufeffada": "U+FEFF",
    "a\u00adb": "U+00AD (SOFT HYPHEN)",
    "\u3164": "U+3164 (HANGUL FILLER)",
    "a\ufe0f": "U+FE0F (VARIATION SELECTOR-16)",
    "a\u034fb": "U+034F",
    "a\u2800b": "U+2800 (BRAILLE PATTERN BLANK)",
    "a\U000e0061": "U+E0061",
    "a\ue000": "U+E000",
    "a\u0378": "U+0378",
    "a\tb": "U+0009",
    "ada\n": "U+000A",
    "a\x00b": "U+0000",
    "a\x7fb": "U+007F",
    "a\x85b": "U+0085",
    "a\u2028b": "U+2028 (LINE SEPARATOR)",
    "a\u00a0b": "U+00A0 (NO-BREAK SPACE)",
    "a\u3000b": "U+3000 (IDEOGRAPHIC SPACE)",
    " ada": "begin or end with a space",
    "ada ": "begin or end with a space",
    " ": "begin or end with a space",
    "a  b": "two spaces in a row",
    "Jose\u0301": "NFC",
    "\u212b": "NFC",  # the Angstrom sign, which NFC writes as a letter
    "\u0301": "combining mark",
    "\u0301\u0302": "combining mark",
    "z" + "\u0335" * 5: "more than 4 combining marks",
    "a" * (MAX_LENGTH + 1): "at most 64 characters, not 65",
}


@pytest.fixture(params=["article", "rfc"])
def config(request: pytest.FixtureRequest) -> ServerConfig:
    return ServerConfig(bcrypt_cost=4, policy=request.param)


def test_a_name_that_can_be_seen_is_accepted_as_it_was_sent(api: Api) -> None:
    for name in FINE:
        credentials = {"username": name, "password": "a pass phrase"}
        status, user = api.register(credentials)
        assert (status, user["username"]) == (201, name)
        assert api.login(credentials)[0] == 201


@pytest.mark.parametrize("path", ["/users/register", "/users/login"])
def test_any_other_name_is_refused_in_words(
    api: Api, server: DemoServer, config: ServerConfig, path: str
) -> None:
    code = "request_malformed" if config.policy == "article" else "invalid_request"
    for name, words in REFUSED.items():
        credentials = {"username": name, "password": "a pass phrase"}
        for options in ({"json": credentials}, {"data": credentials}):
            status, body = api.send("POST", path, **options)
            assert (status, body["error"]) == (400, code), ascii(name)
            assert body["message"].startswith("The username ")
            assert words in body["message"]
            assert body["message"].isprintable()  # so it does not repeat the character
    status, body = api.send("POST", path, json={"username": "\ud800", "password": "x"})
    assert (status, body["error"]) == (400, code)
    assert body["message"] == "The username is not valid Unicode."


@pytest.mark.parametrize("name", REFUSED)
def test_a_teacher_has_no_such_name_either(name: str) -> None:
    with pytest.raises(ConfigError, match=r"^TEACHERS: The username ") as caught:
        ServerConfig(teachers=("tess", name))
    assert str(caught.value).isprintable()


@given(st.text(st.characters(), max_size=MAX_LENGTH + 2))
def test_what_passes_has_one_spelling_and_can_be_seen(name: str) -> None:
    if fault_in(name) is None:
        assert 0 < len(name) <= MAX_LENGTH
        assert unicodedata.normalize("NFC", name) == name == name.strip()
        assert {unicodedata.category(char)[0] for char in name} <= set("LMNPSZ")
        assert [char for char in name if unicodedata.category(char) in ("Zl", "Zp")] == []

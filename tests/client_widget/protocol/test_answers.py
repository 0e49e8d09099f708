"""What a response says: any status, any body, any headers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client_widget import (
    BearerAuth,
    LoginRequired,
    Request,
    ServerUnreachable,
    TokenPair,
    TokenStore,
)
from client_widget.protocol.answers import challenges, error_code, refuses_refresh, retry_after
from client_widget.protocol.auth_flow import may_have_expired


@dataclass
class Answer:
    """A response as text, like a real one."""

    status_code: int
    text: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        return json.loads(self.text)


def of(status: int, body: Any, **headers: str) -> Answer:
    return Answer(status, json.dumps(body), {k.replace("_", "-"): v for k, v in headers.items()})


PAGE = "<html><title>Blocked</title></html>"
JWT_ERROR = {"name": "TokenExpiredError", "message": "jwt expired", "expiredAt": "2026-01-01"}


def refreshed_with(answer: Answer) -> tuple[TokenStore, TokenPair, Any]:
    """A call that is refused and refreshed with that answer: the store, the old pair, the end."""
    store, old = TokenStore(), TokenPair("access-1", "refresh-1")
    store.set(old)
    flow = BearerAuth(store).auth_flow(Request("GET", "/home"))
    next(flow)
    flow.send(of(403, {"error": "token_expired"}))
    try:
        return store, old, flow.send(answer)
    except Exception as error:
        return store, old, error


@pytest.mark.parametrize(
    "answer",
    [
        *(of(status, {"error": "token_expired"}) for status in (400, 401, 403)),
        *(of(status, {}) for status in (400, 401, 403)),
        *(of(status, {"error": "invalid_grant"}) for status in (200, 400, 404, 500)),
        *(of(400, {"error": code}) for code in ("invalid_client", "unauthorized_client")),
        Answer(403, "token Unavailable!!"),
        of(403, "token Unavailable!!"),
        *(of(500, {**JWT_ERROR, "name": n}) for n in ("TokenExpiredError", "JsonWebTokenError")),
        of(500, {"name": "NotBeforeError", "message": "jwt not active"}),
    ],
    ids=lambda answer: f"{answer.status_code} {answer.text[:40]}",
)
def test_a_refusal_ends_the_session(answer: Answer) -> None:
    store, _, end = refreshed_with(answer)
    assert isinstance(end, LoginRequired)
    assert store.get() is None


@pytest.mark.parametrize(
    "answer",
    [
        *(Answer(status, PAGE) for status in (200, 302, 400, 401, 403, 404, 451, 500, 511, 520)),
        *(of(status, {"error": "nope"}) for status in (300, 302, 404, 405, 408, 409, 410, 418)),
        *(of(status, {"error": "server_error"}) for status in (500, 501, 502, 503, 504, 599)),
        *(of(status, {"error": "invalid_grant"}) for status in (429, 502, 503, 504)),
        *(of(status, body) for status in (200, 403) for body in (None, [], 7, "text", [{}])),
        of(403, {"error": "token_not_yet_valid"}),
        of(500, {"name": ["TokenExpiredError"]}),
        of(204, {}),
        Answer(204),
        Answer(403, "[" * 200_000),
        Answer(403, "x" * 100_000),
    ],
    ids=lambda answer: f"{answer.status_code} {answer.text[:40]}",
)
def test_anything_else_keeps_it(answer: Answer) -> None:
    store, old, end = refreshed_with(answer)
    assert isinstance(end, ServerUnreachable)
    assert store.get() is old


@pytest.mark.parametrize("status", [200, 201, 202, 203, 206])
def test_any_2xx_with_a_token_is_a_success(status: int) -> None:
    store, _, message = refreshed_with(of(status, {"accessToken": "access-2"}))
    assert (message.purpose, message.headers) == ("retry", {"Authorization": "Bearer access-2"})
    assert store.get().refresh == "refresh-1"  # type: ignore[union-attr]


#: What no header can carry, or not unchanged.
UNSENDABLE = [
    *("", "s3c\nret", "s3cret\r\nX: y", "s3crét", "s3c\tret", "s3cret\0", " s3cret", "s3cret "),
    *("\ud800s3cret", "\x7fs3cret", None, 7, []),
]


@pytest.mark.parametrize("token", UNSENDABLE, ids=repr)
def test_a_token_that_cannot_be_sent_is_not_stored(token: Any) -> None:
    store, old, end = refreshed_with(of(200, {"accessToken": token}))
    assert isinstance(end, ServerUnreachable)
    assert store.get() is old
    assert "s3c" not in str(end) + repr(end)


@pytest.mark.parametrize("token", UNSENDABLE, ids=repr)
def test_an_unsendable_successor_leaves_the_old_refresh_token(token: Any) -> None:
    store, _, _ = refreshed_with(of(200, {"accessToken": "access-2", "refreshToken": token}))
    pair = store.get()
    assert pair is not None
    assert (pair.access, pair.refresh) == ("access-2", "refresh-1")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["accessToken", "refreshToken", "error", "name", "message"]), inner
        )
    ),
    max_leaves=6,
)
bodies = st.one_of(
    json_values.map(json.dumps),
    st.text(max_size=40),
    st.sampled_from([PAGE, "token Unavailable!!", json.dumps(JWT_ERROR), "[" * 5000]),
    st.sampled_from(["invalid_grant", "token_expired", "token_not_yet_valid"]).map(
        lambda code: json.dumps({"error": code})
    ),
)
header_values = st.text(st.characters(max_codepoint=255), max_size=30)
headers = st.dictionaries(
    st.sampled_from(["Retry-After", "WWW-Authenticate", "Content-Type", "Date"]), header_values
)


@settings(derandomize=True, deadline=None, database=None, max_examples=600)
@given(status=st.integers(100, 599), body=bodies, headers=headers)
def test_only_a_refusal_deletes_tokens(status: int, body: str, headers: dict[str, str]) -> None:
    """Whatever the answer, there is one of three ends, and each says what is in the store."""
    store, old, end = refreshed_with(Answer(status, body, headers))
    if isinstance(end, LoginRequired):
        assert refuses_refresh(Answer(status, body, headers))
        assert store.get() is None
    elif isinstance(end, ServerUnreachable):
        assert store.get() is old
    else:
        assert 200 <= status < 300
        assert end.purpose == "retry"
        assert store.get().access == json.loads(body)["accessToken"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('Bearer error="invalid_token"', [("bearer", {"error": "invalid_token"})]),
        ("Bearer error=invalid_token", [("bearer", {"error": "invalid_token"})]),
        ('BEARER Error = "insufficient_scope"', [("bearer", {"error": "insufficient_scope"})]),
        (
            'Basic realm="a, b", Bearer realm=x, error="invalid_token"',
            [("basic", {"realm": "a, b"}), ("bearer", {"realm": "x", "error": "invalid_token"})],
        ),
        ('Bearer error="a \\"quoted\\" word"', [("bearer", {"error": 'a "quoted" word'})]),
        ("Negotiate, Bearer", [("negotiate", {}), ("bearer", {})]),
        ("", []),
        (" , ,", []),
    ],
)
def test_challenges_are_read_as_rfc_9110_writes_them(header: str, expected: Any) -> None:
    assert list(challenges(header)) == expected


@pytest.mark.parametrize(
    ("header", "expired"),
    [
        ('Bearer error="insufficient_scope"', False),
        ("bearer ERROR=insufficient_scope", False),
        ('Basic realm="x", Bearer error="insufficient_scope"', False),
        ('Basic error="insufficient_scope"', True),
        ('Bearer error="invalid_token"', True),
        ('Bearer realm="error=insufficient_scope"', True),
    ],
)
def test_a_lack_of_right_is_seen_in_any_spelling(header: str, expired: bool) -> None:
    answer = Answer(403, "plain", {"WWW-Authenticate": header})
    assert may_have_expired(answer) is expired


def test_the_challenge_counts_before_the_body() -> None:
    answer = of(403, {"error": "Forbidden"}, WWW_Authenticate="Bearer error=insufficient_scope")
    assert error_code(answer) == "insufficient_scope"


@settings(derandomize=True, deadline=None, database=None)
@given(header_values)
def test_any_header_can_be_read(value: str) -> None:
    list(challenges(value))
    wait = retry_after(Answer(503, headers={"Retry-After": value}))
    assert wait is None or wait >= 0


NOON = datetime(2027, 1, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        (format_datetime(NOON + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOON - timedelta(seconds=90), usegmt=True), 0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("9" * 40, None),
        ("²", None),
        ("", None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date_on_the_servers_clock(value: str, seconds: Any) -> None:
    headers = {"Retry-After": value, "Date": format_datetime(NOON, usegmt=True)}
    assert retry_after(Answer(503, headers=headers)) == seconds

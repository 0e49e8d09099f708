"""Tokens: what is issued, what is taken, and by whose clock."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest

from demo_server import DemoClock, ServerConfig
from demo_server.auth.tokens import EARLY_LEEWAY, TokenService
from demo_server.errors import TokenRefused

SECRET = "a secret for these tests, 32 bytes or more"
OTHER = "another secret for these tests, as long as that"
CONFIG = ServerConfig(access_token_secret=SECRET, refresh_token_secret=OTHER)
START = 1_800_000_000

# Written by Node's jsonwebtoken 9 with SECRET:
# jwt.sign({username: "ada", iat: 1800000000}, SECRET, {expiresIn: 60})
FROM_NODE = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
    ".eyJ1c2VybmFtZSI6ImFkYSIsImlhdCI6MTgwMDAwMDAwMCwiZXhwIjoxODAwMDAwMDYwfQ"
    ".zUPAaes_nRipXAfxWNhU5YCyxRtqHnd0VtQflHVm4dg"
)


@pytest.fixture
def tokens(clock: DemoClock) -> TokenService:
    return TokenService(CONFIG, clock)


def encode(claims: Any, secret: str = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, secret, algorithm=algorithm)


def part(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def by_hand(header: Any, payload: bytes, secret: str = SECRET) -> str:
    """A token signed with HS256 by RFC 7515, whatever is in it."""
    signed = f"{part(json.dumps(header).encode())}.{part(payload)}"
    signature = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{part(signature)}"


def code(tokens: TokenService, token: str) -> str:
    with pytest.raises(TokenRefused) as refusal:
        tokens.verify("access", token)
    return refusal.value.code


def test_tokens_cross_between_jsonwebtoken_and_us(tokens: TokenService) -> None:
    """The same claims and secret give the same bytes, so each side takes the other's tokens."""
    token, claims = tokens.issue("access", "ada")
    assert claims == {"username": "ada", "iat": START, "exp": START + 60}
    assert token == FROM_NODE
    assert tokens.verify("access", FROM_NODE) == claims


@pytest.mark.parametrize("crit", [["of the future"], [], "exp", None], ids=repr)
def test_an_extension_that_the_server_does_not_know_is_refused(
    tokens: TokenService, crit: object
) -> None:
    """RFC 7515, section 4.1.11: `crit` names what a server must understand to accept a token."""
    claims = json.dumps({"username": "ada", "exp": START + 60}).encode()
    header = {"alg": "HS256", "of the future": True}
    assert tokens.verify("access", by_hand(header, claims))["username"] == "ada"
    assert code(tokens, by_hand({**header, "crit": crit}, claims)) in (
        "token_invalid",
        "token_malformed",
    )


def test_each_kind_has_its_secret_and_its_lifetime(tokens: TokenService) -> None:
    token, claims = tokens.issue("refresh", "ada")
    assert claims["exp"] - claims["iat"] == 300
    assert tokens.verify("refresh", token) == claims
    assert code(tokens, token) == "token_invalid"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        encode({"username": "ada", "exp": START + 60}).replace(".", "!.", 1),
        by_hand({"alg": "HS256"}, b"not json"),
        by_hand({"alg": "HS256"}, b'["a list"]'),
        by_hand("a string", b"{}"),
    ],
)
def test_what_has_not_the_form_is_malformed(tokens: TokenService, token: str) -> None:
    assert code(tokens, token) == "token_malformed"


@pytest.mark.parametrize(
    "token",
    [
        encode({"username": "ada", "exp": START + 60}, OTHER),
        encode({"username": "ada", "exp": START + 60}, SECRET * 2, "HS512"),
        jwt.encode({"username": "ada", "exp": START + 60}, None, algorithm="none"),
        by_hand({"typ": "JWT"}, b"{}"),
        encode({"username": "ada"}),
        encode({"exp": START + 60}),
        encode({"username": "ada", "exp": None}),
        encode({"username": "ada", "exp": True}),
        encode({"username": "ada", "exp": str(START + 60)}),
        encode({"username": "", "exp": START + 60}),
        encode({"username": ["ada"], "exp": START + 60}),
        encode({"username": "ada", "exp": START + 60, "iat": "now"}),
        by_hand({"alg": "HS256"}, b'{"username": "ada", "exp": NaN}'),
        by_hand({"alg": "HS256"}, b'{"username": "ada", "exp": Infinity}'),
        by_hand({"alg": "HS256"}, b'{"username": "ada", "exp": 1e999}'),
    ],
)
def test_what_is_not_ours_is_invalid(tokens: TokenService, token: str) -> None:
    assert code(tokens, token) == "token_invalid"


def test_a_changed_payload_is_invalid(tokens: TokenService) -> None:
    token, claims = tokens.issue("access", "ada")
    header, _, signature = token.split(".")
    payload = part(json.dumps({**claims, "username": "eve"}).encode())
    assert code(tokens, f"{header}.{payload}.{signature}") == "token_invalid"


def test_a_token_may_outlive_every_calendar(tokens: TokenService) -> None:
    assert tokens.verify("access", encode({"username": "ada", "exp": 10**400}))
    assert code(tokens, encode({"username": "ada", "exp": -(10**400)})) == "token_expired"


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_token_can_be_too_early(tokens: TokenService, claim: str) -> None:
    """By no more than clocks differ."""
    early = encode({"username": "ada", "exp": START + 60, claim: START + EARLY_LEEWAY + 1})
    assert code(tokens, early) == "token_not_yet_valid"
    in_time = encode({"username": "ada", "exp": START + 60, claim: START + EARLY_LEEWAY})
    assert tokens.verify("access", in_time)["username"] == "ada"


def test_a_refusal_carries_claims_only_after_the_signature(
    tokens: TokenService, clock: DemoClock
) -> None:
    forged = encode({"username": "eve", "exp": START - 1}, OTHER)
    with pytest.raises(TokenRefused) as refusal:
        tokens.verify("access", forged)
    assert refusal.value.claims is None
    token, claims = tokens.issue("access", "ada")
    clock.advance(60)
    with pytest.raises(TokenRefused) as refusal:
        tokens.verify("access", token)
    assert refusal.value.claims == claims


OFFSETS = [
    -1e6,
    -61,
    -11,
    -10.001,
    -10,
    -9.999,
    -60.001,
    -60,
    -59.999,
    -1,
    -0.5,
    0,
    0.5,
    0.999,
    1,
    59,
    59.999,
    60,
    1e6,
]


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
def test_our_verdict_is_pyjwts_at_the_same_instant(
    monkeypatch: pytest.MonkeyPatch, claim: str, offset: float
) -> None:
    """PyJWT reads the wall clock, so for this test the wall clock is set."""

    class Wall(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.fromtimestamp(START + offset, tz)

    monkeypatch.setattr("jwt.api_jwt.datetime", Wall)
    token = encode({"username": "ada", "exp": START + 10_000_000, claim: START})
    try:
        leeway = 0 if claim == "exp" else EARLY_LEEWAY
        jwt.decode(token, SECRET, algorithms=["HS256"], leeway=leeway)
        theirs = "good"
    except jwt.ExpiredSignatureError:
        theirs = "token_expired"
    except jwt.ImmatureSignatureError:
        theirs = "token_not_yet_valid"
    try:
        TokenService(CONFIG, lambda: START + offset).verify("access", token)
        ours = "good"
    except TokenRefused as refusal:
        ours = refusal.code
    assert ours == theirs


@pytest.mark.parametrize("age", [-3600, -120, -30, 0, 30, 50, 70, 120, 3600])
def test_our_verdict_is_pyjwts_in_real_time(age: int) -> None:
    issued = TokenService(CONFIG, lambda: time.time() - age)
    token, _ = issued.issue("access", "ada")
    try:
        jwt.decode(token, SECRET, algorithms=["HS256"])
        theirs = "good"
    except jwt.InvalidTokenError as error:
        theirs = type(error).__name__
    try:
        TokenService(CONFIG, time.time).verify("access", token)
        ours = "good"
    except TokenRefused as refusal:
        ours = {
            "token_expired": "ExpiredSignatureError",
            "token_not_yet_valid": "ImmatureSignatureError",
        }[refusal.code]
    assert ours == theirs


def test_the_wall_clock_has_no_say(tokens: TokenService) -> None:
    """The lab's clock may be years from the real one."""
    assert datetime.fromtimestamp(START, UTC).year == 2027
    token, claims = tokens.issue("access", "ada")
    assert tokens.verify("access", token) == claims


class TestRemembered:
    """A server checks the signature of an access token once, and its times at each request."""

    @pytest.fixture
    def decoded(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The tokens that were checked in full, in order."""
        seen: list[str] = []
        decode = jwt.decode_complete

        def counted(token: str, *args: Any, **options: Any) -> Any:
            seen.append(token)
            return decode(token, *args, **options)

        monkeypatch.setattr(jwt, "decode_complete", counted)
        return seen

    def test_a_valid_access_token_is_decoded_once(
        self, tokens: TokenService, decoded: list[str]
    ) -> None:
        token, claims = tokens.issue("access", "ada")
        assert [tokens.verify("access", token) for _ in range(3)] == [claims] * 3
        assert decoded == [token]

    def test_it_still_expires_to_the_second(self, tokens: TokenService, clock: DemoClock) -> None:
        token, _ = tokens.issue("access", "ada")
        tokens.verify("access", token)
        clock.advance(59)
        tokens.verify("access", token)
        clock.advance(1)
        assert code(tokens, token) == "token_expired"
        clock.advance(-61 - EARLY_LEEWAY)
        assert code(tokens, token) == "token_not_yet_valid"

    def test_it_is_remembered_for_the_access_token_only(self, tokens: TokenService) -> None:
        token, _ = tokens.issue("access", "ada")
        tokens.verify("access", token)
        with pytest.raises(TokenRefused) as refusal:
            tokens.verify("refresh", token)
        assert refusal.value.code == "token_invalid"

    def test_a_change_of_its_claims_changes_nothing_for_the_next_caller(
        self, tokens: TokenService
    ) -> None:
        token, claims = tokens.issue("access", "ada")
        for _ in range(2):
            tokens.verify("access", token)["username"] = "mallory"
        assert tokens.verify("access", token) == claims

    def test_a_refused_token_is_checked_each_time(
        self, tokens: TokenService, decoded: list[str]
    ) -> None:
        token, _ = tokens.issue("access", "ada")
        tokens.verify("access", token)
        forged = encode({"username": "ada", "exp": START + 60}, OTHER)
        near = [token + "=", token[:-1], token + "\n", token.replace(".", "..", 1)]
        for each in [forged, forged, *near]:
            assert code(tokens, each) in ("token_invalid", "token_malformed")
        assert decoded == [token, forged, forged, *near]

    def test_a_bounded_number_is_remembered(
        self, clock: DemoClock, decoded: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("demo_server.auth.tokens.REMEMBERED", 2)
        tokens = TokenService(CONFIG, clock)
        ada, bob, eve = (tokens.issue("access", name)[0] for name in ("ada", "bob", "eve"))
        for token in (ada, bob, eve, ada):
            tokens.verify("access", token)
        assert decoded == [ada, bob, eve, ada]


def test_a_clock_before_1970_is_a_clock(tokens: TokenService, clock: DemoClock) -> None:
    """A token without `nbf` is valid at any time before its expiry."""
    clock.advance(-2 * START)
    token, claims = tokens.issue("access", "ada")
    assert tokens.verify("access", token) == claims


@pytest.mark.parametrize(
    ("policy", "claim"),
    [("article", "username"), ("rfc", "sub"), ("rfc", "sid"), ("rfc", "jti")],
)
def test_a_name_that_no_database_takes_is_refused(
    policy: str, claim: str, clock: DemoClock
) -> None:
    service = TokenService(replace(CONFIG, policy=policy), clock)
    token, claims = service.issue("access", "ada", family="f", jti="j")
    header = jwt.get_unverified_header(token)
    forged = by_hand(header, json.dumps({**claims, claim: "\ud800"}).encode())
    assert code(service, forged) == "token_invalid"

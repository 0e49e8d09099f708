"""What holds for every token, time and text: issue and verify under both policies."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import string
from typing import Any

import jwt
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from demo_server import ServerConfig
from demo_server.auth.tokens import EARLY_LEEWAY, TokenService
from demo_server.errors import TokenKind, TokenRefused

from ...conftest import START

# The same examples at each run, and no wall time in the verdict.
BY_RULE = settings(
    derandomize=True, deadline=None, database=None, max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip

SECRET = "a secret for these tests, 32 bytes or more"
OTHER = "another secret for these tests, as long as that"

#: RFC 4648, section 5: each character at the place of its value.
ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"

REFUSED = {"token_malformed", "token_invalid"}

kinds = st.sampled_from(["access", "refresh"])
policies = st.sampled_from(["article", "rfc"])
# Half of a surrogate pair is no character: a name or a token of HTTP cannot hold one.
texts = st.text(st.characters(exclude_categories=["Cs"]))
usernames = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
seconds = st.floats(0, 4e9) | st.integers(0, 4_000_000_000)


class Lab:
    """A token service whose clock is a number."""

    def __init__(self, policy: Any, now: float = START) -> None:
        self.now = now
        config = ServerConfig(policy=policy, access_token_secret=SECRET, refresh_token_secret=OTHER)
        self.tokens = TokenService(config, lambda: self.now)

    def issue(self, kind: TokenKind = "access", username: str = "ada") -> tuple[str, Any]:
        return self.tokens.issue(kind, username, family="a family", jti="a jti")

    def verdict(self, kind: TokenKind, token: str) -> Any:
        """The claims, or the code of the refusal. Nothing else may be raised."""
        try:
            return self.tokens.verify(kind, token)
        except TokenRefused as refusal:
            return refusal.code if refusal.kind == kind else f"{refusal.code} of another kind"


@BY_RULE
@given(policies, kinds, usernames, seconds, st.data())
def test_a_token_is_good_from_its_iat_less_the_leeway_to_the_second_of_its_exp(
    policy: str, kind: TokenKind, username: str, issued_at: float, data: st.DataObject
) -> None:
    lab = Lab(policy, issued_at)
    token, claims = lab.issue(kind, username)
    iat, exp = claims["iat"], claims["exp"]
    assert iat <= issued_at < iat + 1
    assert exp - iat == {"access": 60, "refresh": 300}[kind]

    early = iat - EARLY_LEEWAY
    near = st.sampled_from([early - 1, early - 0.5, early, iat, exp - 1, exp - 0.5, exp, exp + 1])
    lab.now = data.draw(near | st.floats(iat - 1000, exp + 1000), label="verified at")
    if lab.now + EARLY_LEEWAY < iat:
        expected: Any = "token_not_yet_valid"
    elif lab.now >= exp:
        expected = "token_expired"
    else:
        expected = claims
    assert lab.verdict(kind, token) == expected


@BY_RULE
@given(policies, kinds, usernames, seconds)
def test_a_token_never_passes_for_the_other_kind(
    policy: str, kind: TokenKind, username: str, now: float
) -> None:
    lab = Lab(policy, now)
    token, _ = lab.issue(kind, username)
    assert lab.verdict("refresh" if kind == "access" else "access", token) == "token_invalid"


@BY_RULE
@given(usernames, st.integers(0, 10**6))
def test_with_one_secret_for_both_the_claim_typ_still_tells_them_apart(
    username: str, offset: int
) -> None:
    """RFC 8725, section 3.12. The article's tokens have their secrets only."""
    lab = Lab("rfc", START + offset)
    _, claims = lab.issue("refresh", username)
    assert lab.verdict("access", jwt.encode(claims, SECRET, "HS256")) == "token_invalid"


@BY_RULE
@given(policies, usernames)
def test_a_token_of_one_policy_never_passes_under_the_other(policy: str, username: str) -> None:
    other = "rfc" if policy == "article" else "article"
    token, _ = Lab(policy).issue("access", username)
    assert Lab(other).verdict("access", token) == "token_invalid"


@BY_RULE
@given(policies, kinds, st.integers(0), st.sampled_from(ALPHABET + ".=+/ é\0"))
def test_a_token_with_one_other_character_is_refused(
    policy: str, kind: TokenKind, where: int, character: str
) -> None:
    """Wherever it stands: see the next test for the last one, which is a case apart."""
    lab = Lab(policy)
    token, claims = lab.issue(kind)
    where %= len(token)
    changed = token[:where] + character + token[where + 1 :]
    if changed == token:
        assert lab.verdict(kind, changed) == claims
    else:
        assert lab.verdict(kind, changed) in REFUSED


@pytest.mark.parametrize("policy", ["article", "rfc"])
def test_the_unused_bits_of_the_last_character_are_checked(policy: str) -> None:
    """32 bytes are 42 characters and four bits: the last two bits of the 43rd are unused.

    So four characters spell the same signature. Only the one whose unused bits are zero is the
    encoding (RFC 4648, section 3.5), and PyJWT refuses the three others as malformed. A
    signature that ends otherwise is wrong.
    """
    lab = Lab(policy)
    token, claims = lab.issue()
    signature = token.rpartition(".")[2]
    assert len(signature) == 43
    index = ALPHABET.index(token[-1])
    assert index % 4 == 0
    for value, character in enumerate(ALPHABET):
        if value == index:
            expected: Any = claims
        elif value % 4:
            expected = "token_malformed"
        else:
            expected = "token_invalid"
        assert lab.verdict("access", token[:-1] + character) == expected
    # Padding is not in the form of RFC 7515, section 2.
    for padding in ("=", "==", "\n"):
        assert lab.verdict("access", token + padding) == "token_malformed"


def part(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
headers = st.fixed_dictionaries(
    {},
    optional={
        "alg": st.sampled_from(["HS256", "none", "HS512", "RS256"]) | values,
        "typ": values, "kid": values, "crit": values, "b64": values,
    },
)  # fmt: skip
parts = (
    (headers | values).map(lambda value: part(json.dumps(value).encode()))
    | st.binary(max_size=20).map(part)
    | texts
)


@BY_RULE
@given(policies, kinds, texts | st.lists(parts, min_size=2, max_size=4).map(".".join))
@example("article", "access", "")
@example("rfc", "refresh", "..")
def test_any_text_is_malformed_or_invalid(policy: str, kind: TokenKind, text: str) -> None:
    """A secret that is not known cannot be met by chance, so none of these is good."""
    assert Lab(policy).verdict(kind, text) in REFUSED


@pytest.mark.parametrize("policy", ["article", "rfc"])
def test_half_of_a_surrogate_pair_is_malformed(policy: str) -> None:
    """JSON can spell it, so it can come to /refresh."""
    assert Lab(policy).verdict("refresh", json.loads('"\\ud800"')) == "token_malformed"


@BY_RULE
@given(
    policies,
    st.fixed_dictionaries(
        {},
        optional={
            name: values | st.integers(START - 99, START + 99) | st.sampled_from(["ada", "access"])
            for name in ("username", "sub", "iat", "nbf", "exp", "iss", "aud", "jti", "sid")
        },
    ),
)  # fmt: skip
def test_whatever_is_signed_has_a_verdict_and_a_good_token_has_good_claims(
    policy: str, claims: dict[str, Any]
) -> None:
    """Even with the secret: no claim, however odd, raises anything but a refusal."""
    header = {"alg": "HS256", "typ": "at+jwt"}
    signed = ".".join(part(json.dumps(value).encode()) for value in (header, claims))
    signature = hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).digest()
    verdict = Lab(policy).verdict("access", f"{signed}.{part(signature)}")
    if isinstance(verdict, str):
        assert verdict in REFUSED | {"token_expired", "token_not_yet_valid"}
    else:
        assert int(verdict["exp"]) > START >= int(verdict.get("iat", START)) - EARLY_LEEWAY
        assert verdict["username" if policy == "article" else "sub"]

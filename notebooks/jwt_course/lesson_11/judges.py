"""The judges of lesson 11. Each runs the learner's function, and raises `Wrong` if it is not right.

None shows a token or a key.

RFC 7517 says what a JWK Set is, and RFC 8725, sections 3.1, 3.9 and 3.10, what a verifier must not
let the token decide.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from client_widget.protocol.jwt_by_hand import sign, unsigned, with_payload

from ..exercise import Wrong
from ..judging.answers import a, check_function, check_number, plain
from ..judging.learners_code import masked, told
from . import issuer as issuing
from .issuer import SigningKey
from .key_attacks import forge, forge_hmac
from .key_lab import STYLE
from .rotation import Schedule

#: The members of a JWK that only its owner may have (RFC 7518, section 6; RFC 8037, section 2).
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")

#: Modules that do the work of these exercises.
_OURS = (issuing.__name__, f"{__package__}.verifiers", f"{__package__}.jwks_cache")

#: The time in the exercises: so far ahead that a check by the wall clock is wrong for decades.
_AHEAD = 4_000_000_000

# q1


def judge_public_jwks(public_jwks: Any) -> str:
    """`public_jwks(keys)` returns a JWK Set that verifies, and that cannot sign."""
    check_function("public_jwks", public_jwks, "keys", forbidden=_OURS)
    keys = [
        SigningKey.generate("key-1"),
        SigningKey.generate("key-2", "EdDSA"),
        SigningKey.generate("2027-01"),
    ]
    seen = public_jwks([(key.kid, key.algorithm, key.private) for key in keys])
    jwks = _jwks_in(seen)
    _check_public(json.dumps(jwks), jwks, keys)
    if len(jwks) != len(keys):
        raise Wrong(f"the set has {len(jwks)} keys for the {len(keys)} that you were given.")
    for key in keys:
        found = [jwk for jwk in jwks if jwk.get("kid") == key.kid]
        if len(found) != 1:
            raise Wrong(
                f"{len(found)} keys in the set have the kid {key.kid!r}. A verifier finds a key "
                "by its kid, so each key needs its own (RFC 7517, section 4.5)."
            )
        _check_jwk(found[0], key)
    return f"{len(keys)} tokens verified with your JWK Set, and no private member is in it."


def _jwks_in(seen: object) -> list[dict[str, Any]]:
    """The keys of what was returned, if it is a JWK Set."""
    if isinstance(seen, str | bytes):
        raise Wrong(
            f"public_jwks returned {a(seen)}. Return the dict; the service writes the JSON."
        )
    jwks = plain(seen)
    if not isinstance(jwks, dict) or not isinstance(jwks.get("keys"), list):
        raise Wrong(
            f"public_jwks returned {a(seen)} without a list in its member `keys`. A JWK Set is "
            '{"keys": [...]} (RFC 7517, section 5).'
        )
    found = jwks["keys"]
    if not all(isinstance(jwk, dict) for jwk in found):
        raise Wrong("a key in the set is not a dict. Which function turns a key into a JWK?")
    try:
        json.dumps(found)
    except TypeError:
        raise Wrong("a member of a JWK cannot be written as JSON.") from None
    return list(found)


def _check_public(text: str, jwks: list[dict[str, Any]], keys: list[SigningKey]) -> None:
    for jwk in jwks:
        given = [name for name in _PRIVATE if name in jwk]
        if given:
            raise Wrong(
                f"the JWK of {jwk.get('kid')!r} has the member `{given[0]}`, which is the private "
                "key: anyone who reads the set could sign. Start from the public key."
            )
    for key in keys:
        private = jwt.get_algorithm_by_name(key.algorithm).to_jwk(key.private, as_dict=True)
        pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        if private["d"] in text or pem.decode().splitlines()[1] in text:
            raise Wrong(f"the private key of {key.kid!r} is in the set, under another name.")


def _check_jwk(jwk: dict[str, Any], key: SigningKey) -> None:
    if jwk.get("alg") != key.algorithm:
        raise Wrong(
            f"the JWK of {key.kid!r} does not have `alg` {key.algorithm!r}. A key is for one "
            "algorithm, and the verifier must know which (RFC 8725, section 3.1)."
        )
    if jwk.get("use", "sig") != "sig":
        raise Wrong(f"the JWK of {key.kid!r} has another `use` than 'sig'.")
    token = jwt.encode({"sub": "ada"}, key.private, key.algorithm)
    try:
        jwt.decode(token, jwt.PyJWK(jwk), algorithms=[key.algorithm])
    except jwt.PyJWTError as error:
        raise Wrong(
            f"the JWK of {key.kid!r} does not verify a token of that key: {type(error).__name__}."
        ) from None


# q2

#: The latest that anything may happen after the earliest safe moment, in seconds.
_LATEST = 60

#: now, lifetime and max_age.
_TIMES = ((0, 60, 300), (1000, 300, 60), (500, 900, 0), (40, 60, 3600))


def judge_schedule(schedule: Any) -> str:
    """`schedule(now, lifetime, max_age)` refuses no valid token, and wastes no time."""
    check_function("schedule", schedule, "now, lifetime, max_age")
    for now, lifetime, max_age in _TIMES:
        call = f"schedule({now}, {lifetime}, {max_age})"
        plan = schedule(now, lifetime, max_age)
        if not isinstance(plan, Schedule):
            raise Wrong(f"{call} returned {a(plan)} instead of a Schedule.")
        for name in ("publish", "sign", "retire"):
            check_number(f"`{name}` of {call}", getattr(plan, name))
        _check_schedule(call, plan, now, lifetime, max_age)
    return f"{len(_TIMES)} rotations, and no valid token is refused."


def _check_schedule(call: str, plan: Schedule, now: int, lifetime: int, max_age: int) -> None:
    if plan.publish < now:
        raise Wrong(f"{call} publishes at {plan.publish} s, before now, which is {now} s.")
    known, useless = plan.publish + max_age, plan.sign + lifetime
    if plan.sign < known:
        raise Wrong(
            f"{call} signs with the new key at {plan.sign} s. A verifier that fetched the set just "
            f"before {plan.publish} s keeps it until {known} s, and refuses the new key until then."
        )
    if plan.retire < useless:
        raise Wrong(
            f"{call} retires the old key at {plan.retire} s. A token signed with it just before "
            f"{plan.sign} s is valid until {useless} s, and nobody could verify it."
        )
    early = {"publish": now, "sign": known, "retire": useless}
    for name, moment in early.items():
        given = getattr(plan, name)
        if given > moment + _LATEST:
            raise Wrong(
                f"{call} is safe, but late: `{name}` is {given} s, and {moment} s would do. If the "
                "old key has leaked, each second counts."
            )


# q3


def judge_choose_key(choose_key: Any) -> str:
    """`choose_key(header, jwks)` returns the issuer's key for that header, or None."""
    check_function("choose_key", choose_key, "header, jwks", forbidden=_OURS)
    first, second, third = (
        SigningKey.generate("key-1").jwk(),
        SigningKey.generate("key-2", "EdDSA").jwk(),
        SigningKey.generate("key-3").jwk(),
    )
    sealing = {**SigningKey.generate("key-4").jwk(), "use": "enc"}
    jwks = {"keys": [first, second, sealing, third]}
    theirs = SigningKey.generate("key-1").jwk()
    extras: dict[str, dict[str, Any]] = {
        "its own `jwk`": {"jwk": theirs},
        "a `jku`": {"jku": "http://127.0.0.1:9/"},
    }

    def ask(what: str, header: dict[str, Any]) -> Any:
        try:
            return plain(choose_key(copy.deepcopy(header), copy.deepcopy(jwks)))
        except Exception as error:
            raise Wrong(
                f"your code raised an error for {what}. It was {told(error)}. Anyone can send such "
                "a header: return None."
            ) from None

    def check(what: str, header: dict[str, Any], allowed: list[Any]) -> None:
        seen = ask(what, header)
        if seen not in allowed:
            found = seen.get("kid") if isinstance(seen, dict) else None
            its = "a key that is not in the set" if seen == theirs else f"the key {found!r}"
            came = its if isinstance(seen, dict) else a(seen)
            name = allowed[0]["kid"] if allowed[0] else None
            raise Wrong(
                f"for {what} you returned {masked(came)} instead of "
                f"{'None' if name is None else f'the key {name!r}'}."
            )

    for _ in range(2):  # the second round finds what changed the set
        for jwk in (first, second, third):
            check(f"a token of {jwk['kid']}", {"alg": jwk["alg"], "kid": jwk["kid"]}, [jwk])
        for what, more in extras.items():
            check(f"a header with {what}", {"alg": "ES256", "kid": "key-1", **more}, [first, None])
            check(f"a header with {what} and no kid", {"alg": "ES256", **more}, [None])
        for what, header in _bad_headers().items():
            check(what, header, [None])
    return f"The right key for each token, and none for {len(_bad_headers())} bad headers."


def _bad_headers() -> dict[str, dict[str, Any]]:
    return {
        "an unknown kid": {"alg": "ES256", "kid": "key-9"},
        "a header without a kid": {"alg": "ES256"},
        "the kid `KEY-1`, because a kid is case-sensitive": {"alg": "ES256", "kid": "KEY-1"},
        "a kid that is a list": {"alg": "ES256", "kid": ["key-1"]},
        "a kid that is a number": {"alg": "ES256", "kid": 1},
        "a kid that is a path": {"alg": "ES256", "kid": "../keys/key-1"},
        "alg HS256 with the kid of an ES256 key": {"alg": "HS256", "kid": "key-1"},
        "alg ES256 with the kid of an EdDSA key": {"alg": "ES256", "kid": "key-2"},
        "alg none": {"alg": "none", "kid": "key-1"},
        "a header without alg": {"kid": "key-1"},
        "a key for encryption (`use` is enc)": {"alg": "ES256", "kid": "key-4"},
    }


# q4


def judge_verify(verify: Any) -> str:
    """`verify(token, jwks, now)` returns the claims of a valid token, and None for any other."""
    check_function("verify", verify, "token, jwks, now", forbidden=_OURS)
    key, other = SigningKey.generate("key-1"), SigningKey.generate("key-2", "EdDSA")
    jwks = {"keys": [key.jwk(), other.jwk()]}
    valid = {
        "a valid token of key-1": _token(key, "mallory"),
        "a valid token of key-2": _token(other, "ada"),
        "a valid token in its last second": _token(key, "ada", exp=_AHEAD + 1),
    }
    forged = _forgeries(key, other)
    tokens = [*valid.items(), *forged.items()]
    # In a new order each time, so that the place of a token does not reveal what it is. What is
    # wrong is said in one order, so that the same answer gets the same words.
    outcomes: dict[str, Any] = {}
    for what, token in random.sample(tokens, len(tokens)):
        try:
            outcomes[what] = plain(_tried(verify, what, token, copy.deepcopy(jwks)))
        except Wrong as wrong:
            outcomes[what] = wrong
    for what, token in tokens:
        seen = outcomes[what]
        if isinstance(seen, Wrong):
            raise seen
        if what in valid and seen != jwt.decode(token, options={"verify_signature": False}):
            raise Wrong(
                f"{what} was refused: you returned {a(seen)} instead of its claims. Which clock "
                "do you compare exp with?"
            )
        if what in forged and seen is not None:
            raise Wrong(f"you accepted {what}. Return None.")
    return f"Valid tokens pass, and none of {len(forged)} others does."


def _tried(verify: Callable[..., object], what: str, token: str, jwks: Mapping[str, Any]) -> object:
    try:
        return verify(token, jwks, _AHEAD)
    except Exception as error:
        raise Wrong(
            f"your code raised an error for {what}. It was {told(error, token)}. Anyone can send "
            "such a token: return None."
        ) from None


def _token(key: SigningKey, username: str, **claims: Any) -> str:
    times = {"iat": _AHEAD - 10, "exp": _AHEAD + 50}
    payload = {"sub": username, "aud": "orders", **times, **claims}
    payload = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(payload, key.private, key.algorithm, headers={"kid": key.kid})


def _forgeries(key: SigningKey, other: SigningKey) -> dict[str, str]:
    """What must not pass, by what it is."""
    mine = SigningKey.generate("key-1")
    good = _token(key, "mallory")
    public = json.dumps(key.jwk())
    injected = f"x' UNION SELECT '{json.dumps(mine.jwk())}' --"
    payload = jwt.decode(good, options={"verify_signature": False})
    admin = json.dumps({**payload, "sub": "admin"})
    header, body, signature = good.split(".")
    return {
        "a key in the token's header (`jwk`)": forge(good, "admin", mine, jwk=mine.jwk()),
        "a link to other keys (`jku`)": forge(good, "admin", mine, jku="http://127.0.0.1:9/"),
        "a kid with a path": forge_hmac(good, "admin", STYLE, kid="../static/style.css"),
        "a kid with SQL in it": forge(good, "admin", mine, kid=injected),
        "HS256 with the public key as PEM": forge_hmac(good, "admin", key.pem(), kid=key.kid),
        "HS256 with the JWK as the secret": forge_hmac(good, "admin", public.encode(), kid=key.kid),
        "HS256 with the JWK's x as the secret": forge_hmac(
            good, "admin", key.jwk()["x"].encode(), kid=key.kid
        ),
        "HS256 with an empty secret": forge_hmac(good, "admin", b"", kid=key.kid),
        "another key under the name key-1": forge(good, "admin", mine),
        "key-2 under the name key-1": forge(good, "admin", other, kid="key-1"),
        "a token without a kid": jwt.encode(payload, key.private, "ES256"),
        "alg none": unsigned(with_payload(good, admin)),
        "alg none with a kid": _none(admin),
        "another name under the old signature": with_payload(good, admin),
        "a token for another service": _token(key, "mallory", aud="payments"),
        "a token for nobody in particular (no aud)": _token(key, "mallory", aud=None),
        "a token that has expired": _token(key, "mallory", exp=_AHEAD - 1),
        "a token in the second of its exp": _token(key, "mallory", exp=_AHEAD),
        "a token without exp": _token(key, "mallory", exp=None),
        "no signature": f"{header}.{body}.",
        "half of the signature": f"{header}.{body}.{signature[:40]}",
        "a header that is a list": sign("[]", admin, "x"),
        "something that is no token": "admin",
        "nothing": "",
    }


def _none(payload: str) -> str:
    """Unsecured, but with the kid of a real key."""
    token = sign('{"alg":"none","kid":"key-1"}', payload, "")
    return f"{token.rpartition('.')[0]}."

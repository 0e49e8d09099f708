"""The judges of lesson 02. Each runs the learner's function, and raises `Wrong` if it is not right.

None shows a token.

RFC 7515 (form and signature) and RFC 7519 (claims) say what a token must be. Where a real server
can decide, it does.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from typing import Any

from client_widget.protocol import jwt_by_hand as forge

from ..exercise import Wrong
from ..judging.answers import a, check_function, plain
from ..judging.learners_code import told
from ..lab import START, trial

HEADER = {"alg": "HS256", "typ": "JWT"}

# Between them: every length of padding, and both characters that plain base64 does not have.
SAMPLES = (
    b'{"alg":"HS256","typ":"JWT"}',
    b'{"username":"ada"}',
    b'{"username":"grace"}',
    '{"username":"Zoë ÿ>?~"}'.encode(),
    bytes(range(250, 256)) + b"\xfb\xef",
    b"",
)


def judge_decode_part(decode_part: Any) -> str:
    """`decode_part(text)` returns the bytes of a part of a token, whatever its length."""
    check_function("decode_part", decode_part, "text")
    for data in SAMPLES:
        text = _encode(data)
        hint = f"{len(text)} % 4 is {len(text) % 4}: is the padding right?"
        if set(text) & {"-", "_"}:
            hint += " There is a - or a _ in it: which alphabet do you decode?"
        try:
            seen = decode_part(text)
        except ValueError as error:
            raise Wrong(
                f"for a part of {len(text)} characters your code raised {told(error)}. {hint}"
            ) from None
        if not isinstance(seen, bytes):
            raise Wrong(f"decode_part returned {a(seen)} instead of bytes.")
        if plain(seen) != data:
            raise Wrong(
                f"a part of {len(text)} characters contains {len(data)} bytes; you returned "
                f"{len(seen)} bytes, and not those. {hint}"
            )
    return f"{len(SAMPLES)} parts decoded, with no, one and two characters of padding missing."


def judge_sign(sign: Any) -> str:
    """`sign(header, payload, secret)` returns a token that a server with that secret accepts."""
    check_function("sign", sign, "header, payload, secret", forbidden=("jwt", forge.__name__))
    secret = secrets.token_hex(32)
    with trial(access_token_secret=secret) as lab:
        for name in ("ada", "grace", "Zoë"):
            payload = {"username": name, "iat": START, "exp": START + 60}
            token = sign(dict(HEADER), dict(payload), secret)
            _check_token(token, payload, secret)
            answer = lab.client.probe(token)
            said = [event for event in lab.log if event.source == "server"][-1]
            if said.name != "token.accepted":
                code = answer.json().get("error")
                raise Wrong(f"the server answered {answer.status_code} {code} to your token.")
    return (
        "The server said token.accepted three times. It does not know grace or Zoë: "
        "anyone who has the secret can be anyone."
    )


def _check_token(token: Any, payload: dict[str, Any], secret: str) -> None:
    """Find what is wrong with a token first: the server's refusal would say less."""
    if not isinstance(token, str):
        raise Wrong(f"sign returned {a(token)} instead of a str.")
    parts = token.split(".")
    if len(parts) != 3:
        raise Wrong(f"a token has three parts with dots between them; yours has {len(parts)}.")
    if "=" in token:
        raise Wrong(
            "your token contains a =. Base64url without padding has none (RFC 7515, section 2)."
        )
    if not re.fullmatch(r"[\w.-]+", token, re.ASCII):
        raise Wrong("your token contains a character outside of base64url: A-Z a-z 0-9 - _")
    for part, name, wanted in zip(parts, ("header", "payload"), (HEADER, payload), strict=False):
        if _read(part) != wanted:
            raise Wrong(f"the {name} in your token does not decode to the {name} you were given.")
    _check_signature(parts, secret)


def _check_signature(parts: list[str], secret: str) -> None:
    header, payload, signature = parts
    given, right = _decode(signature), _mac(f"{header}.{payload}", secret)
    if given == right:
        return
    texts = [_decode(part).decode() for part in (header, payload)]
    mistakes = {
        right.hex().encode(): "It contains hexadecimal digits: use digest(), not hexdigest().",
        _mac(payload, secret): "You signed the payload alone: sign the header too.",
        _mac(header + payload, secret): "Sign the dot between the two parts as well.",
        _mac(".".join(texts), secret): "You signed the JSON; sign the two parts in base64url.",
        hashlib.sha256(f"{header}.{payload}".encode()).digest(): (
            "It is a hash without a key, which anyone can compute: use hmac."
        ),
    }
    hint = mistakes.get(
        given, "Sign 'header.payload' exactly as in the token (RFC 7515, section 5.1)."
    )
    raise Wrong(f"the signature has {len(given)} bytes and is not the right one. {hint}")


def judge_verify(verify: Any) -> str:
    """`verify(token, secret)` returns the claims of a valid token, and None for any other."""
    check_function("verify", verify, "token, secret")
    secret = secrets.token_hex(32)
    # No iat and a far exp, so that it does not matter whether the answer looks at the times.
    claims = {"username": "ada", "exp": 4_000_000_000}
    good = forge.sign(json.dumps(HEADER), json.dumps(claims), secret)
    other = forge.sign('{"typ":"JWT","alg":"HS256"}', json.dumps(claims, indent=1), secret)
    valid = {
        "a valid token": good,
        "a valid token whose header has another order": other,
    }
    forgeries = attacks(good, claims, secret)
    for name, token in [*valid.items(), *forgeries.items(), *valid.items()]:
        seen = plain(_tried(verify, name, token, secret))
        if name in valid and seen != claims:
            raise Wrong(f"{name} was refused: you returned {a(seen)} instead of its claims.")
        if name in forgeries and seen is not None:
            raise Wrong(f"you accepted a forgery: {name}. Return None.")
    return f"Both valid tokens were accepted, and {len(forgeries)} forgeries refused."


def attacks(good: str, claims: dict[str, Any], secret: str) -> dict[str, str]:
    """Tokens that must be refused, by what is wrong with them.

    The last character of a signature is left alone: it has two bits that mean nothing, so a
    token with another one there can be the same token.
    """
    header, payload, signature = good.split(".")
    text, none = json.dumps(claims), '{"alg":"none"}'
    first = "B" if signature[0] == "A" else "A"
    return {
        "another name under the old signature": forge.with_payload(
            good, json.dumps({**claims, "username": "grace"})
        ),
        "a later exp under the old signature": forge.with_payload(
            good, json.dumps({**claims, "exp": claims["exp"] + 1})
        ),
        "alg none, with no signature": forge.unsigned(good),
        "alg none, with the old signature": forge.unsigned(good) + signature,
        "alg none, signed all the same": forge.sign(none, text, secret),
        "HS384, signed with the right secret": _signed("HS384", hashlib.sha384, text, secret),
        "HS512, signed with the right secret": _signed("HS512", hashlib.sha512, text, secret),
        "HS512 in the header, signed with HS256": forge.sign('{"alg":"HS512"}', text, secret),
        "signed with another secret": forge.sign(json.dumps(HEADER), text, secret[::-1] + "0"),
        "the first character of the signature changed": (
            f"{header}.{payload}.{first}{signature[1:]}"
        ),
        "half of the signature": f"{header}.{payload}.{signature[:20]}",
        "no signature": f"{header}.{payload}.",
        "a signature with more after it": good + "AAAA",
        "a signature that is not ASCII": f"{header}.{payload}.ÿ",
        "two parts": f"{header}.{payload}",
        "four parts": good + ".AAAA",
        "no dot at all": "token",
        "nothing": "",
        "parts that are not base64url": "%%.%%.%%",
        "a signed payload that is not JSON": forge.sign(json.dumps(HEADER), "ada", secret),
        "a signed payload that is a list": forge.sign(json.dumps(HEADER), '["ada"]', secret),
        "a signed header that is a list": forge.sign("[]", text, secret),
    }


def _tried(verify: Any, name: str, token: str, secret: str) -> Any:
    try:
        return verify(token, secret)
    except Exception as error:
        raise Wrong(
            f"your code raised an error on this token: {name}. It was {told(error, secret)}. "
            "Anyone can send such a token: return None."
        ) from None


def _signed(algorithm: str, digest: Any, payload: str, secret: str) -> str:
    """A token whose header and signature agree on another algorithm."""
    text = ".".join(_encode(part.encode()) for part in (json.dumps({"alg": algorithm}), payload))
    return f"{text}.{_encode(hmac.new(secret.encode(), text.encode(), digest).digest())}"


def judge_is_over(is_over: Any) -> str:
    """`is_over(token, now)` says what the server says, at each moment around `exp`."""
    check_function("is_over", is_over, "token, now")
    moments = {-1.0: "1 s before", -0.5: "half a second before", 0.0: "at", 1.0: "1 s after"}
    for lifetime in (60, 5):
        with trial(access_token_ttl=lifetime) as lab:
            token, exp = lab.pair.access, START + lifetime
            for distance, words in moments.items():
                lab.clock.advance(exp + distance - lab.clock())
                refused = lab.client.probe(token).status_code != 200
                seen = is_over(token, lab.clock())
                if not isinstance(seen, bool):
                    raise Wrong(f"is_over returned {a(seen)} instead of True or False.")
                if seen != refused:
                    raise Wrong(
                        f"{words} the exp of a token of {lifetime} s you returned {seen}; the "
                        f"server {'refused' if refused else 'accepted'} it."
                    )
    return "You and the server agree before, at and after the second of exp."


def _mac(text: str, secret: str) -> bytes:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        return b""


def _read(part: str) -> Any:
    try:
        return json.loads(_decode(part))
    except ValueError:
        return None

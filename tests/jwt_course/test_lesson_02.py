"""Lesson 02's judges: each right way passes, each plausible mistake is named."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from jwt_course.lesson_02 import exercises
from jwt_course.lesson_02.judges import HEADER, attacks

from client_widget.protocol import jwt_by_hand

from .learner import cell

SECRET = "a secret of a test, made of thirty-two bytes or more"


def verdict(name: str, answer: Any, capsys: pytest.CaptureFixture[str]) -> str:
    """What the exercise that wants `name` prints about an answer."""
    namespace = {name: answer}
    wants = ["decode_part", "sign", "verify", "is_over"]
    exercises(namespace)[wants.index(name)].check()
    return capsys.readouterr().out


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def mac(text: str, secret: str) -> bytes:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()


def two_parts(header: Any, payload: Any) -> str:
    return ".".join(b64(json.dumps(part).encode()) for part in (header, payload))


def by_hand(header: Any, payload: Any, secret: str) -> str:
    text = two_parts(header, payload)
    return f"{text}.{b64(mac(text, secret))}"


def with_signature(make: Callable[[str, str], bytes]) -> Callable[[Any, Any, str], str]:
    """A `sign` with a signature that is made otherwise."""

    def sign(header: Any, payload: Any, secret: str) -> str:
        text = two_parts(header, payload)
        return f"{text}.{b64(make(text, secret))}"

    return sign


def test_without_answers_nothing_is_judged() -> None:
    for exercise in exercises({"decode_part": ..., "sign": ...}):
        exercise.assert_check_unattempted()


@pytest.mark.parametrize(
    "answer",
    [
        unb64,
        lambda text: base64.urlsafe_b64decode(text + "=="),
        lambda text: base64.b64decode(text.replace("-", "+").replace("_", "/") + "=="),
        lambda text: base64.b64decode(text + "=" * (3 - (len(text) + 3) % 4), altchars="-_"),
    ],
    ids=["exact", "spare", "replaced", "altchars"],
)
def test_decode_part_may_pad_in_any_way(
    answer: Callable[[str], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    assert verdict("decode_part", answer, capsys).startswith("q1 is right.")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            base64.urlsafe_b64decode,
            "raised binascii.Error: Incorrect padding. 27 % 4 is 3: is the padding right?",
        ),
        (lambda text: base64.urlsafe_b64decode(text + "="), "is the padding right?"),
        (lambda text: base64.b64decode(text + "=="), "which alphabet do you decode?"),
        (
            lambda text: unb64(text).decode(),
            "decode_part returned a value of type str instead of bytes.",
        ),
        (lambda text: None, "decode_part returned None instead of bytes."),
    ],
    ids=["no padding", "one always", "plain base64", "text", "nothing"],
)
def test_decode_part_is_told_what_is_wrong(
    answer: Any, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = verdict("decode_part", answer, capsys)
    assert said.startswith("q1 is not right yet: ")
    assert words in said


@pytest.mark.parametrize(
    "answer",
    [
        by_hand,
        lambda header, payload, secret: ".".join(
            [
                two_parts(header, payload),
                b64(hmac.digest(secret.encode(), two_parts(header, payload).encode(), "sha256")),
            ]
        ),
        lambda header, payload, secret: by_hand(
            header, dict(reversed(list(payload.items()))), secret
        ),
    ],
    ids=["by hand, with spaces", "hmac.digest", "claims in another order"],
)
def test_sign_is_right_if_the_server_takes_it(
    answer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verdict("sign", answer, capsys).startswith("q2 is right. The server said token.accepted")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda h, p, s: by_hand(h, p, s).encode(), "a value of type bytes instead of a str"),
        (lambda h, p, s: two_parts(h, p), "three parts with dots between them; yours has 2"),
        (lambda h, p, s: by_hand(h, p, s) + "=", "your token contains a ="),
        (lambda h, p, s: by_hand(h, p, s) + "+", "outside of base64url"),
        (lambda h, p, s: by_hand(p, h, s), "the header in your token does not decode"),
        (lambda h, p, s: by_hand(h, {**p, "exp": 0}, s), "the payload in your token does not"),
        (with_signature(lambda t, s: mac(t, s).hex().encode()), "use digest(), not hexdigest()"),
        (with_signature(lambda t, s: mac(t.split(".")[1], s)), "You signed the payload alone"),
        (with_signature(lambda t, s: mac(t.replace(".", ""), s)), "Sign the dot between the two"),
        (
            with_signature(lambda t, s: mac(".".join(unb64(x).decode() for x in t.split(".")), s)),
            "You signed the JSON",
        ),
        (with_signature(lambda t, s: hashlib.sha256(t.encode()).digest()), "a hash without a key"),
        (with_signature(lambda t, s: mac(t, s + "!")), "has 32 bytes and is not the right one"),
        (with_signature(lambda t, s: b""), "has 0 bytes and is not the right one"),
    ],
    ids=[
        "bytes", "unsigned", "padded", "plus", "swapped", "payload", "hex", "half", "no dot",
        "json", "hash", "key", "empty",
    ],
)  # fmt: skip
def test_sign_is_told_what_is_wrong(
    answer: Any, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = verdict("sign", answer, capsys)
    assert said.startswith("q2 is not right yet: ")
    assert words in said


def test_a_judge_shows_no_token(capsys: pytest.CaptureFixture[str]) -> None:
    tokens: list[str] = []

    def sign(header: Any, payload: Any, secret: str) -> str:
        tokens.extend([by_hand(header, payload, secret + "!"), secret])
        return tokens[0]

    said = verdict("sign", sign, capsys)
    assert len(tokens) == 2
    assert [part for part in [*tokens[0].split("."), tokens[1]] if part in said] == []


def verify(token: str, secret: str) -> Any:
    """A right one; the wrong ones below leave something out."""
    try:
        header, payload, signature = token.split(".")
        if not hmac.compare_digest(mac(f"{header}.{payload}", secret), unb64(signature)):
            return None
        head, claims = json.loads(unb64(header)), json.loads(unb64(payload))
    except ValueError:
        return None
    if not isinstance(head, dict) or head.get("alg") != "HS256" or not isinstance(claims, dict):
        return None
    return claims


def by_pyjwt(token: str, secret: str) -> Any:
    try:
        return jwt.decode(token, secret, algorithms=["HS256"])
    except jwt.InvalidTokenError:
        return None


def reads_only(token: str, secret: str) -> Any:
    try:
        return json.loads(unb64(token.split(".")[1]))
    except (ValueError, IndexError):
        return None


def trusts_the_header(token: str, secret: str) -> Any:
    try:
        head = json.loads(unb64(token.split(".")[0]))
        return reads_only(token, secret) if head["alg"] == "none" else verify(token, secret)
    except (ValueError, TypeError):
        return None


def ignores_the_header(token: str, secret: str) -> Any:
    try:
        header, payload, signature = token.split(".")
        if hmac.compare_digest(mac(f"{header}.{payload}", secret), unb64(signature)):
            return json.loads(unb64(payload))
    except ValueError:
        pass
    return None


def compares_what_came(token: str, secret: str) -> Any:
    try:
        header, payload, signature = token.split(".")
        given = unb64(signature)
        right = mac(f"{header}.{payload}", secret)
        whole = f"{header}.{payload}.{b64(right)}"
        return verify(whole, secret) if right[: len(given)] == given else None
    except ValueError:
        return None


def forgets_the_tail(token: str, secret: str) -> Any:
    try:
        header, payload, signature = token.split(".")
        return verify(f"{header}.{payload}.{signature[:43]}", secret)
    except ValueError:
        return None


def raises(token: str, secret: str) -> Any:
    return jwt.decode(token, secret, algorithms=["HS256"])


def signs_again(token: str, secret: str) -> Any:
    """Another right way: what the right token would be, and is it this one?"""
    parts = token.split(".")
    if len(parts) != 3 or not token.isascii():
        return None
    if f"{parts[0]}.{parts[1]}.{b64(mac('.'.join(parts[:2]), secret))}" != token:
        return None
    try:
        head, claims = json.loads(unb64(parts[0])), json.loads(unb64(parts[1]))
    except ValueError:
        return None
    right = isinstance(head, dict) and head.get("alg") == "HS256" and isinstance(claims, dict)
    return claims if right else None


def as_the_header_says(token: str, secret: str) -> Any:
    """The fault that the lesson warns of: the token chooses its algorithm."""
    try:
        algorithm = jwt.get_unverified_header(token)["alg"]
        return jwt.decode(token, secret, algorithms=[algorithm])
    except (jwt.PyJWTError, TypeError, ValueError):
        return None


def all_of_the_family(token: str, secret: str) -> Any:
    try:
        return jwt.decode(token, secret, algorithms=["HS256", "HS384", "HS512"])
    except jwt.InvalidTokenError:
        return None


def any_hmac(token: str, secret: str) -> Any:
    """Checks the signature by HS256, and takes any header that begins with HS."""
    claims = ignores_the_header(token, secret)
    try:
        head = json.loads(unb64(token.split(".")[0]))
    except ValueError:
        return None
    right = isinstance(head, dict) and str(head.get("alg")).startswith("HS")
    return claims if right and isinstance(claims, dict) else None


@pytest.mark.parametrize("answer", [verify, by_pyjwt, signs_again])
def test_verify_may_be_by_hand_or_by_a_library(
    answer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verdict("verify", answer, capsys) == (
        "q3 is right. Both valid tokens were accepted, and 22 forgeries refused.\n"
    )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reads_only, "you accepted a forgery: another name under the old signature."),
        (trusts_the_header, "you accepted a forgery: alg none, with no signature."),
        (ignores_the_header, "you accepted a forgery: alg none, signed all the same."),
        (as_the_header_says, "you accepted a forgery: HS384, signed with the right secret."),
        (all_of_the_family, "you accepted a forgery: HS384, signed with the right secret."),
        (any_hmac, "you accepted a forgery: HS512 in the header, signed with HS256."),
        (compares_what_came, "you accepted a forgery: half of the signature."),
        (forgets_the_tail, "you accepted a forgery: a signature with more after it."),
        (
            raises,
            "your code raised an error on this token: another name under the old signature. It was "
            "InvalidSignatureError: Signature verification failed, at line",
        ),
        (lambda token, secret: None, "a valid token was refused: you returned None"),
        (lambda token, secret: True, "a valid token was refused: you returned a value of type "
                                     "bool"),
        (
            lambda token, secret: verify(token, secret) if token.startswith(b64(
                b'{"alg": "HS256", "typ": "JWT"}')) else None,
            "a valid token whose header has another order was refused",
        ),
    ],
    ids=["reads", "trusts", "ignores", "header", "family", "any",
         "prefix", "tail", "raises", "no", "yes", "order"],
)  # fmt: skip
def test_verify_is_told_which_forgery_it_took(
    answer: Any, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = verdict("verify", answer, capsys)
    assert said.startswith("q3 is not right yet: ")
    assert words in said


def test_the_attacks_differ_and_none_is_a_good_token() -> None:
    claims = {"username": "ada", "exp": 4_000_000_000}
    good = by_hand(HEADER, claims, SECRET)
    forgeries = attacks(good, claims, SECRET)
    assert len({good, *forgeries.values()}) == len(forgeries) + 1
    assert verify(good, SECRET) == claims
    assert [name for name, token in forgeries.items() if verify(token, SECRET) is not None] == []


def claim(token: str, name: str) -> Any:
    return json.loads(unb64(token.split(".")[1]))[name]


@pytest.mark.parametrize(
    "answer",
    [
        lambda token, now: claim(token, "exp") <= now,
        lambda token, now: not now < claim(token, "exp"),
        lambda token, now: max(now, claim(token, "exp")) == now,
    ],
)
def test_is_over_agrees_with_the_server(answer: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict("is_over", answer, capsys).startswith("q4 is right.")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            lambda token, now: claim(token, "exp") < now,
            "at the exp of a token of 60 s you returned False; the server refused it.",
        ),
        (
            lambda token, now: claim(token, "exp") <= round(now),
            "half a second before the exp of a token of 60 s you returned True; the server "
            "accepted it.",
        ),
        (
            lambda token, now: claim(token, "iat") + 60 <= now,
            "at the exp of a token of 5 s you returned False; the server refused it.",
        ),
        (lambda token, now: claim(token, "exp") > now, "1 s before the exp of a token of 60 s"),
        (lambda token, now: None, "is_over returned None instead of True or False."),
    ],
    ids=["after", "rounds", "sixty", "reversed", "nothing"],
)
def test_is_over_is_told_at_which_moment_it_is_wrong(
    answer: Any, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = verdict("is_over", answer, capsys)
    assert said.startswith("q4 is not right yet: ")
    assert words in said


class Always(bytes):
    """Claims to equal anything."""

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


class Claims(dict):  # type: ignore[type-arg]
    __eq__ = Always.__eq__  # type: ignore[assignment]
    __ne__ = Always.__ne__  # type: ignore[assignment]


def the_first_two(token: str, secret: str) -> Any:
    """Accepts whatever comes first, because the valid tokens do."""
    the_first_two.calls += 1  # type: ignore[attr-defined]
    return reads_only(token, secret) if the_first_two.calls <= 2 else None  # type: ignore[attr-defined]


the_first_two.calls = 0  # type: ignore[attr-defined]

BORROWED = {
    "decode_part": "from jwt_course.lesson_02.judges import _decode as decode_part",
    "sign": """
        def sign(header, payload, secret):
            import jwt
            return jwt.encode(payload, secret, "HS256", headers=header)
    """,
    "verify": """
        from jwt_course.lesson_02 import judges

        def verify(token, secret):
            return judges.HEADER if check(token, secret) else None

        def check(token, secret):
            return judges.attacks(token, {}, secret)
    """,
    "is_over": """
        def is_over(token, now):
            from jwt_course.lesson_02.judges import _read
            return _read(token.split(".")[1])["exp"] <= now
    """,
}


@pytest.mark.parametrize("name", BORROWED)
def test_an_answer_from_the_judge_is_not_taken(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = verdict(name, cell(BORROWED[name])[name], capsys)
    assert f"`{name}` uses " in said
    assert said.endswith(", which does the work of this exercise. Write that part yourself.\n")


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("decode_part", lambda text: Always(), "contains 27 bytes; you returned 0 bytes"),
        (
            "sign",
            lambda h, p, s: jwt_by_hand.sign(json.dumps(h), json.dumps(p), s),
            "`sign` uses client_widget.protocol.jwt_by_hand",
        ),
        ("verify", lambda token, secret: Claims(), "a valid token was refused: you returned a val"),
        ("verify", the_first_two, "a valid token was refused: you returned None"),
        ("is_over", lambda token, now: now >= 1_800_000_060, "at the exp of a token of 5 s you re"),
    ],
)
def test_a_trick_is_seen(
    name: str, answer: Any, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in verdict(name, answer, capsys)


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        (
            "sign",
            "sign = None",
            "`sign` is None. It should be a function: `def sign(header, payload, secret):`. Was it "
            "assigned the result of a call?",
        ),
        ("verify", "verify = 'eyJ'", "`verify` is a str. It should be a function: `def verify("),
        ("verify", "class verify: pass", "`verify` is a class. It should be a function: `def ver"),
        (
            "verify",
            "def verify(token):\n    return None",
            "`verify` takes (token), but it is called with (token, secret).",
        ),
        (
            "is_over",
            "async def is_over(token, now):\n    return True",
            "`is_over` is an `async def`, so calling it runs nothing. Write a plain `def`.",
        ),
        (
            "decode_part",
            "def decode_part(text):\n    return base64.b64decode(text)",
            "your code raised NameError: name 'base64' is not defined, at line 2 of your cell: "
            "`return base64.b64decode(text)`. Which cell defines that name, and have you run it?",
        ),
    ],
)
def test_an_answer_of_another_kind_is_told_what_is_wanted(
    name: str, source: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = verdict(name, cell(source)[name], capsys)
    assert said.partition(" is not right yet: ")[2].startswith(words)

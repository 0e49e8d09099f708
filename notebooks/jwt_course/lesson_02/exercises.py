"""Lesson 02, inside a token: its exercises. The judges stand in `lesson_02_judges.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..exercise import Exercise
from .judges import judge_decode_part, judge_is_over, judge_sign, judge_verify


def exercises(namespace: Mapping[str, Any]) -> tuple[Exercise, Exercise, Exercise, Exercise]:
    """The four exercises of the lesson, over the notebook's `globals()`."""
    return (
        Exercise(
            namespace,
            "q1",
            wants=["decode_part"],
            judge=judge_decode_part,
            hints=[
                "Base64 comes in groups of four characters. How many are missing?",
                "len(text) % 4 is 0, 2 or 3. The padding is 0, 2 or 1 times '='.",
                "-len(text) % 4 is that number. Mind the alphabet: urlsafe_b64decode knows - and _",
            ],
            solution=DECODE_PART,
        ),
        Exercise(
            namespace,
            "q2",
            wants=["sign"],
            judge=judge_sign,
            hints=[
                "Three steps: encode the two objects, sign the text, encode the signature.",
                "What is signed is f'{header}.{payload}', each already in base64url, no padding.",
                "hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest() gives 32 "
                "bytes. They go into base64url as well.",
            ],
            solution=SIGN,
        ),
        Exercise(
            namespace,
            "q3",
            wants=["verify"],
            judge=judge_verify,
            hints=[
                "Compute the signature yourself, and compare all of it. Never ask the header "
                "how to verify: check that it says HS256.",
                "A token comes from anybody. Wrong parts, wrong base64 and wrong JSON all raise "
                "a ValueError or one of its kind: catch it and give None.",
                "hmac.compare_digest(ours, theirs) is False for another length. Then look at "
                "header.get('alg'), and at isinstance(…, dict) for header and payload.",
            ],
            solution=VERIFY,
        ),
        Exercise(
            namespace,
            "q4",
            wants=["is_over"],
            judge=judge_is_over,
            hints=[
                "Read exp from the payload. What does the RFC say of the very second of exp?",
                "'On or after' exp the token must not be accepted: exp itself is over.",
                "return claims['exp'] <= now",
            ],
            solution=IS_OVER,
        ),
    )


DECODE_PART = """\
def decode_part(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))"""

SIGN = """\
def encode_part(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

def sign(header, payload, secret):
    parts = [json.dumps(part, separators=(",", ":")).encode() for part in (header, payload)]
    text = ".".join(encode_part(part) for part in parts)
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return f"{text}.{encode_part(signature)}\""""

VERIFY = """\
def verify(token, secret):
    try:
        header, payload, signature = token.split(".")
        text = f"{header}.{payload}"
        right = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
        if not hmac.compare_digest(right, decode_part(signature)):
            return None
        header, claims = json.loads(decode_part(header)), json.loads(decode_part(payload))
    except ValueError:  # not three parts, not base64, not JSON
        return None
    if not isinstance(header, dict) or header.get("alg") != "HS256":
        return None
    return claims if isinstance(claims, dict) else None"""

IS_OVER = """\
def is_over(token, now):
    claims = json.loads(decode_part(token.split(".")[1]))
    return claims["exp"] <= now"""

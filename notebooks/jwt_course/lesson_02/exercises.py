"""The exercises of lesson 02: decode a token's parts, sign it, verify it, and read its expiry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..exercise import Exercise
from ..solutions import right_answers
from .judges import judge_decode_part, judge_is_over, judge_sign, judge_verify


def exercises(namespace: Mapping[str, Any]) -> tuple[Exercise, ...]:
    """q1 to q4, for the notebook's `globals()`."""
    solutions = right_answers(__package__)
    return (
        Exercise(
            namespace,
            "q1",
            wants=["decode_part"],
            judge=judge_decode_part,
            hints=[
                "Base64 comes in groups of four characters. How many are missing?",
                "len(text) % 4 is 0, 2 or 3. The padding is 0, 2 or 1 times '='.",
                "-len(text) % 4 is that number. Check the alphabet too: urlsafe_b64decode knows - "
                "and _",
            ],
            solution=solutions["q1"],
        ),
        Exercise(
            namespace,
            "q2",
            wants=["sign"],
            judge=judge_sign,
            hints=[
                "Three steps: encode the two objects, sign the text, encode the signature.",
                "Sign f'{header}.{payload}', with both parts already in base64url, no padding.",
                "hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest() returns 32 "
                "bytes. Encode them in base64url as well.",
            ],
            solution=solutions["q2"],
        ),
        Exercise(
            namespace,
            "q3",
            wants=["verify"],
            judge=judge_verify,
            hints=[
                "Compute the signature yourself, and compare all of it. Never ask the header "
                "how to verify: check that it says HS256.",
                "Anyone can send a token. Wrong parts, wrong base64 and wrong JSON all raise a "
                "ValueError or a subclass of it: catch it and return None.",
                "hmac.compare_digest(ours, theirs) is False if the lengths differ. Then check "
                "header.get('alg'), and isinstance(…, dict) for header and payload.",
            ],
            solution=solutions["q3"],
        ),
        Exercise(
            namespace,
            "q4",
            wants=["is_over"],
            judge=judge_is_over,
            hints=[
                "Read exp from the payload. What does the RFC say about the exact second of exp?",
                "'On or after' exp the token must not be accepted: at exp it has expired.",
                "return claims['exp'] <= now",
            ],
            solution=solutions["q4"],
        ),
    )

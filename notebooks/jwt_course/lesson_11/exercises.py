"""The exercises of lesson 11: publish keys, rotate them, choose one, and verify with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..exercise import Exercise
from ..solutions import right_answers
from .judges import judge_choose_key, judge_public_jwks, judge_schedule, judge_verify


def exercises(namespace: Mapping[str, Any]) -> tuple[Exercise, ...]:
    """q1 to q4, for the notebook's `globals()`."""
    solutions = right_answers(__package__)
    return (
        Exercise(
            namespace,
            "q1",
            wants=["public_jwks"],
            judge=judge_public_jwks,
            hints=[
                "Which half of a key may everyone have? private_key.public_key() returns it.",
                "jwt.get_algorithm_by_name(algorithm).to_jwk(public_key, as_dict=True) returns a "
                "JWK without its name.",
                'Add the rest: {**jwk, "kid": kid, "use": "sig", "alg": algorithm}. The set is '
                '{"keys": [...]}.',
            ],
            solution=solutions["q1"],
        ),
        Exercise(
            namespace,
            "q2",
            wants=["schedule"],
            judge=judge_schedule,
            hints=[
                "Two things last: a verifier's copy of the JWK Set, and a token. Which of them "
                "decides when you may sign with the new key?",
                "Sign when the last copy without the new key has ended. Retire when the last "
                "token of the old key has expired.",
                "publish = now; sign = publish + max_age; retire = sign + lifetime.",
            ],
            solution=solutions["q2"],
        ),
        Exercise(
            namespace,
            "q3",
            wants=["choose_key"],
            judge=judge_choose_key,
            hints=[
                "The header may only name a key. Compare header.get('kid') with the kid of each "
                "key in the set; never use it to look anything up.",
                "Then ask the key, not the token: is it for signatures, and is its alg the one in "
                "the header?",
                'for jwk in jwks["keys"]: if jwk["kid"] == header.get("kid") and jwk["use"] == '
                '"sig" and jwk["alg"] == header.get("alg"): return jwk',
            ],
            solution=solutions["q3"],
        ),
        Exercise(
            namespace,
            "q4",
            wants=["verify"],
            judge=judge_verify,
            hints=[
                "Read the header with jwt.get_unverified_header(token), and choose the key as in "
                "exercise 3. No key: return None.",
                'jwt.decode(token, jwt.PyJWK(jwk), algorithms=[jwk["alg"]], audience="orders") '
                "checks the signature with the key's algorithm, and the audience.",
                'PyJWT uses the wall clock. Turn that off with options={"require": ["exp", '
                '"aud"], "verify_exp": False, "verify_iat": False}, and compare exp with now '
                "yourself.",
                "A bad token raises jwt.PyJWTError: catch it and return None. In the second of "
                "its exp a token has expired: exp <= now.",
            ],
            solution=solutions["q4"],
        ),
    )

"""Lesson 08, attacks: what its notebook uses, and its exercises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..exercise import Exercise
from .judges import (
    captured_token,
    judge_check_login,
    judge_find_tokens,
    judge_forged,
    judge_verify,
)

__all__ = ["captured_token", "exercises"]

VERIFY_SOLUTION = """\
import jwt

UNTIMED = {"require": ["exp", "typ"], "verify_exp": False, "verify_iat": False}

def verify(token, secret, now):
    claims = jwt.decode(token, secret, algorithms=["HS256"], options=UNTIMED)
    if claims["typ"] != "access" or claims["exp"] <= now:
        raise ValueError("not an access token that is good now")
    return claims"""

LOGIN_SOLUTION = """\
NOBODY = bcrypt.hashpw(b"nobody's password", bcrypt.gensalt(4))

def check_login(users, body):
    username, password = body.get("username"), body.get("password")
    if not isinstance(username, str) or not isinstance(password, str):
        return None
    user = users.find_one({"username": username})
    right = bcrypt.checkpw(password.encode(), user["password"].encode() if user else NOBODY)
    return username if user and right else None"""

FIND_SOLUTION = """\
import json, re

TOKEN = re.compile(r"eyJ[\\w-]+\\.eyJ[\\w-]+\\.[\\w-]*", re.ASCII)

def find_tokens(notebook):
    shown = [cell.get("outputs", []) for cell in notebook["cells"]]
    return set(TOKEN.findall(json.dumps(shown)))"""


def exercises(namespace: Mapping[str, Any]) -> tuple[Exercise, ...]:
    """The exercises of the lesson: a forgery, two mended functions and a search."""
    return (
        Exercise(
            namespace,
            "q1",
            wants=["forged"],
            judge=judge_forged,
            hints=[
                "The harbour does not take `alg: none`. What else makes a signature?",
                "Its secret is a word of the list with two digits behind it. `find_secret` takes "
                "any words: 40,000 of them are a matter of a second.",
                'f"{word}{number:02}" for word in weak_secrets() for number in range(100)',
                'Then forge_signed(stolen, "admin", secret).',
            ],
            solution=(
                'words = (f"{word}{number:02}" for word in weak_secrets() for number in range(100))'
                '\nforged = forge_signed(stolen, "admin", find_secret(stolen, words))'
            ),
        ),
        Exercise(
            namespace,
            "q2",
            wants=["verify"],
            judge=judge_verify,
            hints=[
                "Whatever the token says about itself is the attacker's choice. What does the "
                "server know without asking it?",
                "Three questions: is it signed with HS256 and this secret? Is it an access token? "
                "Is it before exp, at the time `now`?",
                'jwt.decode(token, secret, algorithms=["HS256"]) answers the first. It asks the '
                'wall clock for the third, so turn that off: options={"verify_exp": False, '
                '"verify_iat": False}, and compare exp with now yourself.',
                'Then: if claims["typ"] != "access" or claims["exp"] <= now: raise ValueError.',
            ],
            solution=VERIFY_SOLUTION,
        ),
        Exercise(
            namespace,
            "q3",
            wants=["check_login"],
            judge=judge_check_login,
            hints=[
                "Two things are wrong: what the query takes, and how much an unknown name costs.",
                "The name and the password must be text before anything is asked: isinstance.",
                "For an unknown name check the password as well, against a hash that is nobody's. "
                "Make that hash once, with the cost of the others.",
                'stored = user["password"].encode() if user else NOBODY; '
                "right = bcrypt.checkpw(password.encode(), stored); return the name only if "
                "right and user.",
            ],
            solution=LOGIN_SOLUTION,
        ),
        Exercise(
            namespace,
            "q4",
            wants=["find_tokens"],
            judge=judge_find_tokens,
            hints=[
                'What a cell showed is in cell["outputs"]: printed text, data of many types, and '
                "tracebacks. Where is the text of each?",
                'json.dumps(cell.get("outputs", [])) is the text of all of them at once.',
                "Then a regular expression: three parts of letters, digits, - and _ with dots "
                "between. The last one may be empty. A header and a payload both begin with eyJ: "
                'that is {" in base64url.',
            ],
            solution=FIND_SOLUTION,
        ),
    )

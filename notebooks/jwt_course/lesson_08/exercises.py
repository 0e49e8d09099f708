"""The exercises of lesson 08: forge a token, fix two functions, and find leaked tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..exercise import Exercise
from ..solutions import right_answers
from .judges import judge_check_login, judge_find_tokens, judge_forged, judge_verify


def exercises(namespace: Mapping[str, Any]) -> tuple[Exercise, ...]:
    """q1 to q4, for the notebook's `globals()`."""
    solutions = right_answers(__package__)
    return (
        Exercise(
            namespace,
            "q1",
            wants=["forged"],
            judge=judge_forged,
            hints=[
                "The harbour's server refuses `alg: none`. What else makes a signature?",
                "Its secret is a word from the list, followed by two digits. `find_secret` takes "
                "any words: 40,000 of them take about a second.",
                'f"{word}{number:02}" for word in weak_secrets() for number in range(100)',
                'Then forge_signed(stolen, "admin", secret).',
            ],
            solution=solutions["q1"],
        ),
        Exercise(
            namespace,
            "q2",
            wants=["verify"],
            judge=judge_verify,
            hints=[
                "The attacker chooses everything that the token says about itself. What does the "
                "server know without asking it?",
                "Three questions: is it signed with HS256 and this secret? Is it an access token? "
                "Is it before exp, at the time `now`?",
                'jwt.decode(token, secret, algorithms=["HS256"]) answers the first. It uses the '
                'wall clock for the third, so turn that off: options={"verify_exp": False, '
                '"verify_iat": False}, and compare exp with now yourself.',
                'Then: if claims["typ"] != "access" or claims["exp"] <= now: raise ValueError.',
            ],
            solution=solutions["q2"],
        ),
        Exercise(
            namespace,
            "q3",
            wants=["check_login"],
            judge=judge_check_login,
            hints=[
                "Two things are wrong: what the query accepts, and how much an unknown name costs.",
                "Check that the name and the password are text before you query: isinstance.",
                "For an unknown name check the password too, against a hash that matches no "
                "password. Make that hash once, at the same cost as the others.",
                'stored = user["password"].encode() if user else NOBODY; '
                "right = bcrypt.checkpw(password.encode(), stored); return the name only if "
                "right and user.",
            ],
            solution=solutions["q3"],
        ),
        Exercise(
            namespace,
            "q4",
            wants=["find_tokens"],
            judge=judge_find_tokens,
            hints=[
                'A cell\'s output is in cell["outputs"]: printed text, data of many types, and '
                "tracebacks. Where is the text of each?",
                'json.dumps(cell.get("outputs", [])) is the text of all of them at once.',
                "Then a regular expression: three parts of letters, digits, - and _ with dots "
                "between. The last one may be empty. A header and a payload both begin with eyJ: "
                'that is {" in base64url.',
            ],
            solution=solutions["q4"],
        ),
    )

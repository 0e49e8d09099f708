"""The judges of lesson 07.

`parameters` reads the challenges of this server and of others; `what_to_do` gets the responses of
a server with each policy; the challenge that `answer` returns is read as a client would.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from requests.structures import CaseInsensitiveDict

from demo_server import DemoClock, DemoServer, ServerConfig

from ..exercise import Wrong
from ..judging.answers import check_function, check_number, plain
from ..lab import START
from .both_policies import Answered, ask_all
from .challenges import parameters_of, scheme_of


def answers_of(policy: str) -> tuple[Answered, ...]:
    """The answers of a new server of that policy to all actions."""
    clock = DemoClock(start=START, rate=0)
    config = ServerConfig(policy=policy, bcrypt_cost=4)
    with DemoServer(config, clock=clock, name="exercise", transport="in-process") as server:
        return ask_all(server, clock)


# Exercise 1: the parameters of a challenge

#: Challenges as other servers write them, and what is in them.
CHALLENGES: Mapping[str, Mapping[str, str]] = {
    "Bearer": {},
    'Bearer realm="lab"': {"realm": "lab"},
    'Bearer realm="lab", error="invalid_token"': {"realm": "lab", "error": "invalid_token"},
    'Bearer realm="lab",error="invalid_token"': {"realm": "lab", "error": "invalid_token"},
    'bearer Realm="lab", ERROR="invalid_token"': {"realm": "lab", "error": "invalid_token"},
    'Bearer error="invalid_token", error_description="expired, so refresh"': {
        "error": "invalid_token",
        "error_description": "expired, so refresh",
    },
    'Bearer realm="lab", error_uri="https://lab.example/?code=7"': {
        "realm": "lab",
        "error_uri": "https://lab.example/?code=7",
    },
    "Bearer realm=lab, error=invalid_token": {"realm": "lab", "error": "invalid_token"},
    r'Bearer realm="the \"lab\"", error="invalid_token"': {
        "realm": 'the "lab"',
        "error": "invalid_token",
    },
}


def judge_parameters(parameters: Any) -> str:
    """The learner's function reads challenges.

    Raises:
        Wrong: it reads something else out of one.
    """
    check_function("parameters", parameters, "header")
    real = {
        answered.headers["WWW-Authenticate"]
        for answered in answers_of("rfc")
        if "WWW-Authenticate" in answered.headers
    }
    cases = {**{text: parameters_of(text) for text in sorted(real)}, **CHALLENGES}
    for text, wanted in cases.items():
        read = plain(parameters(text))
        if read != wanted:
            raise Wrong(f"In {text!r} you read {read!r}; it says {wanted!r}.")
    return f"You read {len(real)} challenges of our server, and {len(CHALLENGES)} of others."


# Exercise 2: what to do

REFRESH, LOG_IN, NO_RIGHT = "refresh", "log in", "no right"
WAIT, GO_ON, REPORT = "wait", "go on", "report"

#: What to do after the actions of `ask_all`, by the policy. Left out are those whose answer does
#: not say it: a refused refresh of the article's looks like a refused access token.
ACTIONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "article": {
        "GET /home, no token": (LOG_IN,),
        # A client cannot fix a forged token, but a refresh may return a valid one.
        "GET /home, forged token": (REFRESH, LOG_IN),
        "GET /class, no teacher": (NO_RIGHT,),
        "GET /home, expired token": (REFRESH,),
        "POST /users/register, name is taken": (REPORT,),
        "POST /users/login, wrong password": (LOG_IN,),
        "POST /users/login, unknown user": (LOG_IN,),
        "POST /logout": (REPORT,),
        "GET /home, after the logout": (GO_ON,),
    },
    "rfc": {
        "GET /home, no token": (LOG_IN,),
        "GET /home, forged token": (REFRESH,),
        "GET /class, no teacher": (NO_RIGHT,),
        "GET /home, expired token": (REFRESH,),
        "POST /refresh, expired token": (LOG_IN,),
        "POST /users/register, name is taken": (REPORT,),
        "POST /users/login, wrong password": (LOG_IN,),
        "POST /users/login, unknown user": (LOG_IN,),
        "POST /users/login, sixth failure": (WAIT,),
        "POST /logout": (GO_ON,),
        "GET /home, after the logout": (REFRESH,),
    },
}

#: Answers of servers that say all in the header: RFC 6750 asks for no body.
ELSEWHERE = (
    ({"WWW-Authenticate": 'Bearer realm="lab"'}, 401, LOG_IN),
    ({"WWW-Authenticate": 'Bearer realm="lab", error="invalid_token"'}, 401, REFRESH),
    ({"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="class"'}, 403, NO_RIGHT),
    ({"Retry-After": "5"}, 503, WAIT),
)


def judge_what_to_do(what_to_do: Any) -> str:
    """The learner's client does what an answer asks for.

    Raises:
        Wrong: it does something else after one of the answers.
    """
    check_function("what_to_do", what_to_do, "status, headers, body")
    count = 0
    for policy, wanted in ACTIONS.items():
        for answered in answers_of(policy):
            if answered.action in wanted:
                name = f"{answered.action}, on the {policy} server"
                _try_answer(what_to_do, name, answered, wanted[answered.action])
                count += 1
    for headers, status, wanted_here in ELSEWHERE:
        answered = Answered("elsewhere", status, CaseInsensitiveDict(headers), {})
        _try_answer(what_to_do, f"A server with no body says {headers}", answered, (wanted_here,))
    return (
        f"After {count} responses of both servers, and {len(ELSEWHERE)} of others, you act "
        "correctly."
    )


def _try_answer(what_to_do: Any, name: str, answered: Answered, wanted: tuple[str, ...]) -> None:
    said = plain(what_to_do(answered.status, answered.headers, dict(answered.body)))
    if said not in wanted:
        code = f" {answered.error}" if answered.error else ""
        raise Wrong(
            f"{name}: {answered.status}{code}. You said {said!r}; the right action is "
            f"{' or '.join(map(repr, wanted))}."
        )


# Exercise 3: a server's answer

#: Status and code for each reason (RFC 6750, section 3.1); "" where the challenge has no code.
REASONS: Mapping[str, tuple[int, str]] = {
    "no token": (401, ""),
    "expired": (401, "invalid_token"),
    "forged": (401, "invalid_token"),
    "two tokens": (400, "invalid_request"),
    "no right": (403, "insufficient_scope"),
}


def judge_answer(answer: Any) -> str:
    """The learner's server answers as RFC 6750 asks for.

    Raises:
        Wrong: a status or a challenge is another.
    """
    check_function("answer", answer, "reason")
    for reason, (status, code) in REASONS.items():
        given = answer(reason)
        if not isinstance(given, tuple | list) or len(given) != 2:
            raise Wrong(f"{reason!r}: answer should give a status and a challenge, not {given!r}.")
        _try_challenge(reason, status, code, *given)
    return f"{len(REASONS)} reasons, and each answer says what a client can do."


def _try_challenge(reason: str, status: int, code: str, given: Any, challenge: Any) -> None:
    check_number(f"{reason!r}: the status", given)
    given, challenge = plain(given), plain(challenge)
    if given != status:
        raise Wrong(f"{reason!r}: the status is {given!r}; it should be {status}.")
    if not isinstance(challenge, str) or scheme_of(challenge) != "bearer":
        raise Wrong(
            f"{reason!r}: the challenge is {challenge!r}; it should begin with Bearer. Every "
            "refusal of a token has a challenge."
        )
    if not challenge.isascii() or "\\" in challenge:
        raise Wrong(f"{reason!r}: use only ASCII and no backslash in the challenge.")
    parameters = parameters_of(challenge)
    if not parameters:
        raise Wrong(f"{reason!r}: put at least one parameter after Bearer, such as a realm.")
    told = parameters.get("error", "")
    if told and not code:
        raise Wrong(
            f"{reason!r}: a request without a token gets no error code, but you said {told!r}."
        )
    if told != code:
        raise Wrong(f"{reason!r}: the error is {told!r}; it should be {code!r}.")

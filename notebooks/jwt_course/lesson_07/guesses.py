"""What lesson 07 asks before it shows it. The recorded responses decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..guess import Guess, guess, in_order
from .both_policies import Answered

#: The six that the first question is about.
ASKED = (
    "GET /home, no token",
    "GET /home, expired token",
    "GET /class, no teacher",
    "POST /users/login, wrong password",
    "POST /users/login, unknown user",
    "POST /users/register, name is taken",
)


def _forbidden(answers: Mapping[str, Iterable[Answered]]) -> int:
    return sum(each.action in ASKED and each.status == 403 for each in answers["article"])


def _telling(said: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The servers whose refusals differ from name to name."""
    return [policy for policy, refusals in said.items() if len(set(refusals.values())) > 1]


def guesses() -> tuple[Guess, ...]:
    """g1 to g5, each revealed with what its cell collected."""
    return in_order(
        __package__,
        guess(
            "How many of these six does the article's server answer with 403?",
            number={
                4: "all but the two failed logins get a 403, whatever is wrong",
                6: "every one of them got a 403",
            },
            judge=_forbidden,
        ),
        guess(
            "On each server, each client's token expires. Which of the four requests return 200?",
            ([200, 200, 200, 200], "All four", "each client understood both servers"),
            (
                [200, 200, 401, 200],
                "All but the article's client on rfc",
                "it refreshes after a 403 only, and that server says 401",
            ),
            ([200, 403, 401, 200], "Each client's on its own server", "each knew one status"),
            ([200, 403, 401, 403], "The article's on its own server", "only they fit together"),
        ),
        guess(
            "Ada is not a teacher. With the article's client she asks for /class three times. "
            "Which statuses does she get from the rfc server?",
            ([403, 403, 403], "403, 403, 403", "the client changed nothing"),
            (
                [403, 403, 400],
                "403, 403, 400",
                "its first refresh spends the refresh token, and its second one sends it again",
            ),
            ([403, 401, 401], "403, 401, 401", "the first request ended the session"),
        ),
        guess(
            "ada is registered, bob and carl are not. The stranger tries one wrong password for "
            "each. Which servers show who has an account?",
            ([], "Neither", "each gave one answer to all three"),
            (
                ["article"],
                "The article's",
                "it has one answer for a wrong password and another for an unknown user",
            ),
            (["rfc"], "The rfc server", "its answers differ"),
            (["article", "rfc"], "Both", "the answers of both differ"),
            judge=_telling,
        ),
        guess(
            "The stranger makes 15 guesses on the rfc server. How many are free?",
            number={
                5: "people mistype, so the first five cost nothing, and then each wait doubles",
                15: "the server never asked to wait",
            },
            judge=lambda waited: waited.count(0),
        ),
    )

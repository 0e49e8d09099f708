"""What lesson 09 asks before it shows it. The traces of the scenarios decide."""

from __future__ import annotations

from client_widget.tour.outcomes import refreshes, requests_sent

from ..guess import Guess, guess, in_order
from .grader import Row


def _outcome(fault: Row | None) -> str:
    return "passes" if fault is None else "fails"


def guesses() -> tuple[Guess, ...]:
    """g1 to g5. g2 and g3 are revealed with a trace: see `trace_of`."""
    return in_order(
        __package__,
        guess(
            "“When the session has ended, one call says so. The others show a spinner forever.” "
            "Which scenario shows this symptom?",
            ("refused", "refused", "one call is enough to show it"),
            (
                "refused, and others wait",
                "refused, and others wait",
                "the others only hang if they wait while the refresh is refused",
            ),
            ("four together", "four together", "the refresh succeeds there"),
            ("a late refusal", "a late refusal", "nobody waits there"),
        ),
        guess(
            "Four calls meet an expired access token, and the refresh token has expired too. How "
            "many refreshes are there?",
            number={
                1: "the other three calls wait for it, and that is where they stay",
                4: "each call sent its own",
            },
            judge=lambda trace: sum(e.name == "request.sent" for e in refreshes(trace)),
        ),
        guess(
            "ada is not a teacher and opens the teachers' page. How many requests does a correct "
            "client send?",
            number={
                1: "the server accepted the token and refused ada, and no new token changes that",
                3: "it took the refusal for an expired token",
            },
            judge=lambda trace: len(requests_sent(trace)),
        ),
        guess(
            "The same refresh token arrives twice: once from a client in a tunnel, once from a "
            "thief. Can the server tell which is which?",
            (False, "Yes, the requests differ", "what the server saw differs"),
            (True, "No, it sees the same both times", "a spent token came again in both"),
        ),
        guess(
            "The client has the first fault, and tries a second time after each refusal. Does it "
            "pass the scenario with five expiries?",
            ("passes", "Yes, every caller gets a 200", "the second try repairs it"),
            (
                "fails",
                "No",
                "the grader looks at what reached the server, and sees refused requests",
            ),
            judge=_outcome,
        ),
    )

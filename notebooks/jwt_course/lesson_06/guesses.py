"""What lesson 06 asks before it shows it. The events of the cell, or what it tried, decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from client_widget import Event

from ..guess import Guess, guess, in_order
from .theft import GraceTrial


def _names(events: Iterable[Event]) -> list[str]:
    return [event.name for event in events]


def _detected(events: Iterable[Event]) -> bool:
    return "reuse.detected" in _names(events)


def _caught(events: Sequence[Event]) -> str | None:
    """Whose refresh token had been used before: the sender of the last refresh before that."""
    if not _detected(events):
        return None
    before = events[: _names(events).index("reuse.detected")]
    return [e.source for e in before if e.fields.get("purpose") == "refresh"][-1]


def _both(trials: Iterable[GraceTrial]) -> list[int]:
    """The grace periods with which the owner survives and the thief is detected."""
    return [each.grace for each in trials if each.survived and each.detected_at is not None]


def guesses() -> tuple[Guess, ...]:
    """g1 to g9. g1, g3, g5 and g6 are revealed with the events of their cell."""
    return in_order(
        __package__,
        guess(
            "61 seconds pass, and the owner asks for /home. How many tokens does the response to "
            "the refresh contain?",
            number={
                1: "the refresh token stayed the same",
                2: "the server spends the refresh token and returns its successor, too",
            },
            judge=lambda events: _names(events).count("token.issued"),
        ),
        guess(
            "The owner refreshes first, then the thief tries. Who still gets the home page after "
            "that?",
            ((False, True), "The owner", "the server ended the thief's session only"),
            ((True, False), "The thief", "the server ended the owner's session only"),
            ((True, True), "Both", "the server did not notice"),
            (
                (False, False),
                "Neither",
                "a spent token came again, so the server ends the whole family",
            ),
        ),
        guess(
            "Now the thief refreshes first. Who triggers the detection?",
            ("thief", "The thief", "the thief sent the spent token"),
            (
                "owner",
                "The owner",
                "the thief has spent the token, so it is the owner who sends it again",
            ),
            (None, "Nobody", "no spent token came again"),
            judge=_caught,
        ),
        guess(
            "The owner logs in again. Can the thief use the copied refresh token now, 239 seconds "
            "before its exp?",
            (200, "Yes, ada has a session again", "the server looked at the name alone"),
            (400, "No", "it belongs to the old family, and that stays revoked"),
        ),
        guess(
            "The response to a refresh is lost. Two seconds later the owner sends the same refresh "
            "token again. What does the server make of it?",
            (False, "A repetition: it sends new tokens", "the server forgives the second use"),
            (
                True,
                "A theft: it ends the session",
                "it sees a spent token again, and can't tell a lost response from a thief",
            ),
            judge=_detected,
        ),
        guess(
            "The grace period is 30 seconds, and the thief refreshes 10 seconds after the owner. "
            "Is the thief detected?",
            (True, "Yes, at once", "the second use was not forgiven"),
            (
                False,
                "No",
                "the second use is within the grace period, so the thief gets the same successor",
            ),
            judge=_detected,
        ),
        guess(
            "The app tries again after 2 seconds, and a thief comes 10 seconds after the owner. "
            "Which grace period saves the owner and catches the thief?",
            ([0], "0 s", "a lost response did no harm"),
            ([5], "5 s", "2 seconds are within it, and 10 are not"),
            ([30], "30 s", "the thief was caught within it"),
            ([5, 30], "5 s and 30 s", "the thief was caught within both"),
            judge=_both,
        ),
        guess(
            "Both callers have checked, and both found the token unspent. How many succeed?",
            number={
                1: "the second write was refused",
                2: "both write after both have checked, so the family forks and nobody notices",
            },
            judge=lambda seen: seen.count("token.spent"),
        ),
        guess(
            "The owner logs out, first without telling the server, then with telling it. When does "
            "a copy of the tokens still work?",
            (
                [True, False],
                "After the first logout only",
                "a server that is not told keeps the session, and one that is told ends the family",
            ),
            ([True, True], "After both", "the server did not end the family"),
            ([False, False], "After neither", "forgetting the tokens was enough"),
        ),
    )

"""What lesson 12 asks before it shows it. What the cell tried decides."""

from __future__ import annotations

from collections.abc import Sequence

from ..guess import Guess, guess, in_order
from .tabs import Trial


def _ways_that_go_on(trials: Sequence[Trial]) -> list[str]:
    return [trial.way for trial in trials if trial.alive and not trial.grace]


def guesses() -> tuple[Guess, ...]:
    """g1 to g5, each revealed with the trials of its cell."""
    return in_order(
        __package__,
        guess(
            "Two tabs send the same refresh token, one after the other. Which tab gets its page?",
            ((True, True), "Both", "the server accepted the token twice"),
            (
                (True, False),
                "Tab 1 only, and then the session ends",
                "the second use looks like a theft, and the server ends the session for both",
            ),
            ((False, False), "Neither", "the server refused both"),
            judge=lambda trial: trial.pages,
        ),
        guess(
            "Which of the three attempts keeps the session: re-read, a lock, or both?",
            (["re read"], "Re-read the store", "the second tab found the new pair"),
            (["lock only"], "A lock", "only one tab sent its refresh"),
            (
                ["lock and adopt"],
                "Both together",
                "without the lock the store is read too early, and without the second look the "
                "spent token is sent later",
            ),
            judge=_ways_that_go_on,
        ),
        guess(
            "Two processes share one token file with a lock. How many refreshes are sent?",
            number={
                1: "the second process waits for the lock, reads the file, and adopts the new pair",
                2: "each process refreshed",
            },
            judge=lambda trial: trial.refreshes,
        ),
        guess(
            "The response to tab 1's refresh is lost. Does the lock save the session?",
            (True, "Yes", "the server had not spent the token"),
            (
                False,
                "No",
                "the store still has the token that the server has spent, so tab 2 sends it again",
            ),
            judge=lambda trial: trial.alive,
        ),
        guess(
            "A process dies when it has the new tokens and has not written them. With a grace "
            "period of 30 s, does the next process get its page?",
            (
                True,
                "Yes",
                "it comes within the grace period, and the server sends the same successor again",
            ),
            (False, "No", "the spent token was refused"),
            judge=lambda trial: trial.pages[1],
        ),
    )

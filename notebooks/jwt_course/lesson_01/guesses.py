"""What lesson 01 asks before it shows it. The events of the last action decide."""

from __future__ import annotations

from client_widget.tour.outcomes import requests_sent, visit

from ..guess import Guess, guess, in_order


def guesses() -> tuple[Guess, ...]:
    """g1 to g3; each is revealed with `log.action()`."""
    return in_order(
        __package__,
        guess(
            "The access token has expired. How many requests does the next cell send?",
            number={3: "the first is refused, the second is the refresh, and the third the retry"},
            judge=lambda events: len(requests_sent(events)),
        ),
        guess(
            "The new access token has 30 seconds left. What does the client do?",
            ("page", "It sends one request and gets its page", "the access token is still valid"),
            ("refreshed", "It refreshes first", "the access token was refused"),
            ("over", "It asks you to log in", "the refresh token was refused"),
            judge=visit,
        ),
        guess(
            "Both tokens have expired. How far does the client get?",
            ("refreshed", "It refreshes and gets its page", "the refresh token is still valid"),
            (
                "over",
                "It tries to refresh, and then you must log in",
                "the server refuses the refresh token too, and the client has nothing else to send",
            ),
            ("no token", "It sends nothing: you must log in", "its store was empty"),
            judge=visit,
        ),
    )

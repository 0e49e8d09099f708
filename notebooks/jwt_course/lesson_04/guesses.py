"""What lesson 04 asks before it shows it."""

from __future__ import annotations

from collections.abc import Iterable

from client_widget import Event

from ..guess import Guess, guess, in_order


def refreshes(events: Iterable[Event]) -> int:
    """How many refreshes the server carried out."""
    return sum(
        event.name == "token.accepted" and event.fields.get("kind") == "refresh" for event in events
    )


def guesses() -> tuple[Guess, ...]:
    """g1 to g7. g4 and g5 are revealed with the events of their cell, the others with statuses."""
    return in_order(
        __package__,
        guess(
            "The token expires, and the client asks for /home, five times in a row. Which five "
            "statuses does the caller see?",
            ([200] * 5, "200, 200, 200, 200, 200", "no expiry is different from the others"),
            (
                [200, 403, 200, 403, 200],
                "200, 403, 200, 403, 200",
                "a success leaves the flag up, and only the next failure lowers it",
            ),
            ([200] + [403] * 4, "200, 403, 403, 403, 403", "nothing lowers the flag"),
        ),
        guess(
            "A and B are sent with the same expired token. A gets its 403 first, then B. Who gets "
            "its page?",
            ((200, 200), "Both", "each refreshed for itself"),
            (
                (200, 403),
                "Only A",
                "B finds the flag that A has raised, and takes its own 403 for a failed refresh",
            ),
            ((403, 200), "Only B", "B came last"),
            ((403, 403), "Neither", "they disturbed each other"),
        ),
        guess(
            "Now the flag is lowered as soon as a refresh has succeeded. Does B get its page?",
            (None, "Yes, it goes on to refresh", "B found the flag lowered"),
            (
                403,
                "No, it fails as before",
                "B gets its 403 before A has even sent its refresh, and finds the flag up",
            ),
        ),
        guess(
            "A has finished before B's 403 arrives. How many refreshes are sent for the one "
            "expired token?",
            number={
                1: "B noticed that the token had changed",
                2: "B refreshes too, although there is a valid token in the store",
            },
            judge=refreshes,
        ),
        guess(
            "Both have their 403, and A's refresh is under way. What does B find in the store?",
            (
                2,
                "The pair that it sent, so it refreshes too",
                "the response to A's refresh has not arrived, so the store is unchanged",
            ),
            (1, "A's new pair, so it only retries", "A's refresh was already stored"),
            judge=refreshes,
        ),
        guess(
            "With BearerAuth, what happens when B wants to send its refresh?",
            (2, "It sends it", "nothing kept B from it"),
            (
                1,
                "It waits, and then needs no refresh",
                "after A's refresh there is a new pair in the store, and B checks again",
            ),
            (0, "It fails", "no refresh reached the server"),
            judge=refreshes,
        ),
        guess(
            "Four calls expire together. How many refreshes do PerCall, Compare and BearerAuth "
            "send?",
            ([4, 1, 1], "4, 1 and 1", "comparing was enough"),
            (
                [4, 4, 1],
                "4, 4 and 1",
                "all four compare before the first refresh has its response, and only BearerAuth "
                "lets three of them wait",
            ),
            ([4, 2, 1], "4, 2 and 1", "two compared too early"),
            ([1, 1, 1], "1, 1 and 1", "they never met"),
        ),
    )

"""What lesson 02 asks before it shows it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from client_widget import Event

from ..guess import Guess, guess, in_order


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _taken(events: Sequence[Event]) -> list[bool]:
    """Whether the server took each token that it was sent."""
    checks = ("token.accepted", "token.rejected")
    return [event.name == "token.accepted" for event in events if event.name in checks]


def guesses() -> tuple[Guess, ...]:
    """g1 to g7. g4, g6 and g7 take the events of their cell, the others a value."""
    return in_order(
        __package__,
        guess(
            "You decode the header with the standard library, and give it no key. What comes out?",
            (True, "JSON that you can read", "the header is only encoded, so no key is needed"),
            (False, "Bytes that make no sense", "the header is encrypted"),
            (None, "An error: the key is missing", "decoding asked for a key"),
            judge=lambda text: text and _is_json(text),
        ),
        guess(
            "The header had 36 characters, the payload has 70. Does the payload decode in the "
            "same way?",
            (True, "Yes, to JSON", "it has whole groups of four characters"),
            (
                False,
                "No, there is an error",
                "base64 comes in groups of four characters, and 70 is not a multiple of four",
            ),
            judge=lambda text: text is not None,
        ),
        guess(
            "Another key by one character, then another text by one character. Which of the two "
            "signatures is still the same?",
            ([False, False], "Neither", "the hash depends on each bit of the key and of the text"),
            ([True, False], "The one with the other key", "the key made no difference"),
            ([False, True], "The one with the other text", "the text made no difference"),
            ([True, True], "Both", "neither made a difference"),
        ),
        guess(
            "First another name in the payload, then ada's name and an exp one day later. Both "
            "keep the old signature. Which does the server accept?",
            (
                [False, False],
                "Neither",
                "the old signature belongs to the old payload, whatever was changed in it",
            ),
            ([False, True], "Only the later exp", "the server checked the name alone"),
            ([True, False], "Only the other name", "the server checked the time alone"),
            ([True, True], "Both", "the server did not check the signature"),
            judge=_taken,
        ),
        guess(
            "The client has a function that reads claims, for its countdown. Whose name does it "
            "read in the forgery?",
            ("grace", "grace's", "the function reads the payload and verifies nothing"),
            ("ada", "ada's", "the function read the old payload"),
            (None, "Nobody's: it refuses the token", "the function verified the signature"),
        ),
        guess(
            "The first token says alg: none and has no signature. The second is for grace, who "
            "never registered here, and is signed with the right secret. Which does the server "
            "accept?",
            ([False, False], "Neither", "the server looked for grace and did not find her"),
            ([True, False], "Only the one without a signature", "the header chose the algorithm"),
            (
                [False, True],
                "Only grace's",
                "the server accepts HS256 alone, trusts what is signed, and looks nobody up",
            ),
            ([True, True], "Both", "the header chose the algorithm"),
            judge=_taken,
        ),
        guess(
            "You ask one second before exp, half a second before it, and at exp itself. How "
            "often is the token accepted?",
            number={
                2: "a token has expired at exactly exp, and not a moment later",
                3: "a token was still valid at exp",
            },
            judge=lambda events: sum(_taken(events)),
        ),
    )

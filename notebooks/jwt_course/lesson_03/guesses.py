"""What lesson 03 asks before it shows it."""

from __future__ import annotations

from client_widget import Request

from ..guess import Guess, guess, in_order


def _kind(message: Request) -> tuple[str, str]:
    """The purpose of a message, and where it carries a token."""
    return message.purpose, "header" if "Authorization" in message.headers else "body"


def guesses() -> tuple[Guess, ...]:
    """g1 to g10, each revealed with what its cell saw."""
    return in_order(
        __package__,
        guess(
            "The next cell calls the generator function. What has been sent when it is done?",
            (
                "GEN_CREATED",
                "Nothing",
                "calling a generator function only creates the generator: none of its lines has "
                "run yet",
            ),
            ("GEN_SUSPENDED", "The call", "the generator ran up to its first yield"),
            ("GEN_CLOSED", "The call and its retry", "the generator ran to its end"),
        ),
        guess(
            "You respond with 200, and there is no further message. How does a generator say so?",
            (None, "send returns None", "the generator yielded None"),
            (
                StopIteration,
                "It raises StopIteration",
                "a generator that returns raises it, with the returned value in it",
            ),
            (RuntimeError, "It raises RuntimeError", "the generator failed"),
        ),
        guess(
            "The response to the call is 403. What is the next message, and where is its token?",
            (("retry", "header"), "The call again, token in the header", "there was no refresh"),
            (("refresh", "header"), "The refresh, token in the header", "it was signed as a call"),
            (
                ("refresh", "body"),
                "The refresh, token in the body",
                "the access token has expired and would be of no use: only the refresh token helps",
            ),
            judge=_kind,
        ),
        guess(
            "You respond with a new access token. What is in the store when the next message "
            "comes?",
            ("access-1", "The old access token", "the flow stores the new one after the retry"),
            (
                "access-2",
                "The new access token",
                "the flow stores it before the retry, so that other calls can use it at once",
            ),
            (None, "Nothing", "the flow emptied the store"),
        ),
        guess(
            "You respond to the retry with 403 as well. Does the flow refresh again?",
            ("refresh", "Yes", "the flow has a loop"),
            (
                403,
                "No: the caller gets the 403",
                "there is no loop, and if a brand-new token is refused, another one won't help",
            ),
            (None, "No: it asks for a login", "the flow raised LoginRequired"),
        ),
        guess(
            "The refresh itself is refused with 403. What does the flow do?",
            ("retry", "It sends the call again", "the flow did not read the response"),
            (
                "empty",
                "It empties the store and asks for a login",
                "without a valid refresh token the session has ended",
            ),
            ("kept", "It asks for a login and keeps the tokens", "the store was not emptied"),
        ),
        guess(
            "Now the response to the refresh is 503: the server is busy. Is the session over?",
            (False, "Yes: the store is empty", "the flow took the 503 for a refusal"),
            (
                True,
                "No: the tokens are kept",
                "a 503 says nothing about the refresh token, which may still be valid",
            ),
            judge=lambda pair: pair is not None,
        ),
        guess(
            "You pass None to the second flow: another call has refreshed. What does it yield?",
            (("refresh", "body"), "Its own refresh", "it did not know of the other one"),
            (
                ("retry", "header"),
                "The retry, with the new token",
                "it reads the store again, and the first flow has put the new token there",
            ),
            (("call", "header"), "The call, from the start", "it began again"),
            judge=_kind,
        ),
        guess(
            "The same call three times: at once, 61 seconds later, and right after that. How many "
            "messages does each take?",
            ([1, 2, 1], "1, 2 and 1", "there was no retry"),
            (
                [1, 3, 1],
                "1, 3 and 1",
                "only the second one meets an expired token: call, refresh and retry",
            ),
            ([1, 3, 3], "1, 3 and 3", "the new token was not stored"),
        ),
        guess(
            "301 seconds pass, and both tokens have expired. How many messages does the call take?",
            number={
                2: "the call and the refresh are both refused, so there is nothing to retry with",
                3: "the refresh was accepted",
            },
        ),
    )

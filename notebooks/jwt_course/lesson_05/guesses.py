"""What lesson 05 asks before it shows it. The results of the runs decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from client_widget import EventLog
from client_widget.log.token_lives import spans

from ..guess import Guess, guess, in_order
from .peers import PEERS
from .stampede import StampedeResult

FLAG, QUEUE, OURS = "the article's flag", "the common queue", "single flight (ours)"

Results: TypeAlias = Mapping[str, StampedeResult]


def _served(results: Results) -> list[str]:
    """The strategies with which every call got its 200."""
    return [name for name, result in results.items() if result.answers == result.calls]


def _of_the_four(counted: Callable[[Any], bool]) -> Callable[[Mapping[str, Any]], int | None]:
    """How many of the libraries; None if one is not installed, because the question is of four."""

    def judge(found: Mapping[str, Any]) -> int | None:
        return sum(map(counted, found.values())) if found.keys() == PEERS.keys() else None

    return judge


def _moments(log: EventLog) -> list[int]:
    """The seconds since the login at which the client refreshed."""
    timeline = spans(log)
    start = timeline.login or 0.0
    return [round(mark.at - start) for mark in timeline.marks if mark.path == "/refresh"]


def guesses() -> tuple[Guess, ...]:
    """g1 to g7. g6 is revealed with the log, the others with what their function returned."""
    return in_order(
        __package__,
        guess(
            "Ten calls meet the expired token. How many refreshes does the article's flag send?",
            number={
                1: "only the first call found the flag down",
                5: "a call that finds the flag up lowers it again, so every second one refreshes",
                10: "every call found the flag down",
            },
            judge=lambda results: results[FLAG].refreshes,
        ),
        guess(
            "Now each refresh token works once. With which strategies do all calls get their 200?",
            (True, "With all four", "the server did not mind the second use"),
            (
                [QUEUE, OURS],
                "With the queue and with single flight",
                "they send one refresh, and with the others a second one ends the session",
            ),
            ([OURS], "With single flight only", "the queue sent more than one refresh"),
            ([], "With none", "the session ended in each case"),
            judge=lambda results: len(_served(results)) == len(results) or _served(results),
        ),
        guess(
            "Both tokens have expired, so the refresh is refused. How many calls never end, with "
            "all strategies together?",
            number={
                0: "every strategy released the calls that waited",
                9: "in the queue nine calls wait for a token, and after a refusal none comes",
                10: "in the queue no call was released",
            },
            judge=lambda results: sum(result.hangs for result in results.values()),
        ),
        guess(
            "One refusal arrives after the refresh has ended. Which of the last two strategies "
            "refreshes again?",
            ((False, False), "Neither", "both noticed the new token"),
            (
                (True, False),
                "The queue",
                "its flag is down again by then, while single flight asks whether the refused "
                "token is still in the store",
            ),
            ((False, True), "Single flight", "it did not look at the store"),
            ((True, True), "Both", "neither looked at the store"),
            judge=lambda results: (results[QUEUE].refreshes > 1, results[OURS].refreshes > 1),
        ),
        guess(
            "Four libraries, twenty threads each. How many of them send only one refresh?",
            number={
                0: "each of them refreshed in every thread",
                1: "only botocore takes a lock, and checks again once it has the lock",
                4: "each of them took a lock",
            },
            judge=_of_the_four(lambda result: result.refreshes == 1),
        ),
        guess(
            "The client logs in at 0 s and makes calls at 30, 45, 50 and 70 s. When does it "
            "refresh?",
            ([50], "At 50 s", "it is the first call in the window, the last ten seconds"),
            ([45], "At 45 s", "the window was longer than ten seconds"),
            ([70], "At 70 s", "there was no window, and the token had expired"),
            ([], "Never", "no call came in the window"),
            judge=_moments,
        ),
        guess(
            "The token has its whole life before it, and each library makes five calls. How many "
            "of the four libraries refresh before each call?",
            number={
                0: "a new token was in no window",
                3: "their windows are as long as the token's life, or longer",
                4: "every library has such a window",
            },
            judge=_of_the_four(lambda refreshes: refreshes == 5),
        ),
    )

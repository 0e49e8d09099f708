"""Lesson 05: the judges take each right way, and say what is wrong with the others."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import Any

import pytest
from jwt_course import Exercise, Wrong
from jwt_course.lesson_05 import comparisons, exercises, guesses
from jwt_course.lesson_05.comparisons import compare_peers, compare_windows, story
from jwt_course.lesson_05.judges import (
    WINDOWS,
    judge_forecast,
    judge_single_flight,
    judge_window,
)

from client_widget import AuthClient, BearerAuth, EventLog
from client_widget.protocol.tokens import refresh_window
from demo_server import DemoClock, DemoServer

from ..conftest import PASSWORD
from .learner import AnyNumber, cell


def refusal(judge: Callable[[Any], str], answer: Any) -> str:
    with pytest.raises(Wrong) as caught:
        judge(answer)
    return str(caught.value)


def test_nothing_is_answered_at_the_start() -> None:
    for exercise in exercises({}):
        assert isinstance(exercise, Exercise)
        exercise.assert_check_unattempted()


class Rubber(dict):  # type: ignore[type-arg]
    """Finds a number for any key, and claims to have the right ones."""

    def __iter__(self) -> Any:
        return iter(["refreshes", "answers", "refused"])

    def __missing__(self, key: str) -> int:
        return 5


class TestForecast:
    @pytest.mark.parametrize(
        "right",
        [
            {"refreshes": 5, "answers": 5, "refused": 4},
            Counter("refreshes" if call % 2 else "refused" for call in range(1, 10))
            + Counter(answers=5),
            MappingProxyType({"refused": 4.0, "answers": 5.0, "refreshes": 5.0}),
        ],
        ids=["a dict", "counted", "floats in another order"],
    )
    def test_the_right_numbers(self, right: Any) -> None:
        words = judge_forecast(right)
        assert words.startswith("5 calls found the flag down and refreshed, 4 found it up")

    @pytest.mark.parametrize(
        ("refreshes", "answers", "refused", "off"),
        [
            (1, 5, 8, "refreshes: 1, refused: 8"),
            (1, 1, 8, "refreshes: 1, answers: 1, refused: 8"),
            (1, 9, 0, "refreshes: 1, answers: 9, refused: 0"),
            (9, 9, 0, "refreshes: 9, answers: 9, refused: 0"),
            (4, 4, 5, "refreshes: 4, answers: 4, refused: 5"),
        ],
        ids=["one", "the first", "single flight", "each for itself", "the flag up at first"],
    )
    def test_the_numbers_that_are_off_are_named(
        self, refreshes: int, answers: int, refused: int, off: str
    ) -> None:
        forecast = {"refreshes": refreshes, "answers": answers, "refused": refused}
        assert f"did not show {off}." in refusal(judge_forecast, forecast)

    @pytest.mark.parametrize(
        "trick",
        [dict.fromkeys(["refreshes", "answers", "refused"], AnyNumber()), Rubber(refreshes=1)],
        ids=["a number that equals all", "a dict that has all keys"],
    )
    def test_a_trick_is_seen(self, trick: Any) -> None:
        refusal(judge_forecast, trick)

    @pytest.mark.parametrize("forecast", [5, {}, {"refreshes": 5}, (5, 5, 4)])
    def test_the_form_is_asked_for(self, forecast: Any) -> None:
        words = refusal(judge_forecast, forecast)
        assert words == "forecast must be a dict with the keys refreshes, answers, refused."


class Held:
    """Right: a lock that is held from `begin` to `end`."""

    def __init__(self, store: Any) -> None:
        self.store, self.lock = store, threading.Lock()

    def begin(self, pair: Any) -> bool:
        self.lock.acquire()
        if self.store.get() is pair:
            return True
        self.lock.release()
        return False

    def end(self, fresh: Any) -> None:
        self.lock.release()


class Events:
    """Right: an event for each refresh."""

    def __init__(self, store: Any) -> None:
        self.store, self.lock = store, threading.Lock()
        self.over: threading.Event | None = None

    def begin(self, pair: Any) -> bool:
        with self.lock:
            if self.store.get() is not pair:
                return False
            if self.over is None:
                self.over = threading.Event()
                return True
            over = self.over
        over.wait()
        return False

    def end(self, fresh: Any) -> None:
        with self.lock:
            over, self.over = self.over, None
        if over is not None:
            over.set()


class Patient(Events):
    """Right: it waits with a timeout, again and again."""

    def begin(self, pair: Any) -> bool:
        with self.lock:
            if self.store.get() is not pair:
                return False
            if self.over is None:
                self.over = threading.Event()
                return True
            over = self.over
        while not over.wait(timeout=0.05):
            pass
        return False


class Nobody(Events):
    def begin(self, pair: Any) -> bool:
        return False


class Everybody(Events):
    def begin(self, pair: Any) -> bool:
        return True


class Silent(Events):
    """It wakes those who wait after a success only."""

    def end(self, fresh: Any) -> None:
        if fresh is not None:
            super().end(fresh)


class Forgetful(Events):
    """It does not ask what became of the token."""

    def begin(self, pair: Any) -> bool:
        with self.lock:
            if self.over is None:
                self.over = threading.Event()
                return True
            over = self.over
        over.wait()
        return False


class Once(Events):
    """It does not go back to the start after the first refresh."""

    def end(self, fresh: Any) -> None:
        if self.over is not None:
            self.over.set()


class Breaks(Events):
    def begin(self, pair: Any) -> bool:
        raise KeyError("eyJhbGciOi")


class TestSingleFlight:
    @pytest.mark.parametrize("right", [Held, Events, Patient, lambda store: Held(store)])
    def test_each_right_way_is_taken(self, right: Any) -> None:
        words = judge_single_flight(right)
        assert words == (
            "16 calls: 1 refresh and 16 answers. When the refresh was refused, "
            "16 times LoginRequired and nobody hung."
        )

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            (5, "`SingleFlight` is an int. It should be a class: `class SingleFlight:`."),
            (
                Nobody,
                "16 calls were refused and none refreshed: 16 calls refused.",
            ),
            (
                Everybody,
                "16 refreshes, 1 call refused, 15 errors. One call must refresh, and the others "
                "must wait in `begin` until `end` is called.",
            ),
            (
                Silent,
                "the refresh was refused: 1 refresh, 1 error, 15 calls that hang. `end(None)` "
                "must wake the waiting calls too.",
            ),
            (
                Forgetful,
                "one call was refused after the refresh had ended: 2 refreshes, 16 answers. Its "
                "token had been replaced meanwhile. Is `pair` still what the store holds?",
            ),
            (
                Once,
                "two expiries in a row, 16 calls each: 1 refresh, 16 answers, 16 calls refused; "
                "2 refreshes and 32 answers are wanted. Does `end` restore the initial "
                "state?",
            ),
            (
                Breaks,
                "in a call, your class raised KeyError: '***', at line "
                f"{Breaks.begin.__code__.co_firstlineno + 1} of your cell: `raise "
                'KeyError("***")`.',
            ),
        ],
    )
    def test_a_wrong_way_is_told_what_was_seen(self, wrong: Any, words: str) -> None:
        assert refusal(judge_single_flight, wrong) == words

    @pytest.mark.parametrize(
        ("source", "words"),
        [
            (
                """
                from jwt_course.lesson_05.strategies import CommonQueue

                class SingleFlight:
                    def __init__(self, store):
                        self.queue, self.store = CommonQueue(), store

                    def begin(self, pair):
                        return self.store.get() is pair and self.queue.begin(pair)

                    def end(self, fresh):
                        self.queue.end(fresh or object())
                """,
                "`SingleFlight` uses CommonQueue of jwt_course.lesson_05.strategies, which does",
            ),
            (
                """
                from client_widget.protocol.single_flight import SingleFlight as Ours

                class SingleFlight:
                    def __init__(self, store):
                        self.ours, self.store = Ours(), store

                    def begin(self, pair):
                        with self.ours.lock:
                            return self.store.get() is pair

                    def end(self, fresh):
                        pass
                """,
                "`SingleFlight` uses SingleFlight of client_widget.protocol.single_flight, which",
            ),
        ],
        ids=["the queue", "ours"],
    )
    def test_what_is_borrowed_is_told_so(self, source: str, words: str) -> None:
        assert refusal(judge_single_flight, cell(source)["SingleFlight"]).startswith(words)

    def test_an_answer_without_the_methods_is_named(self) -> None:
        assert refusal(judge_single_flight, lambda store: object()) == (
            "`SingleFlight` is a function, and it returned a value of type object, which has no "
            "method `begin`. Write a class."
        )

    def test_no_thread_is_left_of_one_that_hangs(self) -> None:
        refusal(judge_single_flight, Silent)
        assert [t.name for t in threading.enumerate() if t.name.startswith("caller")] == []


class TestWindow:
    @pytest.mark.parametrize(
        "right",
        [
            lambda life: life / 5 if life < 50 else 10.0,
            lambda life: min(10, life * 0.2),
            lambda life: sorted([10.0, life / 5])[0],
        ],
    )
    def test_each_right_way_is_taken(self, right: Any) -> None:
        assert judge_window(right) == (
            "A token of 5 s has a window of 1 s, and one of an hour has 10 s."
        )

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            (lambda lifetime: "10", "my_window(5) is the text '10'. Numbers stand without quotes."),
            (10, "`my_window` is an int. It should be a function: `def my_window(lifetime):`."),
            (
                lambda lifetime: 10,
                "my_window(5) returns 10 s: a new token is in its window at once, so every call "
                "refreshes.",
            ),
            (lambda lifetime: 0.2 * lifetime, "my_window(60) returns 12 s; 10 s is wanted."),
            (lambda lifetime: 0, "my_window(5) returns 0 s; 1 s is wanted."),
            (lambda lifetime: None, "my_window(5) is None instead of a number."),
        ],
    )
    def test_a_wrong_way_is_told_what_was_seen(self, wrong: Any, words: str) -> None:
        assert refusal(judge_window, wrong) == words

    @pytest.mark.parametrize(
        ("trick", "words"),
        [
            (
                refresh_window,
                "`my_window` uses refresh_window of client_widget.protocol.tokens, "
                "which does the work of this exercise. Write that part yourself.",
            ),
            (
                {**WINDOWS, 20: 4.0}.get,
                "my_window(",
            ),
            (lambda lifetime: AnyNumber(), "my_window(5) returns 0 s; 1 s is wanted."),
        ],
        ids=["ours", "a table", "a number that equals all"],
    )
    def test_a_trick_is_seen(self, trick: Any, words: str) -> None:
        assert refusal(judge_window, trick).startswith(words)


def test_the_story_tells_of_the_windows_and_of_the_refresh_in_one(
    server: DemoServer, log: EventLog, clock: DemoClock
) -> None:
    client = AuthClient(server.url, log=log, clock=clock, auth=partial(BearerAuth, clock=clock))
    client.register("ada", PASSWORD)
    client.login("ada", PASSWORD)
    for seconds in (49, 1):
        clock.advance(seconds)
        client.home()
    assert story(log).splitlines() == [
        "access token 1:   0 s to  60 s, window from 50 s",
        "access token 2:  50 s to 110 s, window from 100 s",
        "at  49 s: 200 for /home",
        "at  50 s: 200 for /refresh",
        "at  50 s: 200 for /home",
    ]


def test_a_library_that_is_missing_is_said_in_one_line_and_nothing_is_claimed_of_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(comparisons, "run_peer", lambda name, calls: None)
    monkeypatch.setattr(comparisons, "refreshes_of", lambda name, calls, lifetime: None)
    names = ["requests-oauthlib", "authlib", "google-auth", "botocore"]
    lines = [f"{name} is not installed, so it is left out: see the text below." for name in names]
    *_, g5, _, g7 = guesses()
    g5.reveal(compare_peers(2))
    assert capsys.readouterr().out.splitlines() == lines
    g7.reveal(compare_windows(60, 5))
    assert capsys.readouterr().out.splitlines() == lines
    g7.reveal(dict.fromkeys(names[1:], 5))
    assert capsys.readouterr().out == ""
    g7.reveal(dict.fromkeys(names, 5))
    assert capsys.readouterr().out.startswith("\nIt was 4, because")

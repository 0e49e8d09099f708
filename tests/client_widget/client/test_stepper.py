"""Step by step, against a real server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from client_widget import AuthClient, EventLog, Request, Stepper, TokenPair
from client_widget.protocol.auth_flow import with_bearer
from demo_server import DemoClock

from ...conftest import PASSWORD, pair_of


class Lesson:
    """A stepper, and calls that run while the test looks on."""

    def __init__(self, client: AuthClient) -> None:
        self._changed = threading.Condition()
        self.stepper = Stepper(self._notify)
        client.before_send = self.stepper
        self.stepper.on = True
        self._pool = ThreadPoolExecutor(8)

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def start(self, call: Callable[[], Any]) -> Future[Any]:
        return self._pool.submit(call)

    def held(self) -> Request:
        """The message that waits, once there is one."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.stepper.waiting is not None, timeout=20)
        message = self.stepper.waiting
        assert message is not None
        return message

    def step(self, change: Callable[[Request], Request] = lambda message: message) -> str:
        """Let the next message go; gives its purpose."""
        message = self.held()
        self.stepper.next(change(message))
        return message.purpose

    def close(self) -> None:
        self.stepper.on = False
        self._pool.shutdown()


@pytest.fixture
def lesson(ada: AuthClient) -> Iterator[Lesson]:
    lesson = Lesson(ada)
    yield lesson
    lesson.close()


def test_each_message_of_a_refresh_waits_for_its_turn(
    ada: AuthClient, clock: DemoClock, log: EventLog, lesson: Lesson
) -> None:
    clock.advance(61)
    before = len(log)
    call = lesson.start(ada.home)
    assert lesson.held().purpose == "call"
    assert len(log) == before  # nothing was sent, so nothing is told
    assert [lesson.step(), lesson.step(), lesson.step()] == ["call", "refresh", "retry"]
    assert call.result(timeout=20) == {"message": "Welcome ada"}
    assert lesson.stepper.waiting is None


def test_a_message_without_its_token_is_met_by_403_and_the_flow_goes_on(
    ada: AuthClient, log: EventLog, lesson: Lesson
) -> None:
    call = lesson.start(ada.home)
    lesson.step(lambda message: replace(message, headers={}, signed_with=None))
    assert [lesson.step(), lesson.step()] == ["refresh", "retry"]
    assert call.result(timeout=20) == {"message": "Welcome ada"}
    told = [event for event in log.action() if event.source == "client"]
    assert "kind" not in told[0].fields
    assert told[1].fields["error"] == "token_missing"


def test_another_token_is_sent_and_named_as_itself(
    ada: AuthClient, log: EventLog, lesson: Lesson
) -> None:
    pair = pair_of(ada)
    other = TokenPair(pair.refresh, pair.refresh)
    call = lesson.start(ada.home)
    lesson.step(lambda message: with_bearer(message, other))
    assert [lesson.step(), lesson.step()] == ["refresh", "retry"]
    assert call.result(timeout=20) == {"message": "Welcome ada"}
    sent, answer = (event for event in log.action()[:3] if event.source == "client")
    assert sent.fields["token"] == other.access_facts["token"]
    assert answer.fields["error"] == "token_invalid"


def test_nobody_else_waits(
    ada: AuthClient, clock: DemoClock, log: EventLog, lesson: Lesson
) -> None:
    """While ada's refresh is held, another client refreshes, and ada's other calls are held
    as messages and not by a lock."""
    other = AuthClient(ada.base_url, log=log, clock=clock, name="other")
    other.login("ada", PASSWORD)
    clock.advance(61)
    first = lesson.start(ada.home)
    lesson.step()
    assert lesson.held().purpose == "refresh"
    assert other.home() == {"message": "Welcome ada"}
    ada.logout()
    assert lesson.held().purpose == "refresh"
    lesson.stepper.on = False
    with pytest.raises(Exception, match="log in"):
        first.result(timeout=20)


def test_turned_off_it_lets_all_go(ada: AuthClient, clock: DemoClock, lesson: Lesson) -> None:
    clock.advance(61)
    calls = [lesson.start(ada.home) for _ in range(4)]
    lesson.held()
    lesson.stepper.on = False
    assert [call.result(timeout=20) for call in calls] == [{"message": "Welcome ada"}] * 4
    lesson.stepper.next()  # nothing waits: nothing happens
    assert ada.home() == {"message": "Welcome ada"}

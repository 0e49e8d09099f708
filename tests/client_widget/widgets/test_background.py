"""Background work when no thread can be started for a moment, and when it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from client_widget import AuthClient, EventLog, LoginPanel, LogView, TokenInspector, TourView
from client_widget.widgets.background import NoThread, Pulse, Workers, at_once, start_thread

from ...conftest import ShortOfThreads
from .buttons import log_in, pulses, until


def run_out(times: int = 1) -> Callable[[threading.Thread], bool]:
    """Refuses the next `times` threads that a view starts."""
    left = [times]

    def refuse(thread: threading.Thread) -> bool:
        ours = thread.name in {"pulse", "The step", "The token", "work"} or thread.name.startswith(
            ("The call", "ThreadPool")
        )
        left[0] -= ours
        return ours and left[0] >= 0

    return refuse


def test_only_a_thread_that_runs_is_returned(no_threads: ShortOfThreads) -> None:
    no_threads(run_out())
    with pytest.raises(NoThread, match="Try again"):
        start_thread("work", lambda: None)
    start_thread("work", lambda: None).join(timeout=20)


def test_a_pulse_beats_at_its_next_start(no_threads: ShortOfThreads) -> None:
    beats = threading.Semaphore(0)

    def step() -> bool:
        beats.release()
        return False

    pulse = Pulse(0.001, step)
    no_threads(run_out())
    pulse.start()
    assert not beats.acquire(timeout=0.01)
    pulse.start()
    assert beats.acquire(timeout=20)


def test_a_stopped_pulse_beats_no_more() -> None:
    beats: list[None] = []
    pulse = Pulse(600, lambda: bool(beats.append(None)))
    pulse.start()
    [thread] = pulses()
    pulse.stop()
    assert not thread.is_alive()
    pulse.start()
    assert beats == []


def test_nobody_waits_for_work_that_never_began(no_threads: ShortOfThreads) -> None:
    workers, done = Workers(), threading.Event()
    no_threads(run_out())
    with pytest.raises(NoThread):
        workers.start("work", done.set)
    workers.wait(20)
    workers.start("work", done.set)
    workers.wait(20)
    assert done.is_set()


def test_calls_at_once_all_return_or_the_lack_of_threads_is_raised(
    no_threads: ShortOfThreads,
) -> None:
    barrier = threading.Barrier(3)

    def together() -> int:
        return 7 * (barrier.wait(timeout=20) >= 0)

    assert at_once(3, together) == [7, 7, 7]
    no_threads(run_out())
    with pytest.raises(NoThread):
        at_once(3, lambda: 7)


def test_calls_at_once_leave_before_any_is_answered(ada: AuthClient, log: EventLog) -> None:
    begun: list[int] = []

    def late() -> str:
        begun.append(1)
        if len(begun) == 5:  # the other four would be answered by now
            sent = lambda: [e.name for e in log].count("request.sent") == 2 + 4  # noqa: E731
            until(sent)
        return str(ada.home()["message"])

    assert at_once(5, late) == ["Welcome ada"] * 5
    names = [event.name for event in log if event.source == "client"][5:]
    assert names == ["request.sent"] * 5 + ["response.received"] * 5


def test_a_call_that_ends_without_a_message_lets_the_others_go(ada: AuthClient) -> None:
    begun: list[int] = []

    def one_fails() -> str:
        begun.append(1)
        if len(begun) == 2:
            raise LookupError("before its message")
        return str(ada.home()["message"])

    with pytest.raises(LookupError):
        at_once(3, one_fails)


def test_rows_that_found_no_thread_come_with_the_next(
    log: EventLog, no_threads: ShortOfThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[int] = []
    monkeypatch.setattr(
        LogView,
        "send",
        lambda self, content, buffers=None: rows.extend(row["seq"] for row in content["rows"]),
    )
    view = LogView(AuthClient("http://127.0.0.1:1", log=log))
    no_threads(run_out())
    log.record("x", source="test")
    log.record("x", source="test")
    until(lambda: rows == [1, 2])
    no_threads(run_out())
    log.record("x", source="test")
    view.refresh()  # no further event comes
    until(lambda: rows == [1, 2, 3])
    view.close()


@pytest.mark.parametrize("label", ["Home", "5 × Home"])
def test_a_click_that_found_no_thread_says_so_and_works_again(
    panel: LoginPanel, label: str, no_threads: ShortOfThreads
) -> None:
    log_in(panel)
    no_threads(
        lambda thread: thread.name.startswith("ThreadPool" if label[0] == "5" else "The call")
    )
    panel.buttons[label].click()
    panel.wait()
    assert "cannot start a thread" in panel.notice.value
    assert not panel.buttons[label].disabled
    no_threads(lambda thread: False)
    panel.buttons[label].click()
    panel.wait()
    assert "Welcome ada" in panel.home.value


def test_a_step_that_found_no_thread_says_so_and_is_open(
    client: AuthClient, no_threads: ShortOfThreads
) -> None:
    view = TourView(client)
    no_threads(run_out())
    answer = next(iter(view.buttons.values()))
    answer.click()
    assert "cannot start a thread" in view.notice.value
    assert not answer.disabled
    answer.click()
    view.wait()
    assert "What happened" in view.outcome.value
    view.close()


def test_a_token_that_found_no_thread_is_sent_at_the_next_click(
    ada: AuthClient, no_threads: ShortOfThreads
) -> None:
    view = TokenInspector(ada)
    no_threads(run_out())
    view.buttons["Send as it is"].click()
    assert "cannot start a thread" in view.verdict.value
    view.buttons["Send as it is"].click()
    view.wait()
    assert "200 OK" in view.verdict.value
    view.close()

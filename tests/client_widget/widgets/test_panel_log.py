"""The panel's log: batches, snapshots and rows, with no browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from client_widget import AuthClient, EventLog
from client_widget.clock import time_of_day
from client_widget.log.headline import text_of
from client_widget.widgets.live_log import MAX_ROWS, LogView, row
from demo_server import DemoClock

from ...conftest import START
from .buttons import MARKUP, receive, until


class TestLogView:
    @pytest.fixture
    def sent(self, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        monkeypatch.setattr(
            LogView, "send", lambda self, content, buffers=None: messages.append(content)
        )
        return messages

    @pytest.fixture
    def view(self, log: EventLog, sent: list[dict[str, Any]]) -> Iterator[LogView]:
        view = LogView(AuthClient("http://127.0.0.1:1", log=log))
        yield view
        view.close()

    def test_events_come_in_batches_each_once(
        self, view: LogView, log: EventLog, sent: list[dict[str, Any]]
    ) -> None:
        for _ in range(500):
            log.record("x", source="test")
        until(lambda: sum(len(message["rows"]) for message in sent) >= 500)
        rows = [row["seq"] for message in sent for row in message["rows"]]
        assert rows == list(range(1, 501))
        assert {message["type"] for message in sent} == {"rows"}
        assert len(sent) < 100

    def test_a_view_that_says_hello_gets_all_rows(
        self, view: LogView, log: EventLog, sent: list[dict[str, Any]]
    ) -> None:
        for _ in range(MAX_ROWS + 5):
            log.record("x", source="test")
        until(lambda: bool(sent) and sent[-1]["rows"][-1]["seq"] == MAX_ROWS + 5)
        sent.clear()
        for _ in range(2):  # the page is reloaded
            receive(view, {"type": "hello"})
        for message in sent:
            assert message["type"] == "reset"
            assert [row["seq"] for row in message["rows"]] == list(range(6, MAX_ROWS + 6))
        assert len(sent) == 2

    def test_a_batch_has_the_headlines_of_the_stories_that_it_changes(
        self, view: LogView, log: EventLog, sent: list[dict[str, Any]]
    ) -> None:
        about = {"correlation": "a", "method": "GET", "path": "/home", "purpose": "call"}
        log.record("request.sent", source="client", **about)
        until(lambda: len(sent) == 1)
        log.record("response.received", source="client", status=200, elapsed=0.003, **about)
        until(lambda: len(sent) == 2)
        log.record("clock.advanced", source="panel", seconds=61)  # no story of several rows
        until(lambda: len(sent) == 3)
        told = [
            {action: text_of(parts) for action, parts in message["stories"].items()}
            for message in sent
        ]
        assert told == [
            {"a": "GET /home: … · 1 request"},
            {"a": "GET /home: 200 · 1 request · 3 ms"},
            {},
        ]

    def test_rows_have_the_numbers_of_the_flow(
        self, ada: AuthClient, clock: DemoClock, log: EventLog, sent: list[dict[str, Any]]
    ) -> None:
        """The view is made when the log has calls already, and then shown again."""
        view = LogView(ada)
        clock.advance(61)
        ada.home()
        until(lambda: bool(sent) and sent[-1]["rows"][-1]["seq"] == len(log))
        rows = [row for message in sent for row in message["rows"] if row["from"] != "clock"]
        assert {row["call"] for row in rows} == {3}
        assert "#3 GET /home" in log.to_svg(log.action()[0].correlation)
        receive(view, {"type": "hello"})
        calls = [row["call"] for row in sent[-1]["rows"] if "call" in row]
        assert sorted(set(calls)) == [1, 2, 3]
        assert calls == sorted(calls)
        view.close()

    def test_a_flood_leaves_the_numbers_right(
        self, view: LogView, log: EventLog, sent: list[dict[str, Any]]
    ) -> None:
        for number in range(3 * MAX_ROWS):
            log.record("request.sent", source="x", correlation=f"{number}", purpose="call",
                       method="GET", path="/")  # fmt: skip
        until(lambda: bool(sent) and sent[-1]["rows"][-1]["seq"] == 3 * MAX_ROWS)
        assert all(row["call"] == row["seq"] for message in sent for row in message["rows"])

    def test_a_row_is_plain_text(self, view: LogView, log: EventLog) -> None:
        log.record(
            "response.received",
            source="client",
            correlation="a1",
            method="GET",
            path="/home",
            status=403,
            message=MARKUP,
            elapsed=0.0031,
        )
        sent: list[Any] = []
        view.send = lambda content, buffers=None: sent.append(content)  # type: ignore[method-assign]
        receive(view, {"type": "hello"})
        [row] = sent[0]["rows"]
        assert row == {
            "seq": 1,
            "time": time_of_day(START),
            "from": "server",
            "to": "client",
            "story": "a1",
            "tone": "bad",
            "status": 403,
            "text": f"Forbidden for GET /home: {MARKUP}",
            "ms": 3,
        }

    def test_an_opened_row_shows_its_message_and_reveals_its_token_only_when_asked(
        self, ada: AuthClient, log: EventLog, sent: list[dict[str, Any]]
    ) -> None:
        pair = ada.store.get()
        assert pair is not None
        ada.home()
        view = LogView(ada)
        seq = next(event.seq for event in log.action())
        for reveal in (False, True):
            receive(view, {"type": "open", "seq": seq, "reveal": reveal})
        masked, revealed = sent
        assert (masked["seq"], masked["revealed"], revealed["revealed"]) == (seq, False, True)
        assert list(masked["parts"]) == ["Message", "Token", "cURL"]
        assert pair.access not in repr(masked)
        for title in ("Message", "cURL"):
            assert f"Authorization: Bearer {pair.access}" in revealed["parts"][title]
        assert pair.access not in repr(view.get_state())
        receive(view, {"type": "open", "seq": 10_000})
        assert sent[-1]["parts"] == {"Event": "The log is full and has dropped this event."}
        view.close()

    def test_the_log_is_saved_with_its_tokens_masked(
        self, ada: AuthClient, log: EventLog, sent: list[dict[str, Any]]
    ) -> None:
        pair = ada.store.get()
        assert pair is not None
        view = LogView(ada)
        for format_ in ("jsonl", "har"):
            receive(view, {"type": "save", "format": format_, "view": "v"})
        assert [(m["type"], m["name"], m["view"]) for m in sent] == [
            ("file", "event-log.jsonl", "v"),
            ("file", "event-log.har", "v"),
        ]
        assert sent[0]["text"] == log.to_jsonl()
        assert pair.access not in repr(sent)
        view.close()

    def test_no_row_is_in_what_is_saved(self, view: LogView, log: EventLog) -> None:
        log.record("x", source="test", username="a name to look for")
        assert "a name to look for" not in repr(view.get_state())


def test_a_row_has_only_what_applies(log: EventLog) -> None:
    """Thousands of rows may be on their way."""
    event = log.record("clock.advanced", source="panel", seconds=61)
    assert row(event) == {
        "seq": 1,
        "time": time_of_day(START),
        "from": "panel",
        "text": "the clock moved by 61 s",
    }


def test_calls_at_once_are_one_story(log: EventLog) -> None:
    for call in ("a.1", "a.2", "b"):
        log.record("x", source="test", correlation=call)
    assert [row(event)["story"] for event in log] == ["a", "a", "b"]

"""Logs as files: what `to_jsonl`, `to_har` and a browser write, read again and drawn."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from client_widget import (
    AuthClient,
    DiagramView,
    EventLog,
    LoginRequired,
    LogView,
    TokenTimeline,
    Trace,
    TraceError,
    describe,
)
from client_widget.log.details import details
from client_widget.log.har import to_har
from client_widget.log.masking import mask_token
from client_widget.log.token_lives import spans
from client_widget.log.trace_file import MAX_EVENT, MAX_FILE
from demo_server import DemoClock

#: Recorded with Chromium's network panel from the front end of a server with tokens of 3 and 8
#: seconds; each token and the password is a placeholder.
CHROMIUM = (Path(__file__).parent / "traces" / "chromium.har").read_text(encoding="utf-8")

ANOTHER_SECRET = "hunter2 hunter2 hunter2"


def jwt(kind: str, iat: int) -> str:
    """An unsigned token of the recorded server."""
    claims = {"username": "ada", "iat": iat, "exp": iat + (3 if kind == "access" else 8)}
    parts = ({"alg": "HS256"}, claims)
    encoded = (base64.urlsafe_b64encode(json.dumps(p).encode()).decode().strip("=") for p in parts)
    return ".".join([*encoded, f"c2lnbmF0dXJl{kind}"])


def recorded() -> str:
    """The browser's file as it was, with tokens and a password in it."""
    text = re.sub(r"<(access|refresh) (\d+)>", lambda m: jwt(m[1], int(m[2])), CHROMIUM)
    return text.replace("<password>", ANOTHER_SECRET)


@pytest.fixture
def lived(ada: AuthClient, log: EventLog, clock: DemoClock) -> EventLog:
    """A log with a refresh, a session that ended, and a name that needs care."""
    clock.advance(61)
    ada.home()
    clock.advance(301)
    with pytest.raises(LoginRequired):
        ada.home()
    ada.register('<b>"Łukasz"', "a pass phrase $2b$ that looks like a hash")
    return log


def drawn(trace: EventLog) -> list[str]:
    """All that can be made of a log."""
    watched = trace if isinstance(trace, Trace) else AuthClient("http://x", log=trace)
    views = [LogView(watched), DiagramView(watched), TokenTimeline(watched)]
    pictures = [view.to_svg() for view in views]
    for view in views:
        view.close()
    texts = [trace.to_svg(), trace.to_svg(apart=True), trace.to_mermaid(), trace.to_jsonl()]
    told = [text for event in trace for text in details(event, "http://x", no_token, True).values()]
    return [*pictures, *texts, to_har(list(trace), "http://127.0.0.1:1"), *told]


def no_token(fingerprint: str) -> None:
    return None


class TestJsonLines:
    def test_the_same_log_comes_back(self, lived: EventLog, tmp_path: Path) -> None:
        text = lived.to_jsonl()
        path = tmp_path / "trace.jsonl"
        path.write_text(text, encoding="utf-8")
        for source in (text, path, str(path)):
            trace = EventLog.from_jsonl(source)
            assert (trace.to_jsonl(), list(trace), trace.skipped) == (text, list(lived), 0)
        assert [trace.call_number(event) for event in trace] == [
            lived.call_number(event) for event in lived
        ]
        assert trace.action() == lived.action()
        assert drawn(trace)[3:] == drawn(lived)[3:]
        assert drawn(trace)[:2] == drawn(lived)[:2]

    def test_a_bounded_log_comes_back_with_what_it_dropped(self) -> None:
        log = EventLog(limit=2)
        for name in ("a", "b", "c"):
            log.record(name, source="client", correlation=name)
        trace = EventLog.from_jsonl(log.to_jsonl())
        assert (trace.dropped, len(trace)) == (1, 2)

    def test_an_empty_log_comes_back(self) -> None:
        trace = EventLog.from_jsonl(EventLog().to_jsonl())
        assert (len(trace), trace.skipped, trace.clock()) == (0, 0, 0.0)
        assert drawn(trace)

    def test_nothing_is_recorded_into_it(self, lived: EventLog) -> None:
        trace = EventLog.from_jsonl(lived.to_jsonl())
        with pytest.raises(TraceError, match="read from a file"):
            trace.record("request.sent", source="client")
        with pytest.raises(TraceError):
            trace.emitter("client")("request.sent")
        assert len(trace) == len(lived)

    def test_its_clock_shows_the_last_event(self, lived: EventLog, clock: DemoClock) -> None:
        assert EventLog.from_jsonl(lived.to_jsonl()).clock() == clock()

    def test_an_opaque_secret_is_masked_by_the_name_of_its_field(self) -> None:
        """As in a log of another tool. The lab's own logs hold none."""
        fields = {
            "method": "POST",
            "path": "/login?code=s3cret#s3cret",
            "purpose": "call",
            "headers": {"Authorization": "Bearer s3cret", "Cookie": "sid=s3cret"},
            "body": '{"user": "ada", "password": "s3cret", "token": "s3cret"}',
            "client_secret": "s3cret",
        }
        [read] = EventLog.from_jsonl(line(name="request.sent", fields=fields))
        token = mask_token("s3cret")
        assert read.fields == {
            "method": "POST",
            "path": "/login",
            "purpose": "call",
            "headers": {"Authorization": f"Bearer {token}", "Cookie": "***"},
            "body": f'{{"user":"ada","password":"***","token":"{token}"}}',
            "client_secret": "***",
        }

    def test_a_secret_that_someone_wrote_into_it_is_masked(self) -> None:
        token = jwt("access", 1)
        fields = {"body": f"{{{token}}}", "headers": {"Authorization": token}, "other": [token]}
        trace = EventLog.from_jsonl(line(fields={**MESSAGE, **fields}))
        assert len(trace) == 1
        assert token not in "".join(drawn(trace))
        assert mask_token(token) in trace.to_jsonl()


MESSAGE = {"method": "GET", "path": "/home", "purpose": "call", "headers": {}, "body": ""}
ANSWER = {**MESSAGE, "status": 200, "elapsed": 0.1}


def line(**changes: Any) -> str:
    """One event as JSON, with other values."""
    whole = {"seq": 1, "at": 1.8e9, "source": "client", "name": "request.sent"}
    event = {**whole, "correlation": "c1", "fields": MESSAGE, **changes}
    return json.dumps(event) + "\n"


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


#: What is no event, or one that no view could draw.
BROKEN = {
    "cut off": line()[:-20],
    "no JSON": "hello there\n",
    "no object": "[1, 2]\n",
    "a number": "7\n",
    "nested deep": f'{{"seq": 1, "fields": {nested(100_000)}}}\n',
    "nested in a field": line().replace('"body": ""', f'"other": {nested(600)}'),
    "longer than an event": line(fields={**MESSAGE, "body": "x" * MAX_EVENT}),
    "half a character": line(fields={**MESSAGE, "body": "\ud800"}),
    "a seq in words": line(seq="first"),
    "a true seq": line(seq=True),
    "no seq": line(seq=0),
    "no time": line(at=None),
    "an endless time": line(at=float("inf")),
    "a time that is no number": line(at=float("nan")),
    "a long number": line().replace("1800000000.0", "9" * 5000),
    "no name": line(name=""),
    "a name that is a list": line(name=[]),
    "a correlation that is a list": line(correlation=["a"]),
    "no fields": line(fields=None),
    "fields in a list": line(fields=["path"]),
    "a field with the name of what is none": line(fields={**MESSAGE, "source": "a"}),
    "no path": line(fields={"method": "GET", "purpose": "call", "headers": {}, "body": ""}),
    "headers in a list": line(fields={**MESSAGE, "headers": ["a"]}),
    "a header that is no text": line(fields={**MESSAGE, "headers": {"Host": 1}}),
    "a body that is no text": line(fields={**MESSAGE, "body": {"a": 1}}),
    "a status in words": line(name="response.received", fields={**ANSWER, "status": "ok"}),
    "a status that HTTP does not have": line(
        name="response.received", fields={**ANSWER, "status": 7}
    ),
    "an exp in words": line(fields={**MESSAGE, "exp": "tomorrow"}),
    "a token that is a list": line(fields={**MESSAGE, "token": []}),
    "tokens without their names": line(name="session.started", fields={"username": "ada"}),
    "a move of no length": line(name="clock.advanced", fields={}),
}


class TestBrokenLines:
    @pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
    def test_a_broken_line_is_skipped_and_counted(self, broken: str) -> None:
        trace = EventLog.from_jsonl(broken + "\n" + line(seq=2))
        assert (len(trace), trace.skipped) == (1, 1)
        assert drawn(trace)

    @pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
    def test_a_file_of_nothing_else_is_no_log(self, broken: str) -> None:
        with pytest.raises(TraceError, match="none is an event"):
            EventLog.from_jsonl(broken + "\n")

    def test_an_event_that_comes_again_is_skipped(self) -> None:
        trace = EventLog.from_jsonl(line(seq=2) + line(seq=2) + line(seq=1) + line(seq=3))
        assert ([event.seq for event in trace], trace.skipped) == ([2, 3], 2)

    @pytest.mark.parametrize("text", ["<script>alert(1)</script>", "\u202egnp", "a\nb", "x" * 999])
    def test_a_hostile_text_is_drawn_as_text(self, text: str) -> None:
        fields = {**MESSAGE, "path": text, "method": text, "body": text, text: text}
        trace = EventLog.from_jsonl(line(source=text, correlation=text, fields=fields))
        pictures = drawn(trace)[:5]
        assert len(trace) == 1
        assert not any("<script>" in picture or "\u202e" in picture for picture in pictures)
        assert EventLog.from_jsonl(line(name=text, fields={text: text}))


@pytest.mark.parametrize("read", [EventLog.from_jsonl, EventLog.from_har])
class TestBrokenFiles:
    def test_a_file_that_is_not_there(self, read: Callable[..., Trace], tmp_path: Path) -> None:
        for path in (tmp_path / "nowhere", tmp_path, "nowhere\0"):
            with pytest.raises(TraceError, match="cannot be read"):
                read(path)

    def test_a_file_that_is_no_text(self, read: Callable[..., Trace], tmp_path: Path) -> None:
        path = tmp_path / "trace"
        path.write_text(line(), encoding="utf-16")
        with pytest.raises(TraceError, match="UTF-8"):
            read(path)

    def test_a_file_that_is_too_large(self, read: Callable[..., Trace], tmp_path: Path) -> None:
        path = tmp_path / "trace"
        with path.open("wb") as file:
            file.truncate(100_000_000)
        with pytest.raises(TraceError, match="32 MB"):
            read(path)
        with pytest.raises(TraceError, match="32 MB"):
            read("{" + " " * MAX_FILE)


def told(trace: EventLog) -> list[str]:
    return [describe(event) for event in trace]


class TestHar:
    def test_a_browsers_file_tells_the_whole_story(self, tmp_path: Path) -> None:
        path = tmp_path / "network.har"
        path.write_text(recorded(), encoding="utf-8")
        trace = EventLog.from_har(path)
        assert {event.source for event in trace} == {"browser"}
        assert trace.skipped == 0
        assert [
            (event.name, event.fields["purpose"], event.fields["path"], event.fields.get("status"))
            for event in trace
            if event.name.startswith("re")
        ] == [
            ("request.sent", "call", "/users/register", None),
            ("response.received", "call", "/users/register", 201),
            ("request.sent", "call", "/users/login", None),
            ("response.received", "call", "/users/login", 201),
            ("request.sent", "call", "/home", None),
            ("response.received", "call", "/home", 200),
            ("request.sent", "call", "/home", None),
            ("response.received", "call", "/home", 403),
            ("request.sent", "refresh", "/refresh", None),
            ("response.received", "refresh", "/refresh", 200),
            ("request.retried", "retry", "/home", None),
            ("response.received", "retry", "/home", 200),
            ("request.sent", "call", "/home", None),
            ("response.received", "call", "/home", 403),
            ("request.sent", "refresh", "/refresh", None),
            ("response.received", "refresh", "/refresh", 403),
        ]
        assert "ada is logged in, and both tokens are stored" in told(trace)
        assert any("a new access token is stored" in each for each in told(trace))
        lives = [(bar.kind, bar.exp - bar.iat) for bar in spans(trace).tokens]
        assert lives == [("access", 3), ("refresh", 8), ("access", 3)]

    def test_its_secrets_are_masked_when_it_is_read(self) -> None:
        text = recorded()
        secrets = {ANOTHER_SECRET, *re.findall(r"eyJ[\w.-]+", text)}
        assert len(secrets) == 4
        trace = EventLog.from_har(text)
        made = "".join(drawn(trace)) + repr(list(trace))
        assert not any(secret in made for secret in secrets)
        assert all(mask_token(each) in made for each in secrets - {ANOTHER_SECRET})

    def test_our_own_file_comes_back(self, lived: EventLog) -> None:
        har = to_har(list(lived), "http://127.0.0.1:1")
        trace = EventLog.from_har(har)
        messages = ("request.sent", "request.retried", "response.received")

        def story(log: EventLog) -> list[object]:
            return [
                (e.name, e.correlation, e.fields["path"], e.fields["purpose"], e.fields["body"])
                for e in log
                if e.name in messages
            ]

        assert sorted(story(trace), key=str) == sorted(story(lived), key=str)
        tokens = [e.fields.get("token") for e in trace if e.name in messages]
        assert set(tokens) == {e.fields.get("token") for e in lived if e.name in messages}
        assert trace.base_url == "http://127.0.0.1:1"

    def test_without_ids_the_order_decides(self) -> None:
        entries = [
            entry(1, "GET", "/home", 403),
            entry(2, "GET", "/home", 403),
            entry(3, "POST", "/refresh", 200),
            entry(4, "GET", "/home", 200),
            entry(5, "GET", "/home", 200),
            entry(6, "GET", "/home", 200),
        ]
        trace = EventLog.from_har(har(*entries))
        sent = [e for e in trace if e.name.startswith("request.")]
        assert [(e.correlation, e.fields["purpose"]) for e in sent] == [
            ("har-1", "call"),
            ("har-2", "call"),
            ("har-2", "refresh"),
            ("har-1", "retry"),
            ("har-2", "retry"),
            ("har-6", "call"),
        ]

    def test_a_message_without_an_answer_has_failed(self) -> None:
        trace = EventLog.from_har(har(entry(1, "GET", "/home", 0)))
        assert told(trace)[-1] == "GET /home failed: no response"

    @pytest.mark.parametrize(
        "text",
        [
            recorded()[:5000],
            "{",
            '{"log": {}}',
            '{"log": {"entries": {}}}',
            "[]\n",
            '{"log": ' + nested(100_000),
        ],
    )
    def test_half_a_file_is_none(self, text: str) -> None:
        with pytest.raises(TraceError, match="not a whole HAR file"):
            EventLog.from_har(text)

    @pytest.mark.parametrize(
        "broken",
        [
            7,
            {},
            {"request": None},
            {"request": {"url": "data:,x"}},
            {"response": {"status": "200", "headers": []}},
            {"startedDateTime": "yesterday"},
            {"time": "long"},
            {"response": {"status": 200, "headers": [{"name": 1}]}},
        ],
    )
    def test_a_broken_message_is_skipped_and_counted(self, broken: Any) -> None:
        if isinstance(broken, dict) and broken:
            broken = {**entry(1, "GET", "/home", 200), **broken}
        trace = EventLog.from_har(har(broken, entry(2, "GET", "/home", 200)))
        assert (len(trace), trace.skipped) == (2, 1)

    def test_an_id_that_is_a_token_is_none(self) -> None:
        token = jwt("access", 1)
        trace = EventLog.from_har(har(entry(1, "GET", "/home", 200, id=token)))
        assert [event.correlation for event in trace] == ["har-1", "har-1"]
        assert token not in "".join(drawn(trace))


def entry(second: int, method: str, path: str, status: int, id: str = "") -> dict[str, Any]:
    """A message of a HAR file, with no more than the standard asks for."""
    headers = [{"name": "X-Request-ID", "value": id}] if id else []
    return {
        "startedDateTime": f"2026-11-28T12:00:{second:02}.000Z",
        "time": 5,
        "request": {"method": method, "url": f"http://127.0.0.1:1{path}", "headers": headers},
        "response": {"status": status, "headers": []},
    }


def har(*entries: Any) -> str:
    return json.dumps({"log": {"version": "1.2", "entries": entries}})

"""`EventLog` and the words for its events."""

from __future__ import annotations

import dis
import gc
import json
import linecache
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from client_widget import AuthClient, Event, EventLog, LoginRequired, TraceError, describe
from client_widget.clock import time_of_day
from client_widget.log import event_log
from client_widget.log.event_text import tone
from demo_server import DemoClock

from ...conftest import PASSWORD, START, in_threads


def test_an_event_is_a_fact_that_does_not_change(log: EventLog) -> None:
    event = log.record("token.issued", source="server", correlation="a1", kind="access")
    assert event == Event(1, START, "server", "token.issued", "a1", {"kind": "access"})
    with pytest.raises(AttributeError):
        event.name = "x"  # type: ignore[misc]
    with pytest.raises(TypeError):
        event.fields["kind"] = "x"  # type: ignore[index]


def test_events_have_the_logs_clock_and_count_from_1(log: EventLog, clock: DemoClock) -> None:
    log.record("one", source="a")
    clock.advance(61)
    log.record("two", source="b")
    assert [(e.seq, e.at - START, e.name) for e in log] == [
        *[(1, 0, "one"), (2, 61, "clock.advanced"), (3, 61, "two")]
    ]


def test_a_move_of_a_clock_is_recorded_once(log: EventLog, clock: DemoClock) -> None:
    another = DemoClock(start=START, rate=0)
    for each in (clock, another, another, time.time):
        log.follow(each)
    clock.advance(61)
    another.advance(-1)
    assert [(e.source, e.name, dict(e.fields)) for e in log] == [
        ("clock", "clock.advanced", {"seconds": 61}),
        ("clock", "clock.advanced", {"seconds": -1}),
    ]


def test_a_clock_does_not_keep_a_log_alive(clock: DemoClock) -> None:
    log = EventLog(clock=clock)
    gone = weakref.ref(log)
    del log
    gc.collect()
    assert gone() is None
    clock.advance(1)


def test_calls_are_numbered_from_the_first_ever_recorded(clock: DemoClock) -> None:
    log = EventLog(clock=clock, limit=2)
    first = log.record("request.sent", source="a", purpose="call")
    log.record("request.sent", source="a", purpose="refresh")
    second = log.record("request.sent", source="a", purpose="call")
    assert log.call_number(second) == 2
    assert log.call_number(first) == 0  # dropped


def test_the_events_of_a_call_have_its_number(clock: DemoClock) -> None:
    log = EventLog(clock=clock, limit=6)
    for correlation in "ab":
        log.record("request.sent", source="client", correlation=correlation, purpose="call")
    log.record("token.accepted", source="server", correlation="a")
    log.record("request.sent", source="client", correlation="a", purpose="refresh")
    log.record("clock.advanced", source="clock")
    log.record("button.pressed", source="panel", correlation="c")
    assert [log.call_number(event) for event in log] == [1, 2, 1, 1, 0, 0]
    late = log.record("token.accepted", source="server", correlation="a")
    assert log.call_number(late) == 0  # its call was dropped


def test_a_full_log_forgets_its_oldest_and_counts_them(clock: DemoClock) -> None:
    log = EventLog(clock=clock, limit=3)
    for number in range(5):
        log.record(f"event {number}", source="a")
    assert [e.seq for e in log] == [3, 4, 5]
    assert (len(log), log.dropped) == (3, 2)
    with pytest.raises(ValueError, match="limit"):
        EventLog(limit=0)


def test_an_emitter_takes_any_field_and_the_correlation(log: EventLog) -> None:
    log.emitter("server")("user.registered", correlation="a1", username="ada", path="/x")
    [event] = log
    assert (event.source, event.correlation) == ("server", "a1")
    assert event.fields == {"username": "ada", "path": "/x"}


def test_a_subscriber_is_told_until_it_leaves(log: EventLog) -> None:
    told: list[Event] = []
    leave = log.subscribe(told.append)
    first = log.record("one", source="a")
    leave()
    log.record("two", source="a")
    assert told == [first]


def test_a_subscriber_may_be_told_what_happened_before(log: EventLog) -> None:
    told: list[Event] = []
    log.record("one", source="a")
    log.subscribe(told.append, replay=True)
    log.record("two", source="a")
    assert told == list(log)


def test_a_broken_subscriber_breaks_nothing(
    log: EventLog, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Event] = []

    def broken(event: Event) -> None:
        raise RuntimeError("no")

    log.subscribe(broken)
    log.subscribe(told.append)
    event = log.record("one", source="a")
    assert told == [event]
    assert [record.message for record in caplog.records] == ["A subscriber failed on one"]


def test_a_subscriber_may_read_the_log(log: EventLog) -> None:
    lengths: list[int] = []
    log.subscribe(lambda event: lengths.append(len(list(log))))
    log.record("one", source="a")
    log.record("two", source="a")
    assert lengths == [1, 2]


@pytest.mark.usefixtures("frequent_switches")
def test_threads_record_without_a_gap_and_in_order(clock: DemoClock) -> None:
    log = EventLog(clock=clock, limit=2_000)
    told: list[Event] = []
    log.subscribe(told.append)
    names = iter("abcdefgh")

    def work() -> None:
        name = next(names)
        for number in range(500):
            log.record("request.sent", source="a", correlation=f"{name}.{number % 2}", n=number)

    in_threads(8, work)
    assert [event.seq for event in told] == list(range(1, 4_001))
    assert list(log) == told[2_000:]
    assert [log.call_number(event) for event in log] == list(range(2_001, 4_001))
    for name in "abcdefgh":
        mine = [event for event in told if (event.correlation or "").startswith(name)]
        assert [event.fields["n"] for event in mine] == list(range(500))
        assert log.action(name) == [event for event in mine if event.seq > 2_000]


@pytest.fixture
def frequent_switches() -> Iterator[None]:
    """Let threads take turns after a few bytecodes."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_an_iteration_is_a_snapshot(log: EventLog) -> None:
    log.record("one", source="a")
    for _ in log:
        log.record("more", source="a")
    assert len(log) == 2


def test_an_action_is_what_one_correlation_id_holds(log: EventLog) -> None:
    assert log.action() == []
    one = log.record("one", source="a", correlation="x")
    two = log.record("two", source="a", correlation="y")
    three = log.record("three", source="b", correlation="x")
    log.record("alone", source="b")
    assert log.action() == [one, three]
    assert log.action("y") == [two]
    assert log.action("z") == []


class Id(str):
    """A correlation id that counts how often it is compared, and that a weak reference can hold."""

    __slots__ = ("__weakref__",)
    __hash__ = str.__hash__
    compared = 0

    def __eq__(self, other: object) -> bool:
        Id.compared += 1
        return str.__eq__(self, other)


def test_the_last_action_costs_the_same_in_a_long_log(log: EventLog) -> None:
    for number in range(5_000):
        log.record("one", source="a", correlation=Id(number))
        log.record("alone", source="a")
    Id.compared = 0
    assert [event.correlation for event in log.action()] == ["4999"]
    assert [event.seq for event in log.action(Id(7))] == [15]
    assert Id.compared < 10


def test_a_full_log_forgets_the_actions_of_dropped_events() -> None:
    log = EventLog(limit=3)
    first, long = Id("first"), Id("long")
    gone = weakref.ref(first)
    for correlation in (first, long, long, first):
        log.record("one", source="a", correlation=correlation)
    assert [event.seq for event in log.action("first")] == [4]
    del first, correlation
    log.record("two", source="a", correlation=long, thing=(thing := Id("field")))
    held = weakref.ref(thing)
    del thing
    for _ in range(2):
        log.record("three", source="a", correlation=long)
    assert gone() is None
    assert log.action("first") == []
    assert log.action() == log.action("long") == list(log)
    log.record("alone", source="a")
    assert held() is None
    for _ in range(2):
        log.record("alone", source="a")
    assert log.action() == log.action("long") == []


def test_an_interrupt_at_any_moment_leaves_the_log_usable() -> None:
    at, interrupted = 0, True
    while interrupted:
        log, told = EventLog(limit=3), list[int]()
        for correlation in ("old", "x", "x.1"):
            log.record("request.sent", source="a", correlation=correlation)
        log.subscribe(lambda event, told=told: told.append(event.seq))  # type: ignore[misc]
        at += 1
        interrupted = _interrupted(log, at)
        last = max(event.seq for event in log)
        # Another thread finds the lock free, and its event is the next.
        thread = threading.Thread(target=log.record, args=["next"], daemon=True,
                                  kwargs={"source": "b", "correlation": "x"})  # fmt: skip
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
        events = list(log)
        assert [event.seq for event in events] == [last - 1, last, last + 1]
        assert (told[-1], log.dropped) == (last + 1, last - 2)
        # The index says the same as the log.
        assert log.action() == [e for e in events if e.correlation in ("x", "x.1")]
        assert log.action("new") == [e for e in events if e.correlation == "new"]
        assert log.action("old") == []
        assert [log.call_number(event) for event in events[:-1]] == [last - 1, last]
    assert at > 10


def _interrupted(log: EventLog, at: int) -> bool:
    """Record an event with Ctrl-C at the n-th moment; whether there is such a moment.

    Python handles a signal when a function begins, after a call and after a jump back; but not
    between the two calls of `with`, where the lock is taken, and the beginning of its block.
    """
    before: dict[FrameType, str] = {}
    moments = 0

    def trace(frame: FrameType, what: str, _: object) -> Any:
        nonlocal moments
        if frame.f_code.co_filename != event_log.__file__:
            return None
        frame.f_trace_opcodes = True
        if what == "opcode":
            last = before.get(frame, "")
            before[frame] = dis.opname[frame.f_code.co_code[frame.f_lasti]]
            source = linecache.getline(event_log.__file__, frame.f_lineno)
            if last.startswith(("RESUME", "CALL", "JUMP_BACKWARD")) and "with self." not in source:
                moments += 1
                if moments == at:
                    sys.settrace(None)
                    raise KeyboardInterrupt
        return trace

    sys.settrace(trace)
    try:
        log.record("request.sent", source="a", correlation="new")
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(None)
    return False


def test_jsonl_holds_every_event_on_a_line(ada: AuthClient, log: EventLog) -> None:
    lines = log.to_jsonl().splitlines()
    assert [json.loads(line) for line in lines] == [event.as_dict() for event in log]
    assert EventLog().to_jsonl() == ""


def test_each_step_of_an_expiry_in_words(ada: AuthClient, clock: DemoClock, log: EventLog) -> None:
    clock.advance(61)
    ada.home()
    assert [(tone(event), describe(event)) for event in log.action()] == [
        ("plain", "GET /home with the access token (expired 1 s ago)"),
        ("late", "/home: access token rejected: expired 1 s ago"),
        ("bad", "403 Forbidden for GET /home: The access token has expired"),
        ("late", "the access token expired 1 s ago"),
        ("plain", "POST /refresh with the refresh token (239 s left)"),
        ("good", "/refresh: refresh token accepted (239 s left)"),
        ("good", "/refresh: access token issued, valid for 60 s"),
        ("good", "200 OK for POST /refresh"),
        ("good", "a new access token is stored (60 s left)"),
        ("plain", "GET /home again, with the access token (60 s left)"),
        ("good", "/home: access token accepted (60 s left)"),
        ("good", "200 OK for GET /home"),
    ]


def test_the_end_of_a_session_in_words(ada: AuthClient, clock: DemoClock, log: EventLog) -> None:
    clock.advance(301)
    with pytest.raises(LoginRequired):
        ada.home()
    assert [(tone(event), describe(event)) for event in log.action()][4:] == [
        ("plain", "POST /refresh with the refresh token (expired 1 s ago)"),
        ("late", "/refresh: refresh token rejected: expired 1 s ago"),
        ("bad", "403 Forbidden for POST /refresh: The refresh token has expired"),
        ("bad", "the session has ended: the refresh was refused, so log in again"),
    ]


@pytest.mark.parametrize(
    ("name", "fields", "words"),
    [
        ("clock.advanced", {"seconds": 61}, "the clock moved by 61 s"),
        ("server.started", {"server": "demo"}, "the demo server has started"),
        ("server.stopped", {"server": "demo"}, "the server demo has stopped"),
        (
            "server.failed",
            {"detail": "KeyError", "path": "/home"},
            "/home: internal server error: KeyError",
        ),
        (
            "request.failed",
            {"method": "GET", "path": "/home", "reason": "no connection"},
            "GET /home failed: no connection",
        ),
        (
            "request.refused",
            {"path": "/x", "reason": "route_unknown"},
            "/x: refused: there is no such route",
        ),
        ("token.refused", {"reason": "token_invalid"}, None),
        ("token.expired", {}, "the access token has expired"),
        ("something.new", {"a": 1}, "something.new a=1"),
        (
            "response.received",
            {"method": "GET", "path": "/", "status": 799},
            "799 for GET /",
        ),
    ],
)
def test_rarer_events_in_words(
    log: EventLog, name: str, fields: dict[str, Any], words: str | None
) -> None:
    sentence = describe(log.record(name, source="x", **fields))
    assert sentence == words if words else sentence


def test_a_refused_login_says_why(ada: AuthClient, log: EventLog) -> None:
    for username, reason in [("bob", "there is no such user"), ("ada", "the password is wrong")]:
        with pytest.raises(Exception, match=r"user|Password"):
            ada.login(username, PASSWORD + "!")
        assert f"login of {username} refused: {reason}" in describe(log.action()[1])


def test_a_time_past_the_calendar_is_shown_as_a_number() -> None:
    assert time_of_day(1e30) == f"{1e30:.0f}"


@pytest.mark.parametrize("limit", [0, -1, 1.5, "10", None, True, 10**400], ids=type)
def test_a_limit_is_a_whole_number(limit: Any) -> None:
    with pytest.raises(ValueError, match="limit must be a whole number, 1 or more"):
        EventLog(limit=limit)


def test_what_cannot_be_called_is_refused_where_it_is_given() -> None:
    with pytest.raises(TypeError, match="clock must be a function that returns seconds"):
        EventLog(clock=1.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="subscriber must be a function of an event"):
        EventLog().subscribe(print("not a function"))  # type: ignore[func-returns-value]


@pytest.mark.parametrize("source", [0, True, None, 1.5, []])
def test_a_trace_is_a_path_or_a_text(source: Any) -> None:
    """`open` takes a number for an open file, and closes it: 1 is what cells print to."""
    for read in (EventLog.from_jsonl, EventLog.from_har):
        with pytest.raises(TraceError, match="write the path of a file, or its text"):
            read(source)

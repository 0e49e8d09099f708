"""From the events of real runs to what the timeline draws."""

from __future__ import annotations

import pytest

from client_widget import AuthClient, EventLog, LoginRequired, ServerUnreachable
from client_widget.log.token_lives import Bar, Mark, Move, Timeline, spans
from demo_server import DemoClock, DemoServer

from ...conftest import PASSWORD, START


def lives(timeline: Timeline) -> list[tuple[str, float, float]]:
    """Kind, issue and expiry of each token, in seconds since the start."""
    return [(bar.kind, bar.iat - START, bar.exp - START) for bar in timeline.tokens]


def answers(timeline: Timeline) -> list[tuple[float, str, int | None]]:
    return [(mark.at - START, mark.path, mark.status) for mark in timeline.marks]


def test_nothing_comes_of_no_event() -> None:
    assert spans([]) == Timeline(tokens=(), marks=(), moves=(), login=None)


def test_a_login_gives_two_bars_each_once(ada: AuthClient, log: EventLog) -> None:
    """Server and client tell of the same tokens."""
    pair = ada.store.get()
    assert pair is not None
    access, refresh = pair.access_facts["token"], pair.refresh_facts["token"]
    timeline = spans(log)
    assert timeline.tokens == (
        Bar(f"access {access}", "access", "server", access, START, START + 60),
        Bar(f"refresh {refresh}", "refresh", "server", refresh, START, START + 300),
    )
    assert timeline.login == START


def test_the_client_alone_tells_the_same(ada: AuthClient, log: EventLog, clock: DemoClock) -> None:
    """As with a server that is somewhere else."""
    clock.advance(61)
    ada.home()
    timeline = spans(event for event in log if event.source == "client")
    assert [bar.token for bar in timeline.tokens] == [bar.token for bar in spans(log).tokens]
    assert {bar.source for bar in timeline.tokens} == {"client"}
    assert lives(timeline) == [("access", 0, 60), ("refresh", 0, 300), ("access", 61, 121)]


def test_the_articles_session(ada: AuthClient, log: EventLog, clock: DemoClock) -> None:
    ada.home()
    clock.advance(61)
    ada.home()
    clock.advance(301)
    with pytest.raises(LoginRequired):
        ada.home()
    timeline = spans(log)
    assert lives(timeline) == [("access", 0, 60), ("refresh", 0, 300), ("access", 61, 121)]
    assert answers(timeline) == [
        (0, "/users/register", 201),
        (0, "/users/login", 201),
        (0, "/home", 200),
        (61, "/home", 403),
        (61, "/refresh", 200),
        (61, "/home", 200),
        (362, "/home", 403),
        (362, "/refresh", 403),
    ]
    assert len({mark.correlation for mark in timeline.marks[3:6]}) == 1
    assert timeline.login == START


def test_the_last_login_is_second_zero(ada: AuthClient, log: EventLog, clock: DemoClock) -> None:
    clock.advance(400)
    ada.login("ada", PASSWORD)
    clock.advance(61)
    ada.home()  # a refresh is no login
    assert spans(log).login == START + 400


def test_no_answer_has_no_status(ada: AuthClient, log: EventLog, server: DemoServer) -> None:
    server.stop()
    with pytest.raises(ServerUnreachable):
        ada.home()
    correlation = log.action()[0].correlation
    assert spans(log).marks[-1] == Mark(START, None, "/home", "client", correlation, call=3)


def test_moves_of_the_clock(log: EventLog, clock: DemoClock) -> None:
    clock.advance(61)
    assert spans(log).moves == (Move(START + 61, 61),)


def test_only_the_last_are_kept(ada: AuthClient, log: EventLog, clock: DemoClock) -> None:
    for _ in range(3):
        clock.advance(61)
        ada.home()
    timeline = spans(log, tokens=2, marks=2)
    assert lives(timeline) == [("access", 122, 182), ("access", 183, 243)]
    assert answers(timeline) == [(183, "/refresh", 200), (183, "/home", 200)]
    assert [move.at - START for move in timeline.moves] == [122, 183]
    assert timeline.login == START  # though its tokens are gone


def test_a_token_without_times_is_left_out(log: EventLog) -> None:
    """A client may meet tokens that it cannot read."""
    log.record("token.refreshed", source="client", kind="access", token="a1b2c3d4")
    log.record("token.refreshed", source="client", kind="access", token="b", iat=1, exp="2")
    # A file can name any kind.
    log.record("token.refreshed", source="client", kind="id", token="c", iat=1, exp=2)
    assert spans(log).tokens == ()


@pytest.mark.parametrize(("life", "window"), [(60, 10), (300, 10), (50, 10), (5, 1), (20, 4)])
def test_the_refresh_window_is_ten_seconds_or_a_fifth(life: int, window: int) -> None:
    bar = Bar("access a", "access", "server", "a", START, START + life)
    assert bar.exp - bar.window == pytest.approx(window)

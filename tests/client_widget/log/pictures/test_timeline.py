"""The timeline picture, from whole logs."""

from __future__ import annotations

import pytest

from client_widget import AuthClient, EventLog, LoginRequired, ServerUnreachable
from client_widget.log.pictures.timeline import timeline
from client_widget.log.token_lives import Bar, Mark, Timeline, spans
from demo_server import DemoClock, DemoServer

from ....conftest import PASSWORD, START
from .reading import SVG, root_of, said, texts, texts_in


def drawn(log: EventLog, now: float, *, window: bool = False) -> str:
    return timeline(spans(log), now, window=window)


def bars(picture: str, *classes: str) -> list[tuple[float, float]]:
    """From where to where each bar of these classes goes, in pixels."""
    rects = root_of(picture).iter(f"{SVG}rect")
    chosen = [r for r in rects if {"solid", *classes} <= set(r.get("class", "").split())]
    starts = [float(r.get("x", 0)) for r in chosen]
    return [(x, x + float(r.get("width", 0)) + 2) for x, r in zip(starts, chosen, strict=True)]


def now_at(picture: str) -> float:
    [line] = [e for e in root_of(picture).iter(f"{SVG}line") if "now" in e.get("class", "").split()]
    return float(line.get("x1", 0))


def fingerprints(client: AuthClient) -> tuple[str, str]:
    pair = client.store.get()
    assert pair is not None
    return pair.access_facts["token"], pair.refresh_facts["token"]


def test_nothing_is_a_picture_too() -> None:
    picture = timeline(Timeline(), START)
    assert texts(picture)[-3:] == [
        *["now", "requests", "No token yet. Log in: each token becomes a bar as long as its life."]
    ]
    assert said(picture, "desc") == "No token yet. Requests: 0, refused: 0, no response: 0."


def test_a_login_draws_two_bars(ada: AuthClient, log: EventLog) -> None:
    access, refresh = fingerprints(ada)
    picture = drawn(log, START)
    assert [words for words in texts(picture) if "left" in words] == [
        *[f"{access} 60 s left", f"{refresh} 300 s left"]
    ]
    [short], [long] = bars(picture, "access"), bars(picture, "client")
    assert (long[1] - long[0]) / (short[1] - short[0]) == pytest.approx(5, abs=0.1)
    assert now_at(picture) == pytest.approx(short[0], abs=0.5)
    assert texts_in(picture, "ok") == ["1–2"]
    assert {"login", "60 s", "300 s"} <= set(texts(picture))
    assert said(picture, "title") == "Timeline"
    assert said(picture, "desc") == (
        f"Refresh token {refresh}: 300 s left; access token {access}: 60 s left. "
        "Requests: 2, refused: 0, no response: 0."
    )


def test_an_expiry_and_a_refresh(ada: AuthClient, clock: DemoClock, log: EventLog) -> None:
    first, _ = fingerprints(ada)
    clock.advance(61)
    ada.home()
    picture = drawn(log, clock())
    assert f"{first} expired" in texts(picture)
    assert len(bars(picture, "access")) == 2
    assert len(bars(picture, "access", "faded")) == 1
    assert bars(picture, "client", "faded") == []
    assert "+61 s" in texts(picture)
    # The 403, the refresh and the retry are one call.
    assert (texts_in(picture, "bad"), texts_in(picture, "ok")) == (["3"], ["1–2", "3"])
    assert "The clock moved by +61 s." in said(picture, "desc")


def test_a_refused_refresh(ada: AuthClient, clock: DemoClock, log: EventLog) -> None:
    clock.advance(362)
    with pytest.raises(LoginRequired):
        ada.home()
    picture = drawn(log, clock())
    assert len(bars(picture, "faded")) == len(bars(picture)) == 2
    assert texts_in(picture, "bad") == ["3"]
    assert "Requests: 4, refused: 2, no response: 0." in said(picture, "desc")


def test_no_answer_is_a_badge_of_its_own(
    ada: AuthClient, clock: DemoClock, server: DemoServer, log: EventLog
) -> None:
    clock.advance(30)
    server.stop()
    with pytest.raises(ServerUnreachable):
        ada.home()
    picture = drawn(log, clock())
    assert texts_in(picture, "panel") == ["3"]
    assert "no response: 1." in said(picture, "desc")


def test_a_spent_token_fades() -> None:
    bar = Bar("refresh a", "refresh", "server", "a", START, START + 300)
    facts = Timeline(tokens=(bar,), login=START)
    assert bars(timeline(facts, START), "faded") == []
    spent = timeline(Timeline(tokens=(bar,), login=START, spent=frozenset("a")), START)
    assert len(bars(spent, "faded")) == 1
    assert "a spent" in texts(spent)


def test_the_refresh_window_is_drawn_on_request(ada: AuthClient, log: EventLog) -> None:
    assert bars(drawn(log, START), "window") == []
    picture = drawn(log, START, window=True)
    [(start, end)], [(begin, until)] = bars(picture, "window"), bars(picture, "access")
    assert until == pytest.approx(start, abs=1)
    assert (until - begin) / (end - start) == pytest.approx(5, abs=0.2)


@pytest.mark.parametrize("end", [60, 300, 7, 5000, 10**7])
def test_ticks_are_round_and_few(ada: AuthClient, log: EventLog, end: int) -> None:
    picture = drawn(log, START + end)
    ticks = [words for words in texts_in(picture, "muted") if words.endswith(" s")]
    assert 1 <= len(ticks) <= 13
    if end <= 300:
        assert {"60 s", "300 s"} <= set(ticks)
    assert 84 < now_at(picture) < 940


def test_a_second_login_is_second_zero(ada: AuthClient, clock: DemoClock, log: EventLog) -> None:
    clock.advance(100)
    ada.login("ada", PASSWORD)
    picture = drawn(log, clock())
    assert {"−60 s", "login"} <= set(texts(picture))
    assert len(bars(picture)) == 4


def test_the_numbers_go_on_behind_what_is_drawn(ada: AuthClient, log: EventLog) -> None:
    ada.home()
    facts = spans(list(log)[-3:], number=log.call_number)
    assert facts.marks == (
        Mark(START, 200, "/home", "client", log.action()[0].correlation, call=3),
    )


@pytest.mark.parametrize("text", ["<b>", "</text><script>", "&amp;", "\u202ex", "\ud800"])
def test_what_a_server_sends_stays_text(text: str) -> None:
    bar = Bar(text, text, "server", text, START, START + 300)
    root = root_of(timeline(Timeline(tokens=(bar,)), START))
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "style", "line", "rect", "text"}

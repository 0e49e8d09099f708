"""The picture of the panel, from real sessions."""

from __future__ import annotations

import pytest

from client_widget import AuthClient, EventLog, LoginPanel, TokenPair
from client_widget.log.pictures.page import page
from client_widget.log.pictures.panel import MOST, panel, steps
from client_widget.log.pictures.shapes import in_words
from client_widget.protocol.jwt_by_hand import sign
from demo_server import DemoClock

from ....conftest import START
from .reading import same, texts, texts_in


def drawn(client: AuthClient, now: float) -> str:
    return panel(client.store.get(), client.log.action(), now, notice="a notice", home="a page")


def test_before_anything_happened(client: AuthClient) -> None:
    picture = drawn(client, START)
    assert "The token store is empty." in texts(picture)
    assert texts(picture)[-1] == "Nothing has happened yet."


def test_a_session_with_its_tokens_and_its_last_story(ada: AuthClient, clock: DemoClock) -> None:
    clock.advance(61)
    ada.home()
    said = in_words(drawn(ada, clock()))
    assert "Access token: 60 s left\nRefresh token: 239 s left" in said
    assert "server: /home: access token rejected: expired 1 s ago" in said
    assert said.count("POST /refresh") == 2


def test_the_moments_within_a_second_look_the_same(ada: AuthClient) -> None:
    at = [drawn(ada, START + seconds) for seconds in (4.1, 4.9, 5.1)]
    assert same(at[0], at[1])
    assert not same(at[1], at[2])


@pytest.mark.parametrize(("seconds", "role"), [(0, "ok"), (50, "warn"), (60, "bad")])
def test_a_card_changes_its_colour(ada: AuthClient, seconds: int, role: str) -> None:
    left = "expired 0 s ago" if seconds == 60 else f"{60 - seconds} s left"
    assert left in texts_in(drawn(ada, START + seconds), role)


def test_a_token_whose_claims_are_unusual() -> None:
    odd = sign('{"alg":"HS256"}', '{"exp":"soon","sub":["<b>"]}', "a secret")
    picture = panel(TokenPair(odd, "no token"), [], START, notice="", home="")
    assert texts(picture).count("no expiry known") == 2


def test_a_long_story_is_cut_at_its_beginning(log: EventLog) -> None:
    for number in range(MOST + 2):
        log.record("x", source="client", n=number)
    drawn = texts(page("A page", [steps(list(log), MOST)]))
    assert drawn[0] == f"The last {MOST} of {MOST + 2} events"
    assert drawn[-1] == f"x n={MOST + 1}"


def test_no_secret_is_in_it(ada: AuthClient) -> None:
    view = LoginPanel(ada)
    pair = ada.store.get()
    assert pair is not None
    picture = view.to_svg()
    view.close()
    for part in [*pair.access.split("."), *pair.refresh.split("."), ada.base_url.split(":")[-1]]:
        assert part not in picture

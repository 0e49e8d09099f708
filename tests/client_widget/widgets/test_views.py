"""What all views share: a closed one is gone, and two of them do not disturb each other."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import weakref
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from IPython.core.formatters import DisplayFormatter
from ipywidgets.widgets.widget import _instances as registry

from client_widget import (
    AuthClient,
    ClassView,
    DiagramView,
    EventLog,
    LoginPanel,
    LogView,
    Request,
    StepView,
    TimeControls,
    TokenInspector,
    TokenPair,
    TokenTimeline,
    TourView,
)
from client_widget.log.pictures.shapes import as_image, in_words
from client_widget.protocol.jwt_by_hand import sign
from demo_server import DemoClock, DemoServer

from ...conftest import PASSWORD
from ..log.pictures.reading import same, texts
from .buttons import log_in, press, receive, until

WIDGET = "application/vnd.jupyter.widget-view+json"

VIEWS = [
    ClassView, DiagramView, LogView, LoginPanel, StepView, TimeControls, TokenInspector,
    TokenTimeline, TourView,
]  # fmt: skip


def open_all_tabs(panel: LoginPanel) -> None:
    for title in panel.tabs.titles:
        panel.tabs.show(title)
    timeline: Any = panel.tabs.made["Timeline"]
    until(lambda: timeline.picture.value != "")


class TestClose:
    @pytest.mark.parametrize("view", VIEWS)
    def test_no_widget_survives(self, view: Callable[..., Any], client: AuthClient) -> None:
        before = set(registry)
        view(client).close()
        assert set(registry) == before

    def test_no_widget_of_a_panel_survives_that_has_been_used(self, client: AuthClient) -> None:
        before = set(registry)
        panel = LoginPanel(client)
        log_in(panel)
        open_all_tabs(panel)
        press(panel, "Home")
        assert len(set(registry) - before) > 200
        panel.close()
        panel.close()  # a second time: nothing happens
        assert set(registry) == before

    def test_nothing_holds_a_closed_panel_or_its_log(self, server: DemoServer) -> None:
        log = EventLog()
        panel = LoginPanel(AuthClient(server.url, log=log, clock=DemoClock()))
        open_all_tabs(panel)
        log_in(panel)
        panel.close()
        gone = [weakref.ref(panel), weakref.ref(log)]
        del panel, log
        gc.collect()
        assert [each() for each in gone] == [None, None]

    def test_a_closed_view_leaves_the_hook_of_the_user(self, ada: AuthClient) -> None:
        seen: list[str] = []

        def hook(message: Request) -> Request:
            seen.append(message.path)
            return message

        ada.before_send = hook
        panel = LoginPanel(ada)
        steps: Any = panel.tabs.show("Step by step")
        assert ada.before_send is hook
        steps.hold.value = True
        panel.buttons["Home"].click()
        until(lambda: not steps.next.disabled)
        assert seen == []
        steps.next.click()  # a message that is sent passes through the user's hook
        panel.wait()
        assert seen == ["/home"]
        panel.close()
        assert ada.before_send is hook

    def test_a_timeline_that_is_closed_during_its_first_drawing(self, client: AuthClient) -> None:
        before = set(registry)
        for _ in range(5):
            view = TokenTimeline(client)
            client.log.record("x", source="test")  # starts the drawing
            view.close()
            view.refresh()
        assert set(registry) == before


class Never:
    """A pulse that never beats, as on a machine with other things to do."""

    def __init__(self, *_: object, **__: object) -> None:
        self.start = self.stop = lambda: None


class TestPicture:
    """What a page without widgets shows in place of a view."""

    @pytest.mark.parametrize("view", [v for v in VIEWS if v is not TimeControls])
    def test_the_output_has_the_widget_its_picture_and_the_same_in_words(
        self, view: Callable[..., Any], ada: AuthClient
    ) -> None:
        shown: Any = view(ada)
        data, _ = DisplayFormatter().format(shown)
        assert set(data) == {WIDGET, "image/svg+xml", "text/plain"}
        assert data["text/plain"] == in_words(data["image/svg+xml"])
        assert len(data["text/plain"].splitlines()) > 1
        assert same(data["image/svg+xml"], as_image(shown.to_svg()))
        shown.close()

    def test_a_view_without_a_picture_is_displayed_too(self, client: AuthClient) -> None:
        shown = TimeControls(client)
        data, _ = DisplayFormatter().format(shown)
        assert set(data) == {WIDGET, "text/plain"}
        shown.close()

    def test_the_panel_shows_what_its_tab_and_its_page_show(self, client: AuthClient) -> None:
        panel = LoginPanel(client)
        log_in(panel)
        press(panel, "Home")
        words = in_words(panel.to_svg())
        assert "The home page is loaded." in words
        assert "Home page: Welcome ada" in words
        assert same(panel.tabs.to_svg(), panel.tabs.made["Timeline"].to_svg())
        assert texts(panel.tabs.show("Tokens").to_svg())[:2] == ["Claim", "Value"]
        panel.close()

    def test_the_panels_picture_waits_for_no_redraw(
        self, client: AuthClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("client_widget.widgets.panel.Pulse", Never)
        client.register("ada", PASSWORD)
        with closing(LoginPanel(client)) as panel:
            client.login("ada", PASSWORD)
            assert "ada is logged in." in in_words(panel.to_svg())

    def test_a_timeline_counts_its_tokens(self, ada: AuthClient, clock: DemoClock) -> None:
        """Fingerprints would make every run another picture."""
        clock.advance(61)
        ada.home()
        timeline = TokenTimeline(ada)
        words = in_words(timeline.to_svg())
        assert "Access token a2: 60 s left; refresh token r1: 239 s left" in words
        pair = ada.store.get()
        assert pair is not None
        assert pair.access_facts["token"] not in timeline.to_svg()
        timeline.close()

    def test_the_claims_of_a_token_without_its_random_ids(self, client: AuthClient) -> None:
        claims = {"jti": "0c4f", "sub": "<ada>", "iat": int(client.clock()) - 5}
        token = sign('{"alg": "HS256"}', json.dumps(claims), "a secret")
        client.store.set(TokenPair(token, token))
        inspector = TokenInspector(client)
        drawn = texts(inspector.to_svg())
        assert drawn[2:] == ["jti", "a random id", "sub", "<ada>", "iat", "5 s ago"]
        inspector.close()

    def test_a_held_message_without_its_token(self, ada: AuthClient) -> None:
        steps = StepView(ada)
        steps.hold.value = True
        assert texts(steps.to_svg())[0].startswith("Messages are held.")
        call = threading.Thread(target=ada.home)
        call.start()
        until(lambda: not steps.next.disabled)
        words = in_words(steps.to_svg())
        assert "Waits to be sent\nGET /home" in words
        pair = ada.store.get()
        assert pair is not None
        assert pair.access.split(".")[2] not in words
        steps.next.click()
        call.join(timeout=20)
        steps.close()

    def test_a_step_of_the_tour_with_what_happened(self, client: AuthClient) -> None:
        tour = TourView(client)
        before = in_words(tour.to_svg())
        assert "Step 1 of 9" in before
        tour.buttons["The server sends the page."].click()
        tour.wait()
        after = in_words(tour.to_svg())
        assert "(your answer)" in after
        assert "(✓ this happened)" in after
        assert "server: /home: the request carried no token" in after
        tour.close()


class TestSteps:
    def test_two_views_of_a_client_share_what_is_held(self, ada: AuthClient) -> None:
        one, two = StepView(ada), StepView(ada)
        one.hold.value = True
        until(lambda: two.hold.value)
        call = threading.Thread(target=ada.home)
        call.start()
        until(lambda: not one.next.disabled and not two.next.disabled)
        one.close()  # the other can still send it
        assert two.stepper.on
        two.next.click()
        call.join(timeout=20)
        assert not call.is_alive()
        two.close()
        assert not two.stepper.on

    def test_the_last_view_sends_what_waits(self, ada: AuthClient) -> None:
        view = StepView(ada)
        view.hold.value = True
        call = threading.Thread(target=ada.home)
        call.start()
        until(lambda: view.stepper.waiting is not None)
        view.close()
        call.join(timeout=20)
        assert not call.is_alive()


class TestTwoViewsOfOnePanel:
    def test_an_answer_goes_to_the_view_that_asked(
        self, log: EventLog, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent: list[dict[str, Any]] = []
        monkeypatch.setattr(
            LogView, "send", lambda self, content, buffers=None: sent.append(content)
        )
        view = LogView(AuthClient("http://127.0.0.1:1", log=log))
        for content in (
            {"type": "hello"},
            {"type": "open", "seq": 1},
            {"type": "save", "format": "har"},
        ):
            receive(view, {**content, "view": "second"})
        assert [(message["type"], message["view"]) for message in sent] == [
            ("reset", "second"),
            ("details", "second"),
            ("file", "second"),
        ]
        view.close()

    def test_one_that_is_closed_does_not_stall_the_countdown_of_the_other(
        self, panel: LoginPanel
    ) -> None:
        for view in ("first", "second"):
            receive(panel.presence, {"type": "here", "view": view})
        receive(panel.presence, {"type": "bye", "view": "first"})
        assert panel.presence.watched
        receive(panel.presence, {"type": "bye", "view": "second"})
        assert not panel.presence.watched


class TestWhatThePanelSays:
    def test_who_is_logged_in_by_a_cell(self, panel: LoginPanel, client: AuthClient) -> None:
        assert "Register, then log in." in panel.notice.value
        client.register("ada", PASSWORD)
        client.login("ada", PASSWORD)
        until(lambda: "ada is logged in." in panel.notice.value)
        assert "Press Home to load this page." in panel.home.value
        client.logout()
        until(lambda: "You are logged out." in panel.notice.value)
        assert "Log in to see this page." in panel.home.value

    def test_a_session_that_was_there_before_the_panel(self, ada: AuthClient) -> None:
        panel = LoginPanel(ada)
        assert "ada is logged in." in panel.notice.value
        panel.close()
        ada.logout()
        panel = LoginPanel(ada)
        assert "You are logged out." in panel.notice.value
        panel.close()

    def test_a_session_that_a_cell_found_ended(
        self, panel: LoginPanel, ada: AuthClient, clock: DemoClock
    ) -> None:
        clock.advance(301)
        with pytest.raises(Exception, match="log in"):
            ada.home()
        until(lambda: "Your session has ended. Log in again." in panel.notice.value)

    def test_the_page_of_one_user_is_not_shown_to_the_next(
        self, panel: LoginPanel, client: AuthClient
    ) -> None:
        log_in(panel)
        press(panel, "Home")
        assert "Welcome ada" in panel.home.value
        client.register("bob", PASSWORD)
        client.login("bob", PASSWORD)
        until(lambda: "bob is logged in." in panel.notice.value)
        assert "Welcome ada" not in panel.home.value

    def test_who_is_logged_in_by_the_tour(self, panel: LoginPanel) -> None:
        tour: Any = panel.tabs.show("Tour")
        for title in ("Next step", "Next step", None):
            next(iter(tour.buttons.values())).click()
            tour.wait()
            if title is not None:
                tour.buttons[title].click()
        until(lambda: "learner is logged in." in panel.notice.value)
        assert "learner" in panel.tokens.value

    def test_a_message_stays_as_long_as_the_session(
        self, panel: LoginPanel, clock: DemoClock
    ) -> None:
        log_in(panel)
        clock.advance(61)
        press(panel, "Home")  # with a refresh
        panel.refresh()
        assert "The home page is loaded." in panel.notice.value
        assert "Welcome ada" in panel.home.value


class TestHeldMessages:
    def test_the_panel_says_which_message_waits_and_where(
        self, panel: LoginPanel, ada: AuthClient
    ) -> None:
        steps: Any = panel.tabs.show("Step by step")
        assert panel.banner.value == ""
        steps.hold.value = True
        cell = threading.Thread(target=ada.home)
        cell.start()
        until(lambda: "GET /home (call) waits" in panel.banner.value)
        assert "Step by step" in panel.banner.value
        assert 'role="alert"' in panel.banner.value
        steps.next.click()
        cell.join(timeout=20)
        until(lambda: panel.banner.value == "")
        assert not cell.is_alive()

    def test_send_it_is_disabled_where_no_click_can_arrive(
        self, panel: LoginPanel, ada: AuthClient
    ) -> None:
        """A kernel's thread runs an event loop, and waits: no message of a page is handled."""
        steps: Any = panel.tabs.show("Step by step")
        steps.hold.value = True

        async def cell() -> None:
            ada.home()

        thread = threading.Thread(target=lambda: asyncio.run(cell()))
        thread.start()
        until(lambda: "Interrupt the kernel" in panel.banner.value)
        until(lambda: "Interrupt the kernel" in steps.message.value)
        assert "GET /home (call) waits" in panel.banner.value
        assert steps.next.disabled
        assert steps.hold.disabled
        steps.stepper.next()  # in place of the interrupt
        thread.join(timeout=20)
        assert not thread.is_alive()
        until(lambda: not steps.hold.disabled)

    def test_a_message_of_an_interrupted_cell_waits_no_more(
        self, panel: LoginPanel, ada: AuthClient
    ) -> None:
        steps: Any = panel.tabs.show("Step by step")
        steps.hold.value = True

        def interrupt() -> None:
            if steps.stepper.first is not None:
                unsubscribe()
                raise KeyboardInterrupt

        unsubscribe = steps.stepper.subscribe(interrupt)
        with pytest.raises(KeyboardInterrupt):
            ada.home()
        assert steps.stepper.waiting is None
        until(lambda: panel.banner.value == "")

    def test_the_tour_says_so_and_continues(self, panel: LoginPanel) -> None:
        steps: Any = panel.tabs.show("Step by step")
        tour: Any = panel.tabs.show("Tour")
        steps.hold.value = True
        next(iter(tour.buttons.values())).click()
        until(lambda: "GET /home (call) waits" in tour.notice.value)
        assert "Send it" in tour.notice.value
        until(lambda: not steps.next.disabled)
        steps.next.click()
        tour.wait()
        assert "What happened" in tour.outcome.value
        assert "waits" not in tour.notice.value


@pytest.mark.parametrize("view", VIEWS)
def test_what_is_no_client_is_named(view: Any, server: DemoServer) -> None:
    for watched in (server, EventLog(), server.url, None):
        with pytest.raises(TypeError, match=r"^A view shows an AuthClient, such as"):
            view(watched)


def test_a_time_is_no_clock(client: AuthClient) -> None:
    with pytest.raises(TypeError, match=r"^clock must be a function that returns seconds"):
        LoginPanel(client, clock=1_800_000_000.0)  # type: ignore[arg-type]

"""Text from a user or a server is displayed through one module, in every view."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ipywidgets import HTML, Widget

import client_widget
from client_widget import AuthClient, ClassView, EventLog, LoginPanel, describe
from client_widget.display import as_html, printable, shown
from client_widget.log.details import details
from client_widget.log.mermaid import to_mermaid
from client_widget.widgets.clock_controls import TimeControls
from client_widget.widgets.live_log import LogView, row
from client_widget.widgets.pictures.picture import Picture
from client_widget.widgets.pictures.sequence_diagram import DiagramView
from client_widget.widgets.pictures.timeline import TokenTimeline
from client_widget.widgets.step_by_step import StepView
from client_widget.widgets.tabs import LazyTabs
from client_widget.widgets.token_inspector import TokenInspector
from client_widget.widgets.tour import TourView
from client_widget.widgets.view import View
from demo_server import DemoClock, DemoServer, ServerConfig

from ..conftest import PASSWORD

#: Hebrew: a name that moves the words around it unless it is isolated.
NAME = "דוד 42"


@pytest.fixture(params=["article", "rfc"])
def config(request: pytest.FixtureRequest) -> ServerConfig:
    return ServerConfig(bcrypt_cost=4, policy=request.param, class_log=True)


@pytest.mark.parametrize("name", [NAME, "محمد", "a\u0661", "אada"])
def test_right_to_left_text_is_isolated(name: str) -> None:
    assert shown(name) == f"\u2068{name}\u2069"
    assert as_html(name) == f"<bdi>{name}</bdi>"
    assert as_html(f"{shown(name)} & co.") == f"<bdi>\u2068{name}\u2069 &amp; co.</bdi>"


def test_other_text_stays_as_it_is() -> None:
    assert shown("José 1 🙂") == as_html("José 1 🙂") == "José 1 🙂"
    assert shown(403) == "403"
    assert as_html("<b>\n'") == "&lt;b&gt;\n&#x27;"


@pytest.mark.parametrize("char", "\u202e\u202d\u2066\u2068\u2069\u200b\u200f\ufeff\u00ad\x00\t\x7f")
def test_what_cannot_be_printed_is_replaced(char: str) -> None:
    for display in (shown, as_html, printable):
        assert display(f"a{char}b") == "a\ufffdb"
    # A text cannot end the isolation that is put around it.
    assert shown(f"א{char}ב") == "\u2068א\ufffdב\u2069"
    assert shown("a\nb") == "a\ufffdb"
    assert shown("a\tb", keep="\t") == "a\tb"


def test_no_other_module_of_the_client_escapes_html() -> None:
    root = Path(client_widget.__file__).parent
    importing = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (
            (isinstance(node, ast.ImportFrom) and node.module == "html")
            and any(name.name != "unescape" for name in node.names)
        )
        or (isinstance(node, ast.Import) and any(name.name == "html" for name in node.names))
    }
    assert importing == {"display.py"}


def tree(widget: Widget) -> Iterator[Widget]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from tree(child)


def texts(widget: Widget) -> Iterator[str]:
    """What a view shows as HTML, pictures included."""
    for part in tree(widget):
        if isinstance(part, (HTML, Picture)):
            yield part.value


def isolated(text: str) -> bool:
    """Whether the name is never next to other text without isolation."""
    rest = re.sub("\u2068[^\u2069]*\u2069", "", re.sub("<bdi>.*?</bdi>", "", text, flags=re.DOTALL))
    return NAME not in rest and "דוד" not in rest


#: How each view is made, and whether a user's name appears in it.
VIEWS: dict[type[View], bool] = {
    LoginPanel: True,
    LogView: True,
    ClassView: True,
    DiagramView: True,
    TokenInspector: True,
    TourView: False,  # it plays with its own learners
    StepView: False,
    TokenTimeline: False,
    TimeControls: False,
}


def subclasses(view: type) -> set[type]:
    return {view, *(sub for each in view.__subclasses__() for sub in subclasses(each))}


def test_every_view_of_the_lab_is_among_them() -> None:
    """By name, because a module that is imported again has other classes."""
    ours = {
        view.__name__
        for view in subclasses(View) - {View, LazyTabs}
        if view.__module__.startswith("client_widget.")
    }
    assert ours == {view.__name__ for view in VIEWS}


@pytest.fixture
def david(client: AuthClient, server: DemoServer) -> AuthClient:
    client.register(NAME, PASSWORD)
    client.login(NAME, PASSWORD)
    client.home()
    return client


@pytest.mark.parametrize("kind", VIEWS, ids=lambda kind: kind.__name__)
def test_in_no_view_does_a_name_move_the_words_around_it(
    kind: Any, david: AuthClient, server: DemoServer, clock: DemoClock
) -> None:
    server.flush()
    view = kind(david, clock=clock)
    if isinstance(view, ClassView):
        view.look()
    if isinstance(view, DiagramView):
        view.choice.value = "Whole session"
    if isinstance(view, LoginPanel):
        view.username.value, view.password.value = NAME, PASSWORD
        view.buttons["Log in"].click()
        view.wait()
        assert f"\u2068{NAME}\u2069 is logged in." in view.notice.value
        view.buttons["Home"].click()
        view.wait()
        assert f"<bdi>Welcome {NAME}</bdi>" in view.home.value
    view.refresh()
    found = list(texts(view))
    if isinstance(view, LogView):
        found = [row(event)["text"] for event in david.log]
    view.close()
    assert any("דוד" in text for text in found) is VIEWS[kind]
    assert [text for text in found if not isolated(text)] == []


def test_nor_in_a_sentence_a_diagram_or_the_details_of_an_event(
    david: AuthClient, log: EventLog
) -> None:
    sentences = [describe(event) for event in log]
    assert any("דוד" in sentence for sentence in sentences)
    diagram = re.sub(r"#(\d+);", lambda code: chr(int(code[1])), to_mermaid(log))
    assert f"\u2068{NAME}\u2069 is logged in" in diagram
    parts = [
        line
        for event in log
        for title, text in details(event, "http://lab", david.store.find, False).items()
        if title != "cURL"  # to be copied
        for line in text.splitlines()
    ]
    assert any("דוד" in line for line in parts)
    assert [text for text in (*sentences, diagram, *parts) if not isolated(text)] == []

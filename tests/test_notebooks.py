"""What nbval does not check: that it has something to compare, and what is in the files."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from contextlib import closing
from html.parser import HTMLParser
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter
from PIL import Image

from client_widget.log.pictures.shapes import in_words
from tools import flow_picture
from tools.png import SCALE
from tools.save_notebooks import PNG, ROOT, SVG, notebooks, run, run_cells

NOTEBOOKS = notebooks()
WALKTHROUGH = ROOT / "notebooks" / "01_walkthrough.ipynb"

#: A cell that asks a question, and what is done with one.
ASK = re.compile(r"g\d+\.ask\(\)")
ACTS = re.compile(r"\b(g\d+\.(?:ask|reveal))\(")

LESSONS = [
    "02_inside_a_token",
    "03_step_the_refresh",
    "04_two_faults",
    "05_stampede",
    "06_rotation_and_theft",
    "07_from_403_to_401",
    "08_attacks",
    "09_break_and_fix",
    "10_where_tokens_live",
    "11_keys",
    "12_two_tabs",
]


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, 4)


def pictures(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The outputs that have an SVG."""
    of_all = (output for cell in notebook.cells for output in cell.get("outputs", ()))
    return [output for output in of_all if SVG in output.get("data", {})]


def without_png(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Its bytes depend on the fonts of a machine."""
    for output in pictures(notebook):
        output.data.pop(PNG, None)
    return notebook


def short(path: Path) -> str:
    return str(path.relative_to(ROOT / "notebooks").with_suffix(""))


def test_each_lesson_has_its_solutions() -> None:
    alone = ["01_walkthrough", "class_live", "classroom"]
    assert [short(path) for path in NOTEBOOKS] == sorted(
        [*alone, *LESSONS, *(f"solutions/{lesson}" for lesson in LESSONS)]
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=short)
class TestSaved:
    def test_every_code_cell_was_run_in_order(self, path: Path) -> None:
        """nbval compares nothing in a cell that has no count."""
        cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))

    def test_it_holds_no_port_path_or_secret(self, path: Path) -> None:
        text = nbformat.writes(without_png(read(path)))  # base64 may spell anything
        for what in [
            r"127\.0\.0\.1:\d",
            r"localhost:\d",
            r"/(home|root|tmp|Users)/\w",
            r"eyJ[\w-]{8}",
        ]:
            # /home is a route as well: a path has more behind it.
            assert re.findall(what, text) == []

    def test_it_holds_no_widget_state(self, path: Path) -> None:
        notebook = json.loads(path.read_text())
        assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
        assert "widget-view" not in path.read_text()

    def test_no_output_needs_an_extension_or_a_widget_alone(self, path: Path) -> None:
        for cell in read(path).cells:
            for output in cell.get("outputs", ()):
                assert "text/vnd.mermaid" not in output.get("data", {})
                assert "run this cell to see it" not in str(output)

    def test_each_picture_is_there_as_png_and_in_words(self, path: Path) -> None:
        for output in pictures(read(path)):
            image = Image.open(BytesIO(b64decode(output.data[PNG])))
            wide, high = (SCALE * output.metadata[PNG][side] for side in ("width", "height"))
            assert abs(image.width - wide) + abs(image.height - high) <= 4
            assert len(image.convert("RGB").getcolors(10_000) or ()) > 8  # words are drawn
            assert len(output.data["text/plain"].split()) > 5  # a question is one line

    def test_prose_stands_before_each_cell(self, path: Path) -> None:
        """Only a question comes between them: it is about the next cell."""
        for before, cell in pairwise(nbformat.read(path, 4).cells):
            if before.cell_type == cell.cell_type == "code":
                assert ASK.fullmatch(before.source)

    def test_each_question_is_asked_once_and_then_answered(self, path: Path) -> None:
        """In their order, and no question before the last one has its answer."""
        code = [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
        acts = [act for source in code for act in ACTS.findall(source)]
        assert acts == [
            act for n in range(1, len(acts) // 2 + 1) for act in (f"g{n}.ask", f"g{n}.reveal")
        ]

    def test_no_code_between_a_question_and_its_answer_asserts_it(self, path: Path) -> None:
        """A learner reads the next cell before they answer. nbval compares what it prints."""
        asked = False
        for source in (cell.source for cell in read(path).cells if cell.cell_type == "code"):
            if asked:
                assert "assert " not in source, source
                assert "AssertionError" not in source, source
            asked = (asked or ASK.fullmatch(source) is not None) and ".reveal(" not in source

    def test_each_prediction_is_a_question(self, path: Path) -> None:
        cells = nbformat.read(path, 4).cells
        for cell, after in pairwise(cells):
            if cell.cell_type == "markdown" and "What will happen?" in cell.source:
                assert ASK.fullmatch(after.source), cell.source


@pytest.mark.parametrize(
    "name", ["01_walkthrough", "05_stampede", "solutions/06_rotation_and_theft"]
)
def test_another_run_gives_the_same_file(name: str) -> None:
    """nbval compares the outputs of every notebook; here three are saved again, to the byte."""
    path = ROOT / "notebooks" / f"{name}.ipynb"
    assert nbformat.writes(without_png(run(path))) == nbformat.writes(without_png(read(path)))


#: What the notebooks show, by the titles of their pictures; questions come on top.
TITLES = {
    "01_walkthrough": ["The panel", "The panel"],
    "05_stampede": [*["Stampede"] * 6, "Timeline"],
    "06_rotation_and_theft": [
        *["The token family"] * 4, "Grace periods", "Grace periods", "The token family",
    ],
    "07_from_403_to_401": ["Both policies"],
    "class_live": ["The class"] * 8,
    "classroom": ["The panel"],
}  # fmt: skip


class Resources(HTMLParser):
    """What a page asks for while it is opened, apart from what it has in itself."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.images: list[str] = []
        self.others: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if tag == "img" and name == "src" and value:
                self.images.append(value)
            elif (tag == "link" and name == "href") or (name == "src" and value):
                self.others.append(value or "")


@pytest.mark.parametrize("name", TITLES)
def test_as_html_it_shows_its_pictures_without_a_network(name: str) -> None:
    # nbconvert's own scripts, for formulas and old widgets, are left out: no lesson has either.
    exporter = HTMLExporter(require_js_url="", mathjax_url="", mermaid_js_url="")
    page, _ = exporter.from_filename(str(ROOT / "notebooks" / f"{name}.ipynb"))
    asked = Resources(page)
    drawn = [image for image in asked.images if image.startswith("data:image/svg+xml;base64,")]
    words = [in_words(b64decode(image.partition(",")[2]).decode()) for image in drawn]
    titles = [each.splitlines()[0] for each in words]
    assert [title for title in titles if title != "A question"] == TITLES[name]
    files = set(asked.images) - set(drawn)
    assert files == ({"images/expiry.svg"} if name == "01_walkthrough" else set())
    assert [other for other in asked.others if other] == []


def test_the_walkthrough_shows_the_panel_after_the_story() -> None:
    shown = [output.data["text/plain"] for output in pictures(read(WALKTHROUGH))]
    before, after = (words for words in shown if words.startswith("The panel"))
    assert "Nothing has happened yet." in before
    assert "Access token: 60 s left\nRefresh token: 239 s left" in after
    assert "client: POST /refresh with the refresh token (239 s left)" in after


def test_the_flow_in_the_walkthroughs_text_is_the_labs_own() -> None:
    assert flow_picture.PATH.read_text(encoding="utf-8") == flow_picture.expiry() + "\n", (
        "run: python tools/flow_picture.py"
    )


# Faults of the server or the client, each as the line that brings it about.
FAULTS = {
    "the 403 becomes a 200": "demo_server.errors.STATUS['token_expired'] = 200",
    "the server ignores the clock": (
        "demo_server.auth.tokens.TokenService._check_times = lambda self, kind, claims: None"
    ),
    "a refresh token lasts for ever": (
        "old = demo_server.config.ServerConfig.__init__\n"
        "demo_server.config.ServerConfig.__init__ = "
        "lambda self, **given: old(self, refresh_token_ttl=10**9, **given)"
    ),
    "the names of users are not unique": (
        "demo_server.storage.users.UserRepository.add = lambda self, name, password: "
        "demo_server.storage.users.User('1', name, password)"
    ),
    "the client does not refresh": "client_widget.protocol.auth_flow.EXPIRED = 499",
    "the client does not say when a token expires": (
        "client_widget.client.auth_client.may_have_expired = lambda response: False"
    ),
}


# The same for lessons: what each of them is about, taken away.
LESSON_FAULTS = {
    "02_inside_a_token": FAULTS["the server ignores the clock"],
    "03_step_the_refresh": FAULTS["the client does not refresh"],
    "05_stampede": (
        "import client_widget.protocol.single_flight as flights\n"
        "flights.SingleFlight.run = lambda self, pair, is_needed, lead, follow, **options: "
        "lead(flights.Flight())"
    ),
    "06_rotation_and_theft": (
        "import demo_server.auth.token_families\n"
        "demo_server.auth.token_families.FamilyRepository.revoke = lambda *_: False"
    ),
    "07_from_403_to_401": (
        "from dataclasses import replace\n"
        "policies = demo_server.policy.POLICIES\n"
        "policies['rfc'] = replace(policies['rfc'], deny=policies['article'].deny)"
    ),
    "08_attacks": (
        "import demo_server.auth.login_backoff\ndemo_server.auth.login_backoff.FREE_FAILURES = 50"
    ),
    "10_where_tokens_live": (
        "import demo_server.web.csrf_tokens\n"
        "demo_server.web.csrf_tokens.CsrfTokens.check = lambda *_: None"
    ),
    "11_keys": (
        "from jwt_course.lesson_11 import issuer\nissuer.Issuer.jwks = lambda self: {'keys': []}"
    ),
}


def outputs(cell: Any) -> list[Any]:
    """What a cell shows, without its number: the fault is a cell more."""
    return [
        {**output, "execution_count": None, "metadata": {}} for output in cell.get("outputs", ())
    ]


def is_found(fault: str, name: str, folder: Path) -> bool:
    """Whether a cell of the notebook shows something else, or fails, after a fault.

    The fault is a separate cell: a fault that cannot be brought about is an error of the test.
    The run ends with the first cell that differs.
    """
    notebook = without_png(read(ROOT / "notebooks" / f"{name}.ipynb"))
    saved = [outputs(cell) for cell in notebook.cells]
    source = (
        "import client_widget.client.auth_client\nimport client_widget.protocol.auth_flow\n"
        f"import demo_server\n{fault}\nprint('broken')"
    )
    notebook.cells.insert(0, nbformat.v4.new_code_cell(source))
    with closing(run_cells(notebook, folder)) as cells:
        assert next(cells).outputs[0].text == "broken\n"
        try:
            return any(outputs(cell) != before for cell, before in zip(cells, saved, strict=True))
        except CellExecutionError:
            return True


def test_without_a_fault_nothing_is_found(tmp_path: Path) -> None:
    """Else the tests below would find a fault in anything."""
    assert not is_found("pass", "01_walkthrough", tmp_path)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_walkthrough_fails_on_a_fault(fault: str, tmp_path: Path) -> None:
    assert is_found(FAULTS[fault], "01_walkthrough", tmp_path)


@pytest.mark.parametrize("lesson", LESSON_FAULTS)
def test_a_lesson_fails_when_what_it_shows_is_gone(lesson: str, tmp_path: Path) -> None:
    assert is_found(LESSON_FAULTS[lesson], lesson, tmp_path)


# What every lesson says

ALL_LESSONS = [path for path in NOTEBOOKS if re.fullmatch(r"(\d\d_\w+|class_live)", short(path))]
HEADINGS = ["Summary", "What you can do now", "Terms to search for", "Further reading"]


def words(path: Path) -> str:
    """The Markdown of a notebook, without code."""
    cells = [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]
    return re.sub(r"^```.*?^```$", "", "\n\n".join(cells), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("path", ALL_LESSONS, ids=short)
class TestEachLesson:
    def test_it_says_at_its_top_what_you_need(self, path: Path) -> None:
        first = read(path).cells[0].source
        assert "**Goals.**" in first
        assert "**Time.**" in first
        assert len(first.split("\n## What you need\n\n- ")) == 2

    def test_it_says_at_its_end_what_you_can_do_now_and_what_to_search_for(
        self, path: Path
    ) -> None:
        """Under the same headings, in the same order, and each has something below it."""
        sections = re.split(r"^## (.+)\n", words(path), flags=re.MULTILINE)[1:]
        headings, texts = sections[0::2], sections[1::2]
        assert headings[-4:] == HEADINGS
        assert all(text.strip() for text in texts[-4:])
        assert texts[-3].lstrip().startswith("- ")
        assert texts[-2].count(",") >= 5

    def test_each_rfc_that_it_names_is_a_link(self, path: Path) -> None:
        without_links = re.sub(r"\[[^\]]*\]\([^)]*\)", "", words(path))
        assert re.findall(r"RFC\s\d+", without_links) == []


def test_the_walkthrough_can_run_twice_and_after_its_name_was_used(tmp_path: Path) -> None:
    """Whatever you have done on the panel, no cell of the lesson stops."""
    notebook = read(WALKTHROUGH)
    panel, *rest = [cell for cell in notebook.cells if cell.cell_type == "code"]
    used = nbformat.v4.new_code_cell(
        'client.register("grace", "my own password")\nclient.login("grace", "my own password")'
    )
    again = [nbformat.v4.new_code_cell(cell.source) for cell in rest]
    notebook.cells = [panel, used, *rest, *again]
    with closing(run_cells(notebook, tmp_path)) as cells:
        assert len(list(cells)) == len(notebook.cells)

"""The lab in a browser tab: the site of `make lite` on a plain file server, with no other host.

Nothing here may reach another origin: each request is checked.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator

import bcrypt
import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect

from ..conftest import PASSWORD
from . import threads_program
from .panel import Panel, log_in, ordered
from .tab import PYTHON, ROOT, Lesson, alone, served

# A loop that an exception does not end, since it catches any.
CATCHES_ALL = """while True:
        try:
            text += "="
        except:
            text = ""
"""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of the site, built from what the project is now."""
    if not PYTHON.exists():
        pytest.fail("The site's environment is missing: make lite", pytrace=False)
    with served() as site:
        yield site


@pytest.fixture(scope="module")
def lesson(browser: Browser, site: str) -> Iterator[Lesson]:
    """Lesson 01, which is open in a tab. To start Python there takes longer than most tests."""
    with alone(browser, site) as page:
        lesson = Lesson(page, site, "01_walkthrough")
        lesson.run("cell-02")
        yield lesson


@pytest.fixture
def page(lesson: Lesson) -> Page:
    """The window of that tab."""
    assert isinstance(lesson.page, Page)
    return lesson.page


def cells_of(name: str) -> dict[str, str]:
    """The source of each code cell of a lesson, by its id."""
    cells = nbformat.read(ROOT / f"notebooks/{name}.ipynb", 4).cells
    return {cell.id: cell.source for cell in cells if cell.cell_type == "code"}


def test_lesson_01_by_hand_and_to_its_end(lesson: Lesson, page: Page) -> None:
    """The story on the panel, five calls at once, step by step, the tour, then every cell."""
    panel = Panel(page)
    log_in(panel)
    expect(page.get_by_role("note").filter(has_text="the wire is not")).to_be_visible()
    panel.press("Home", "+61 s", "Home")
    expect(panel.log).to_contain_text(
        ordered(
            "the clock moved by 61 s",
            "GET /home with the access token (expired",
            "403 Forbidden for GET /home",
            "200 OK for POST /refresh",
            "GET /home again, with the access token",
            "200 OK for GET /home",
        )
    )
    panel.press("+301 s", "Home")
    expect(panel.row("the session has ended")).to_be_visible()
    panel.fill("ada", PASSWORD)
    panel.press("Log in")
    expect(panel.says("ada is logged in")).to_be_visible()
    panel.press("+61 s", "5 × Home")
    expect(panel.says("All five calls were answered.")).to_be_visible()
    # One, among the rows of the newest story; the older ones have folded.
    expect(panel.row("POST /refresh with the refresh token")).to_have_count(1)
    expect(panel.row("403 Forbidden for GET /home")).to_have_count(5)

    panel.press("+61 s")
    panel.open_tab("Step by step")
    panel.press("Hold messages", "Home")
    for message in ("GET /home (call)", "POST /refresh (refresh)", "GET /home (retry)"):
        expect(panel.says(message)).to_be_visible()
        panel.press("Send it")
    expect(panel.home("Welcome ada")).to_be_visible()
    panel.press("Hold messages")

    panel.open_tab("Tour")
    panel.press("The server refuses. You have to log in.")
    expect(panel.says("Your answer is right.")).to_be_visible()
    panel.press("Next step")
    expect(page.get_by_role("heading", name="Register", exact=True)).to_be_visible()

    lesson.run_all()


def test_an_exercise_and_a_family(lesson: Lesson) -> None:
    """Lessons 02 and 06, in the Python that has started: a start takes longer than they do."""
    second = cells_of("02_inside_a_token")
    ids = dict(zip(second, lesson.add(*second.values(), "q1.limit = 1"), strict=False))
    lesson.run_from(next(iter(ids.values())))
    for answer, verdict in [
        ("return base64.b64decode(text + '==')", "q1 is not right yet: for a part of"),
        ("while True: pass", "q1 is not right yet: after 1 s your code was still running, at line"),
        (CATCHES_ALL, "q1 is not right yet: after 1 s your code was still running, at line"),
        (
            "return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))",
            "q1 is right. 6 parts",
        ),
    ]:
        lesson.write(ids["cell-16"], f"def decode_part(text):\n    {answer}")
        lesson.run(ids["cell-16"])
        [output] = lesson.run(ids["cell-18"])
        assert output["text"].startswith(verdict)

    sixth = cells_of("06_rotation_and_theft")
    for cell in lesson.add(*[sixth[cell] for cell in ("cell-03", "cell-05", "cell-07")]):
        [*_, output] = lesson.run(cell) or [{}]
    assert output["data"]["text/plain"].splitlines() == [
        "token 1: issued at 0 s, spent at 61 s",
        "└─▶ token 2: issued at 61 s, unspent",
    ]


def refreshes_of_five_calls(rounds: int) -> list[int]:
    """How many refreshes five calls at once need, after each of `rounds` expiries."""
    from concurrent.futures import ThreadPoolExecutor

    from client_widget import AuthClient, EventLog
    from demo_server import DemoClock, DemoServer, ServerConfig

    clock = DemoClock(start=1_800_000_000, rate=0)
    log = EventLog(clock=clock)
    config = ServerConfig(policy="rfc", bcrypt_cost=4)
    counts = []
    with DemoServer(config, clock=clock, emit=log.emitter("server"), name="five") as server:
        client = AuthClient(server.url, log=log, clock=clock)
        client.register("ada", "a pass phrase")
        client.login("ada", "a pass phrase")
        for _ in range(rounds):
            clock.advance(61)
            before = len(log)
            with ThreadPoolExecutor(5) as pool:
                assert len([*pool.map(lambda _: client.home(), range(5))]) == 5
            counts.append(sum(event.name == "token.refreshed" for event in [*log][before:]))
    return counts


# A new import of the package, in a browser that cannot suspend a call.
REFUSED = """
import sys
from pyodide.code import run_js
suspending = run_js("const it = WebAssembly.Suspending; delete WebAssembly.Suspending; it")
imported = sys.modules.pop("client_widget")
try:
    import client_widget
except ImportError as error:
    refused = str(error)
finally:
    run_js("(it) => { WebAssembly.Suspending = it; }")(suspending)
    sys.modules["client_widget"] = imported
"""


def test_threads_and_hashes_are_real_in_a_tab(lesson: Lesson) -> None:
    """What the lab relies on in threads, bcrypt's hashes on either side, and a browser too old."""
    assert threads_program.check() == []
    password = "pä $$ phrase"
    ours = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
    code = f"""
{REFUSED}
import json, bcrypt
{inspect.getsource(refreshes_of_five_calls)}
{inspect.getsource(threads_program).replace("from __future__ import annotations", "")}
password = {password!r}.encode()
print(json.dumps({{
    "refused": refused,
    "failed": check(),
    "verified": [bcrypt.checkpw(word, {ours!r}.encode()) for word in (password, b"another")],
    "hash": bcrypt.hashpw(password, bcrypt.gensalt(4)).decode(),
    "refreshes": refreshes_of_five_calls(10),
}}))
"""
    [cell] = lesson.add(code)
    [output] = lesson.run(cell)
    found = json.loads(output["text"])
    assert "Open this page in a current Chrome, Edge or Firefox." in found["refused"]
    assert found["failed"] == []
    assert found["refreshes"] == refreshes_of_five_calls(10) == [1] * 10
    assert found["verified"] == [True, False]
    assert bcrypt.checkpw(password.encode(), found["hash"].encode())
    assert not bcrypt.checkpw(b"another", found["hash"].encode())


def test_a_reload_brings_the_learners_work_back(lesson: Lesson) -> None:
    """The last test of this tab: its Python ends here."""
    lesson.write("cell-02", "# mine")
    lesson.save()
    lesson.load()
    assert lesson.source("cell-02") == "# mine"

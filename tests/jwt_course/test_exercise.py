"""The exercises' interface: check, hint, solution, and what CI asserts."""

from __future__ import annotations

import asyncio
import queue
import signal
import threading
import time
from typing import Any

import nbformat
import pytest
from jwt_course import Exercise, Wrong
from nbclient import NotebookClient

from client_widget import display
from client_widget.display import COLUMNS

from .learner import cell


def judge(double: Any) -> str:
    if double(4) != 8:
        raise Wrong(f"double(4) gave {double(4)}, and not 8.")
    return "Twice as much."


def exercise(**namespace: Any) -> Exercise:
    return Exercise(
        namespace, "q1", wants=["double"], judge=judge,
        hints=["Think of two.", "Multiply by two.", "return 2 * x"],
        solution="double = lambda x: 2 * x",
    )  # fmt: skip


def assert_only(threads: set[threading.Thread]) -> None:
    """No other thread goes on: one that was told to stop ends within a moment."""
    for thread in set(threading.enumerate()) - threads:
        thread.join(timeout=10)
    assert set(threading.enumerate()) <= threads


@pytest.mark.parametrize(
    ("namespace", "words"),
    [
        (
            {},
            "q1 has no answer yet: no cell has defined `double`. Run the cell with your answer.\n",
        ),
        ({"double": ...}, "q1 has no answer yet. Replace `double = ...` with your answer.\n"),
        ({"double": lambda x: x}, "q1 is not right yet: double(4) gave 4, and not 8.\n"),
        (
            cell("""
                def double(x):
                    return x / 0
            """),
            "q1 is not right yet: your code raised ZeroDivisionError: division by zero, at line 2 "
            "of your cell: `return x / 0`.\n",
        ),
        ({"double": lambda x: x + x}, "q1 is right. Twice as much.\n"),
    ],
)
def test_check_says_what_it_makes_of_an_answer(
    namespace: dict[str, Any], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exercise(**namespace).check()
    assert capsys.readouterr().out == words


def test_an_answer_can_be_fixed() -> None:
    namespace: dict[str, Any] = {}
    q1 = Exercise(namespace, "q1", wants=["double"], judge=judge, hints=["…"], solution="…")
    q1.assert_check_unattempted()
    namespace["double"] = lambda x: x
    q1.assert_check_failed()
    namespace["double"] = lambda x: 2 * x
    q1.assert_check_passed()


def test_each_hint_says_more_and_the_last_stays(capsys: pytest.CaptureFixture[str]) -> None:
    q1 = exercise()
    for _ in range(4):
        q1.hint()
    assert capsys.readouterr().out.splitlines() == [
        "Hint 1 of 3: Think of two.",
        "Hint 2 of 3: Multiply by two.",
        "Hint 3 of 3: return 2 * x",
        "Hint 3 of 3: return 2 * x",
    ]


def test_long_lines_are_broken_between_words_and_keep_their_indent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(display, "COLUMNS", COLUMNS)
    told = "a word " * 20 + "up-to-date " * 9 + "y" * 90
    text = f"in short:\n  {told}\n  the end"
    q1 = Exercise(
        {"double": 1}, "q1", wants=["double"], judge=lambda _: text, hints=[told], solution="…"
    )
    for say, begins in ((q1.check, "q1 is right. in short:"), (q1.assert_check_passed, "q1 is")):
        say()
        first, *lines, last = capsys.readouterr().out.splitlines()
        assert first.startswith(begins)
        assert last == "  the end"
        assert all(line.startswith("  ") for line in lines)
        assert " ".join(" ".join(lines).split()) == told
        assert sorted(map(len, lines))[-2:] == [COLUMNS, 92]  # a long word stays whole
        assert not [line for line in lines if line.endswith("-")]
    q1.hint()
    hint = capsys.readouterr().out
    assert " ".join(hint.split()) == f"Hint 1 of 1: {told}"
    assert len(hint.splitlines()) == 5


def test_solution_shows_a_right_answer(capsys: pytest.CaptureFixture[str]) -> None:
    exercise().solution()
    assert capsys.readouterr().out == "A right answer to q1:\n\ndouble = lambda x: 2 * x\n"


RIGHT, WRONG = {"double": lambda x: 2 * x}, {"double": lambda x: x}


@pytest.mark.parametrize(
    ("namespace", "method"),
    [
        (WRONG, "assert_check_passed"),
        ({}, "assert_check_passed"),
        (RIGHT, "assert_check_failed"),
        ({}, "assert_check_failed"),
        (RIGHT, "assert_check_unattempted"),
        (WRONG, "assert_check_unattempted"),
    ],
)
def test_ci_is_told_when_a_check_is_not_as_expected(namespace: dict[str, Any], method: str) -> None:
    with pytest.raises(AssertionError):
        getattr(exercise(**namespace), method)()


# Time limit


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Exercise, "limit", 0.2)


LOCKED = """
    import threading

    lock = threading.Lock()

    def double(x):
        with lock:
            return again(x)

    def again(x):
        with lock:
            return 2 * x
"""


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            """
            def double(x):
                while True:
                    x = 2 * x % 1000
            """,
            "after 0.2 s your code was still running, at line",
        ),
        (
            LOCKED,
            "after 0.2 s your code still waited at line 10 of your cell: `with lock:`. The check "
            "was stopped. What should end that wait, and which thread does it?",
        ),
        (
            """
            import threading

            def double(x):
                threading.Event().wait()
            """,
            "after 0.2 s your code still waited at line 4 of your cell: "
            "`threading.Event().wait()`.",
        ),
        (
            """
            import queue

            def double(x):
                return queue.Queue().get()
            """,
            "still waited at line 4 of your cell: `return queue.Queue().get()`.",
        ),
        (
            """
            def double(x):
                while True:
                    try:
                        x += 1
                    except Exception:
                        pass
            """,
            "after 0.2 s your code was still running, at line",
        ),
    ],
    ids=["loop", "lock", "event", "queue", "swallows"],
)
def test_what_does_not_end_is_stopped_with_its_thread(
    source: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = set(threading.enumerate())
    exercise(**cell(source)).check()
    assert words in capsys.readouterr().out
    assert_only(before)


@pytest.mark.usefixtures("short")
def test_a_lock_that_an_abandoned_check_held_is_free_for_the_next(
    capsys: pytest.CaptureFixture[str],
) -> None:
    namespace = cell(LOCKED)
    exercise(**namespace).check()
    assert not namespace["lock"].locked()
    cell("again = lambda x: 2 * x", namespace)
    exercise(**namespace).assert_check_passed()


@pytest.mark.usefixtures("short")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_the_learner_started_is_stopped_too() -> None:
    namespace = cell("""
        import threading

        def work():
            while True:
                pass

        def double(x):
            thread = threading.Thread(target=work, daemon=True)
            thread.start()
            thread.join()
    """)
    before = set(threading.enumerate())
    exercise(**namespace).assert_check_failed()
    assert_only(before)


@pytest.mark.usefixtures("short")
def test_a_bare_except_does_not_keep_a_loop_alive() -> None:
    namespace = cell("""
        def double(x):
            while True:
                try:
                    x += 1
                except:
                    print("caught")
    """)
    exercise(**namespace).assert_check_failed()
    deadline = time.monotonic() + 60
    while any(thread.name == "check" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.usefixtures("short")
def test_a_check_that_is_slow_by_itself_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    judge = queue.Queue[str]().get  # waits, and runs nothing of the learner's
    Exercise(RIGHT, "q1", wants=["double"], judge=judge, hints=["…"], solution="…").check()
    assert capsys.readouterr().out == (
        "q1 is not right yet: the check had not ended after 0.2 s, and was stopped. Your code was "
        "not running at that moment. Is this computer busy? Run the check again.\n"
    )


def test_an_interrupt_ends_a_check(request: pytest.FixtureRequest) -> None:
    # In a job that a shell runs in the background, the signal is ignored.
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, former))
    before = set(threading.enumerate())
    started = threading.Event()
    namespace = cell("""
        def double(x):
            started.set()
            while True:
                pass
    """)
    namespace["started"] = started

    def interrupt() -> None:
        started.wait()
        signal.raise_signal(signal.SIGINT)

    interrupting = threading.Thread(target=interrupt, daemon=True)
    interrupting.start()
    with pytest.raises(KeyboardInterrupt):
        exercise(**namespace).check()
    interrupting.join()
    assert_only(before)


def test_an_interrupt_while_a_check_starts_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The learner's code may run before `Thread.start` has returned."""
    begun, start = threading.Event(), threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        if thread.name == "check":
            assert begun.wait(10)
            raise KeyboardInterrupt

    namespace = cell("""
        def double(x):
            begun.set()
            while True:
                pass
    """)
    namespace["begun"] = begun
    before = set(threading.enumerate())
    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        exercise(**namespace).check()
    assert_only(before)


def test_what_the_learner_prints_is_seen(capsys: pytest.CaptureFixture[str]) -> None:
    exercise(**cell("double = lambda x: print('x is', x) or 2 * x")).check()
    assert capsys.readouterr().out == "x is 4\nq1 is right. Twice as much.\n"


def test_in_a_notebook_the_next_cell_runs_after_a_check_that_hangs() -> None:
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_code_cell(source)
        for source in (
            "from jwt_course import Exercise\nExercise.limit = 0.5\n"
            "q1 = Exercise(globals(), 'q1', wants=['f'], judge=lambda f: f(), hints=[], "
            "solution='')",
            "def f():\n    print('begun')\n    while True:\n        pass",
            "q1.check()",
            "f = lambda: str(nothing)\nq1.check()",
        )
    ]
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    third, fourth = (
        " ".join("".join(output["text"] for output in cell.outputs).split())
        for cell in notebook.cells[2:]
    )
    assert third.startswith("begun q1 is not right yet: after 0.5 s your code was still running")
    assert "of your cell: `while True:`" in third or "of your cell: `pass`" in third
    assert fourth == (
        "q1 is not right yet: your code raised NameError: name 'nothing' is not defined, at line 1 "
        "of your cell: `f = lambda: str(nothing)`. Which cell defines that name, and have you run "
        "it?"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("'exp'", "'exp'"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2ln", "<token "),
        ("part eyJhbGciOiJI", "part ***"),
        ("key " + "0f" * 32, "key ***"),
        ("$2b$04$" + "a" * 53, "***"),
        (repr(bytes(range(200, 232))), "b'***'"),
        ("x " * 300, "…"),
    ],
)
def test_an_error_shows_no_secret(
    text: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def double(x: int) -> int:
        raise ValueError(text)

    exercise(double=double).check()
    said = capsys.readouterr().out
    assert f"your code raised ValueError: {shown}" in said or shown == "…" in said
    assert text == "'exp'" or text not in said


class Broken(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("broken")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Broken(), "Broken"),
        (asyncio.CancelledError(), "CancelledError"),
        (GeneratorExit(), "GeneratorExit"),
        (ValueError("a\ud800b \x1b[31mred"), "ValueError: a\N{REPLACEMENT CHARACTER}b"),
        (ValueError("y" * 1_000_000), "ValueError: yyyy"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_the_learners_code_raises_is_told(
    error: BaseException, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def double(x: int) -> int:
        raise error

    exercise(double=double).check()
    out = capsys.readouterr().out
    assert out.startswith(f"q1 is not right yet: your code raised {words}")
    assert out.replace("\n", "").isprintable()
    assert len(out) < 500

"""Where a thread is, without the deadlock and the crash of Python before 3.12."""

from __future__ import annotations

import gc
import inspect
import linecache
import threading
from collections.abc import Iterator

import pytest
from jwt_course.judging.frames import current_frames, frame_of, variables_of


@pytest.fixture
def waiting() -> Iterator[list[threading.Thread]]:
    """Threads that wait."""
    event = threading.Event()
    threads = [threading.Thread(target=event.wait, args=(60,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    yield threads
    event.set()
    for thread in threads:
        thread.join()


@pytest.fixture
def eager_collector() -> Iterator[None]:
    """Collects garbage at almost every allocation."""
    before = gc.get_threshold()
    gc.set_threshold(1)
    yield
    gc.set_threshold(*before)


def test_nothing_is_collected_while_the_interpreter_looks(
    waiting: list[threading.Thread], eager_collector: None
) -> None:
    """A collection runs Python code, such as a finaliser, while a lock of Python is held."""
    lines: list[str] = []

    def collecting(phase: str, info: dict[str, int]) -> None:
        here = inspect.currentframe()
        frame = here.f_back if here else None
        if frame is not None:
            lines.append(linecache.getline(frame.f_code.co_filename, frame.f_lineno))

    gc.callbacks.append(collecting)
    try:
        for _ in range(50):
            assert {thread.ident for thread in waiting} <= set(current_frames())
            for thread in waiting:
                frame = frame_of(thread)
                assert frame is not None
                assert isinstance(variables_of(frame), dict)
    finally:
        gc.callbacks.remove(collecting)
    lookups = ("current_frames()\n", "f_locals)\n")
    assert lines
    assert [line for line in lines if "return" in line and line.endswith(lookups)] == []


@pytest.mark.parametrize("collects", [True, False])
def test_the_collector_is_left_as_it_was(collects: bool) -> None:
    (gc.enable if collects else gc.disable)()
    try:
        current_frames()
        assert gc.isenabled() is collects
    finally:
        gc.enable()


def test_a_thread_has_a_frame_as_long_as_it_runs(waiting: list[threading.Thread]) -> None:
    assert [frame_of(thread) is None for thread in waiting] == [False] * 8
    ended = threading.Thread(target=int)
    ended.start()
    ended.join()
    assert frame_of(ended) is None


def test_the_variables_are_those_of_this_moment() -> None:
    def wait(number: int) -> None:
        came.set()
        go.wait(60)

    came, go = threading.Event(), threading.Event()
    thread = threading.Thread(target=wait, args=(7,))
    thread.start()
    assert came.wait(60)
    frame = frame_of(thread)
    while frame is not None and frame.f_code is not wait.__code__:
        frame = frame.f_back
    assert frame is not None
    assert variables_of(frame) == {"number": 7, "came": came, "go": go}
    go.set()
    thread.join()

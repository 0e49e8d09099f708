"""Where a thread is, without the deadlock of Python before 3.11.9."""

from __future__ import annotations

import gc
import inspect
import linecache
import threading
from collections.abc import Iterator

import pytest
from jwt_course.judging.frames import current_frames, frame_of


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
    finally:
        gc.callbacks.remove(collecting)
    assert lines
    assert [line for line in lines if "return" in line and "current_frames()" in line] == []


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

"""Other libraries in the stampede. They are installed where the tests run: none is skipped."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest
from jwt_course.lesson_05 import peers
from jwt_course.lesson_05.peers import PEERS, refreshes_of, run_peer
from jwt_course.lesson_05.stampede import StampedeResult

CALLS = 20


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # The refresh of one call succeeded, and its token was refused with the whole session.
        ("requests-oauthlib", StampedeResult(CALLS, 0, 1, 19, 0, 20, 1, ("InvalidGrantError",))),
        ("authlib", StampedeResult(CALLS, 0, 1, 19, 0, 20, 1, ("OAuthError",))),
        # That call meets the refusal with one more refresh.
        ("google-auth", StampedeResult(CALLS, 0, 0, 20, 0, 21, 1, ("RefreshError",))),
        ("botocore", StampedeResult(CALLS, CALLS, 0, 0, 0, 1, 0)),
    ],
)
def test_twenty_callers_with_rotation(name: str, expected: StampedeResult) -> None:
    before = set(threading.enumerate())
    assert run_peer(name, CALLS) == expected
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize(
    ("name", "window", "refreshes"),
    [
        ("requests-oauthlib", 0, 0),
        ("authlib", 60, 5),
        ("google-auth", 225, 5),
        ("botocore", 900, 5),
    ],
)
def test_a_default_window_against_a_token_of_a_minute(
    name: str, window: float, refreshes: int
) -> None:
    assert refreshes_of(name, 5, 60) == (window, refreshes)


@pytest.mark.parametrize("name", PEERS)
def test_no_window_is_too_wide_for_a_token_of_an_hour(name: str) -> None:
    seen = refreshes_of(name, 3, 3600)
    assert seen is not None
    assert seen[1] == 0


@pytest.mark.parametrize("name", PEERS)
def test_a_library_that_is_not_installed_is_left_out(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(module: str) -> Any:
        raise ModuleNotFoundError(module)

    monkeypatch.setattr(peers, "import_module", missing)
    assert run_peer(name, 2) is None
    assert refreshes_of(name) is None


def test_no_caller_has_its_answer_before_all_refreshes_are_answered() -> None:
    with peers.peer("requests-oauthlib", lifetime=3600, expired=True) as (caller, edge, log, race):
        assert caller is not None
        with race:
            calls = [race.call(caller.call) for _ in range(3)]
            race.settle()
            assert peers.refreshes_in(log) == 0  # all three see the expired token first
            edge.refresh.open()
            race.settle()
            assert [event.name for event in log].count("token.rejected") == 2
            assert [call.done for call in calls] == [False] * 3
            edge.answer.open()
            race.settle()
            assert [call.done for call in calls] == [True] * 3


def test_nothing_leaves_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts: set[str] = set()
    connect = socket.socket.connect

    def watched(self: socket.socket, address: Any) -> Any:
        hosts.add(address[0])
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", watched)
    for name in PEERS:
        run_peer(name, 2)
    assert hosts == {"127.0.0.1"}

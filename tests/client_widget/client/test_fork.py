"""A child process that is forked while the client is at work."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import flask
import pytest

from client_widget import AuthClient, Event, EventLog, Request, TokenStore
from demo_server import DemoClock, DemoServer, ServerConfig

WELCOME = {"message": "Welcome ada"}


def in_child(call: Callable[[], Any]) -> Any:
    """What `call` returns in a child process, which must not hang."""
    fork = multiprocessing.get_context("fork")
    receiver, sender = fork.Pipe(duplex=False)
    child = fork.Process(target=lambda: sender.send(call()), daemon=True)
    child.start()
    try:
        assert receiver.poll(30), "the child does not answer"
        return receiver.recv()
    finally:
        child.kill()
        child.join()


@pytest.fixture
def config() -> ServerConfig:
    return ServerConfig(bcrypt_cost=4)


def test_during_a_refresh_the_child_refreshes_for_itself(ada: AuthClient, clock: DemoClock) -> None:
    """The thread that refreshes is not in the child, and will never finish there."""
    clock.advance(61)
    parent, came, go = os.getpid(), threading.Event(), threading.Event()

    def hold(message: Request) -> Request:
        if message.purpose == "refresh" and os.getpid() == parent:
            came.set()
            assert go.wait(timeout=60)
        return message

    ada.before_send = hold
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(ada.home)
        assert came.wait(timeout=20)
        try:
            assert in_child(ada.home) == WELCOME
        finally:
            go.set()
        assert call.result(timeout=20) == WELCOME


def test_with_a_token_file_the_child_waits_for_its_parent(
    ada: AuthClient, clock: DemoClock, tmp_path: Path
) -> None:
    """They are two processes with one file, so they send one refresh. This wait is bounded."""
    pair, store = ada.store.get(), TokenStore(tmp_path / "tokens")
    assert pair is not None
    store.set(pair)
    came, go = threading.Event(), threading.Event()

    def lead(_: object) -> str:
        came.set()
        assert go.wait(timeout=60)
        return "led"

    def refresh(lead: Callable[[object], str]) -> str:
        return store.refresh_once(pair, lead, lambda e: type(e).__name__, patience=0.0)

    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(refresh, lead)
        assert came.wait(timeout=20)
        try:
            assert in_child(lambda: refresh(lambda _: "led")) == "RefreshPending"
        finally:
            go.set()
        assert call.result(timeout=20) == "led"
    assert in_child(lambda: refresh(lambda _: "led")) == "led"


def test_parent_and_child_share_no_connection(client: AuthClient, server: DemoServer) -> None:
    @server.app.get("/port")
    def port() -> dict[str, str]:
        return {"port": flask.request.environ["REMOTE_PORT"]}

    def ask() -> Any:
        return client.request("GET", "/port").json()["port"]

    assert ask() == ask()
    assert in_child(ask) != ask()


def test_a_log_that_another_thread_has_locked_is_free_in_the_child() -> None:
    log = EventLog()
    came, go = threading.Event(), threading.Event()

    def hold(event: Event) -> None:
        if event.name == "held":
            came.set()
            assert go.wait(timeout=60)

    log.subscribe(hold)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(log.record, "held", source="test")
        assert came.wait(timeout=20)
        try:
            assert in_child(lambda: log.record("free", source="test").name) == "free"
        finally:
            go.set()

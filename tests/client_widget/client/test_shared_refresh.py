"""One refresh for all clients of a store and all processes of a file, and no endless wait."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from filelock import FileLock

from client_widget import (
    AuthClient,
    Deadlock,
    EventLog,
    LoginRequired,
    RefreshPending,
    Request,
    Stepper,
    TokenPair,
    TokenStore,
)
from client_widget.client import auth_client, outgoing_call
from client_widget.protocol import single_flight, store, token_file
from client_widget.protocol.single_flight import SingleFlight
from demo_server import DemoClock, ServerConfig

from ...conftest import PASSWORD, Gate, hold_refresh_until_rejected, in_threads
from .test_properties import Line, World

WELCOME = {"message": "Welcome ada"}


@pytest.fixture
def config() -> ServerConfig:
    return ServerConfig(bcrypt_cost=4, policy="rfc")


def within(seconds: float, call: Callable[[], Any]) -> Any:
    """What `call` returns or raises in a thread; it must not take longer."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(call())
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert results, f"not done within {seconds} s"
    return results[0]


def client_on(line: Line, store: TokenStore) -> AuthClient:
    """A client with a session in `store`, whose messages go over `line`."""
    client = AuthClient("http://demo", store=store, clock=lambda: line.world.now)
    client.transport.session.mount("http://", line)
    store.set(TokenPair(*line.world.grant()))
    return client


def refreshes(log: EventLog) -> int:
    return sum(event.name == "token.spent" for event in log)


class TestClientsOfOneStore:
    @pytest.mark.parametrize("attempt", range(20))
    def test_two_clients_send_one_refresh(
        self, ada: AuthClient, clock: DemoClock, gate: Gate, log: EventLog, attempt: int
    ) -> None:
        other = AuthClient(ada.base_url, store=ada.store, clock=clock)
        clients = iter([ada, other])
        clock.advance(61)
        hold_refresh_until_rejected(gate, 2)
        assert in_threads(2, lambda: next(clients).home()) == [WELCOME] * 2
        assert refreshes(log) == 1


#: A process with a client over a token file. It calls once for each line that it reads.
PROCESS = """
import sys
from client_widget import AuthClient, TokenStore
client = AuthClient(sys.argv[1], store=TokenStore(sys.argv[2]))
print("ready", flush=True)
for _ in sys.stdin:
    try:
        print(client.home(), flush=True)
    except Exception as error:
        print(repr(error), flush=True)
"""


class Process:
    """A second process, which uses a token file at our word."""

    def __init__(self, url: str, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROCESS, url, str(path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.line() == "ready"

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def end(self) -> None:
        self._process.communicate(timeout=20)


class TestProcessesOfOneFile:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "tokens"

    def test_of_two_processes_one_refreshes_and_both_stay_logged_in(
        self, ada: AuthClient, path: Path, clock: DemoClock, gate: Gate, log: EventLog
    ) -> None:
        owner = AuthClient(ada.base_url, store=TokenStore(path))
        owner.login("ada", PASSWORD)
        processes = [Process(ada.base_url, path) for _ in range(2)]
        try:
            for count in range(1, 21):
                clock.advance(61)
                hold_refresh_until_rejected(gate, 2)
                for process in processes:
                    process.go()
                assert [process.line() for process in processes] == [str(WELCOME)] * 2
                assert refreshes(log) == count
        finally:
            for process in processes:
                process.end()
        assert not [event for event in log if event.name == "reuse.detected"]

    def test_another_process_that_logged_in_as_another_user(
        self, ada: AuthClient, path: Path, clock: DemoClock
    ) -> None:
        """The call of one user is not sent as the next; the next call is."""
        ada.register("bob", PASSWORD)
        first = AuthClient(ada.base_url, store=TokenStore(path))
        first.login("ada", PASSWORD)
        second = AuthClient(ada.base_url, store=TokenStore(path))
        first.login("bob", PASSWORD)
        clock.advance(61)
        with pytest.raises(LoginRequired):
            second.home()
        assert second.home() == {"message": "Welcome bob"}

    def test_another_process_that_does_not_finish(
        self, ada: AuthClient, path: Path, clock: DemoClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = AuthClient(ada.base_url, store=TokenStore(path))
        client.login("ada", PASSWORD)
        clock.advance(61)
        monkeypatch.setattr(outgoing_call, "patience", lambda _: 0.0)
        with FileLock(path.with_name(".tokens.refresh.lock")):
            with pytest.raises(RefreshPending, match="Another process"):
                client.home()
        assert client.home() == WELCOME


class TestNoWaitWithoutEnd:
    def hold_the_refresh(self, client: AuthClient) -> tuple[threading.Event, threading.Event]:
        """Hold the first refresh in `before_send`: it has come there, it may go on."""
        came, go = threading.Event(), threading.Event()

        def hold(message: Request) -> Request:
            if message.purpose == "refresh":
                came.set()
                assert go.wait(timeout=60)
            return message

        client.before_send = hold
        return came, go

    def test_a_hook_that_uses_its_own_client(self, ada: AuthClient, clock: DemoClock) -> None:
        def hook(message: Request) -> Request:
            if message.purpose == "refresh":
                ada.home()
            return message

        ada.before_send = hook
        clock.advance(61)
        assert isinstance(within(20, ada.home), Deadlock)
        ada.before_send = lambda message: message
        assert ada.home() == WELCOME

    def test_a_hook_that_uses_its_own_client_in_another_thread(
        self, ada: AuthClient, clock: DemoClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(outgoing_call, "patience", lambda _: 0.0)
        found: list[Any] = []

        def hook(message: Request) -> Request:
            if message.purpose == "refresh":
                found.append(within(20, ada.home))
            return message

        ada.before_send = hook
        clock.advance(61)
        assert within(40, ada.home) == WELCOME
        assert [type(error) for error in found] == [RefreshPending]

    def test_a_refresh_that_does_not_finish(
        self, ada: AuthClient, clock: DemoClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(outgoing_call, "patience", lambda _: 0.0)
        came, go = self.hold_the_refresh(ada)
        clock.advance(61)
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(ada.home)
            assert came.wait(timeout=20)
            assert isinstance(within(20, ada.home), RefreshPending)
            go.set()
            assert call.result(timeout=20) == WELCOME

    def test_time_in_which_a_person_looks_at_the_refresh_does_not_count(self) -> None:
        flights, looks = SingleFlight(), iter(range(5))
        came, go = threading.Event(), threading.Event()

        def lead(_: object) -> str:
            came.set()
            assert go.wait(timeout=20)
            return "led"

        def is_paused() -> bool:
            if next(looks, None) is None:
                go.set()
            return True

        def fly() -> str:
            return flights.run(
                "pair", lambda: not go.is_set(), lead, str, patience=0.0, is_paused=is_paused
            )

        with ThreadPoolExecutor(1) as pool:
            leader = pool.submit(fly)
            assert came.wait(timeout=20)
            assert fly() == "None"  # and no `RefreshPending`
            assert leader.result(timeout=20) == "led"

    def test_a_person_who_looks_at_the_refresh_may_take_hours(
        self, ada: AuthClient, clock: DemoClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        held, time = threading.Event(), Hours()

        def on_change() -> None:
            if stepper.waiting is not None and stepper.waiting.purpose == "refresh":
                held.set()

        stepper = Stepper(on_change)
        time.pass_while = lambda: stepper.waiting is not None
        monkeypatch.setattr(single_flight, "time", time)
        monkeypatch.setattr(single_flight, "LOOK_AGAIN", 0.01)
        ada.before_send = stepper
        other = AuthClient(ada.base_url, store=ada.store, clock=clock)
        clock.advance(61)
        stepper.on = True
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(ada.home)
            while stepper.waiting is None:
                assert not first.done()
            stepper.next()
            assert held.wait(timeout=20)
            second = pool.submit(other.home)
            assert time.passed.wait(timeout=20)
            assert not second.done()
            stepper.on = False
            assert [first.result(timeout=20), second.result(timeout=20)] == [WELCOME] * 2


class Hours:
    """Stands for the module `time`: an hour passes at each look, while it should."""

    def __init__(self) -> None:
        self.pass_while: Callable[[], bool] = bool
        self.passed = threading.Event()
        self._hours = 0

    def monotonic(self) -> float:
        self._hours += self.pass_while()
        if self._hours > 5:
            self.passed.set()
        return 3600.0 * self._hours


@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [(2, 5), (2.5, 6), ((1, 2), 4), ((1, None), 17), (None, 19.05), (object(), 19.05)],
)
def test_how_long_a_call_waits_follows_from_its_timeout(timeout: Any, seconds: float) -> None:
    assert outgoing_call.patience(timeout) == pytest.approx(seconds)


class Interrupt:
    """Raises `KeyboardInterrupt` at the n-th line of the refresh that runs."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.passed = 0

    def __enter__(self) -> Interrupt:
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    @staticmethod
    @cache  # it is asked at each call of a function
    def _is_meant(code: CodeType) -> bool:
        whole = {module.__file__ for module in (single_flight, store, token_file)}
        names = ("_refresh_once", "_advance", "_record_outcome", "lead", "follow")
        return code.co_filename in whole or (
            code.co_filename == auth_client.__file__ and code.co_name in names
        )

    def _call(self, frame: FrameType, event: str, _: object) -> Any:
        return self._line if self._is_meant(frame.f_code) else None

    def _line(self, frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            self.passed += 1
            if self.passed == self.at:
                sys.settrace(None)
                raise KeyboardInterrupt
        return self._line


def test_a_second_interrupt_while_the_first_is_handled_leaves_no_flight_behind() -> None:
    for at in range(1, 1000):
        flights = SingleFlight()

        def lead(_: object) -> str:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt) as kept, Interrupt(at) as interrupt:
            flights.run("pair", lambda: True, lead, str, patience=20.0)

        def fly() -> str:
            return flights.run("pair", lambda: True, lambda _: "led", str, patience=20.0)

        assert (fly(), within(30, fly)) == ("led", "led"), kept
        if interrupt.passed < at:
            break
    assert at > 10


# An interrupt between opening a file and closing it leaves that to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.parametrize("path", [None, "tokens"], ids=["memory", "file"])
def test_an_interrupt_at_any_line_leaves_the_next_call_working(
    tmp_path: Path, path: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tracebacks are kept, as IPython keeps them, so what their frames hold is not freed."""
    kept: list[BaseException] = []
    monkeypatch.setattr(token_file.os, "fsync", lambda _: None)
    for at in range(1, 1000):
        world = World(rotates=False)
        client = client_on(Line(world, []), TokenStore(path and tmp_path / f"tokens {at}"))
        world.now += 61
        try:
            with Interrupt(at):
                client.request("POST", "/echo")
        except KeyboardInterrupt as interrupt:
            kept.append(interrupt)
        else:
            break
        assert client.request("POST", "/echo").status_code == 200
        world.now += 61
        answer = within(30, lambda: client.request("POST", "/echo"))
        assert getattr(answer, "status_code", answer) == 200
    assert 40 < len(kept) == at - 1
    kept.clear()
    gc.collect()

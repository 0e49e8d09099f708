"""The grader takes right clients, however they are written, and no other."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import requests
from IPython.core.formatters import DisplayFormatter
from jwt_course.lesson_09.client_scenarios import SCENARIOS
from jwt_course.lesson_09.faulty_auths import FlagAuth
from jwt_course.lesson_09.faulty_clients import RushClient, SilentClient
from jwt_course.lesson_09.grader import Report, Row, find_fault, grade, watch
from jwt_course.lesson_09.stage import PASSWORD

from client_widget import (
    ArticleAuth,
    AuthClient,
    BearerAuth,
    LoginRequired,
    Request,
    TokenPair,
)
from client_widget.protocol.auth_flow import AuthFlow, may_have_expired, with_bearer


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Generator[None]:
    before = set(threading.enumerate())
    yield
    assert [thread.name for thread in threading.enumerate() if thread not in before] == []


def make_ahead(url: str, **given: Any) -> AuthClient:
    return AuthClient(url, auth=partial(BearerAuth, clock=given["clock"]), **given)


class OneLock(RushClient):
    """The double-checked lock of botocore: those wait that need a refresh."""

    def _refresh_once(self, flow: AuthFlow, message: Request, call: Any) -> Request:
        with self._refreshes.lock:
            if self.store.get() is message.replaces:
                return self._advance(flow, message, call)
        return flow.send(None)


class OwnLogin(AuthClient):
    """Sends its login itself: a client need not send everything through `AuthClient`."""

    def login(self, username: str, password: str) -> None:
        credentials = {"username": username, "password": password}
        answer = requests.post(f"{self.base_url}/users/login", json=credentials, timeout=10).json()
        self.store.set(TokenPair(answer["accessToken"], answer["refreshToken"]))


@pytest.mark.parametrize(
    "right",
    [AuthClient, BearerAuth, make_ahead, OneLock, OwnLogin],
    ids=lambda right: right.__name__,
)
def test_a_right_client_passes(right: Callable[..., Any]) -> None:
    """With much patience: on a busy machine it may take long, but it never waits in vain."""
    report = grade(right, patience=10)
    assert report.failures == ()
    assert [row.scenario for row in report.rows] == [scenario.name for scenario in SCENARIOS]


class WithFlag(AuthClient):
    """Base of fixes that leave the flag where it is."""

    def __init__(self, url: str, **given: Any) -> None:
        super().__init__(url, auth=partial(FlagAuth, clock=given["clock"]), **given)


class Swallow(WithFlag):
    """Gives the last good answer in place of an error."""

    last: Any = None

    def request(self, *args: Any, **options: Any) -> Any:
        try:
            answer = super().request(*args, **options)
        except Exception:
            return self.last
        if answer.status_code == 200:
            self.last = answer
        return self.last


class UntilItWorks(WithFlag):
    def request(self, *args: Any, **options: Any) -> Any:
        while (answer := super().request(*args, **options)).status_code in (401, 403):
            pass
        return answer


class SleepAndRetry(WithFlag):
    def request(self, *args: Any, **options: Any) -> Any:
        answer = super().request(*args, **options)
        if answer.status_code in (401, 403):
            time.sleep(0.001)
            answer = super().request(*args, **options)
        return answer


class Stagger(RushClient):
    """Each call waits a little longer than the one before."""

    turn = 0

    def _refresh_once(self, flow: AuthFlow, message: Request, call: Any) -> Request:
        self.turn += 1
        time.sleep(0.0005 * self.turn)
        return super()._refresh_once(flow, message, call)


class LoginAgain(AuthClient):
    """Keeps the password, and uses it whatever happens."""

    def request(self, *args: Any, **options: Any) -> Any:
        try:
            return super().request(*args, **options)
        except Exception:
            self.login("ada", PASSWORD)
            return super().request(*args, **options)


class GlobalLock(AuthClient):
    """One call at a time."""

    def request(self, *args: Any, **options: Any) -> Any:
        with vars(self).setdefault("one", threading.Lock()):
            return super().request(*args, **options)


class BeforeEachCall(BearerAuth):
    def auth_flow(self, request: Request) -> AuthFlow:
        pair = self._store.get()
        if pair is not None:
            pair = yield from self._refreshed(pair)
        response = yield with_bearer(request, pair)
        assert response is not None
        return response


class LoweredFlag(FlagAuth):
    """The flag is lowered, and still it is one flag for all calls."""

    def auth_flow(self, request: Request) -> AuthFlow:
        pair = self._store.get()
        response = yield with_bearer(request, pair)
        assert response is not None
        if pair is None or not may_have_expired(response) or self._refreshing:
            return response
        self._refreshing = True
        try:
            pair = yield from self._refreshed(pair)
        finally:
            self._refreshing = False
        response = yield with_bearer(replace(request, purpose="retry"), pair)
        assert response is not None
        return response


class NobodyWaits(SilentClient):
    """Those who should wait go on at once, with the token that was refused."""

    def _refresh_once(self, flow: AuthFlow, message: Request, call: Any) -> Request:
        if self._refreshed is not None:
            return flow.send(None)
        return super()._refresh_once(flow, message, call)


@pytest.mark.parametrize(
    ("silencer", "scenario", "seen"),
    [
        (Swallow, "five in a row", "expiry 2: the caller got 200, after 1 refused access token."),
        (
            UntilItWorks,
            "five in a row",
            "expiry 2: the caller got 200, after 2 refused access tokens, 1 refresh, "
            "1 accepted access token.",
        ),
        (
            SleepAndRetry,
            "five in a row",
            "expiry 2: the caller got 200, after 2 refused access tokens, 1 refresh, "
            "1 accepted access token.",
        ),
        (Stagger, "four together", "4 refreshes for one expiry."),
        (
            LoginAgain,
            "refused",
            "the call: the caller got 200, after 1 refused access token, 1 refresh, "
            "1 accepted access token, 1 login.",
        ),
        (
            GlobalLock,
            "four together",
            "the calls were not under way together: one waited for the other.",
        ),
        (
            BeforeEachCall,
            "five in a row",
            "expiry 1: the caller got 200, after 1 refresh, 1 accepted access token.",
        ),
        (
            LoweredFlag,
            "four together",
            "1 of 4 calls ended with 200, the rest with 403 token_expired.",
        ),
        (
            NobodyWaits,
            "refused, and others wait",
            "1 of 4 calls ended with LoginRequired, the rest with 403 token_expired.",
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_fix_that_only_silences_the_symptom_fails(
    silencer: Callable[..., Any], scenario: str, seen: str
) -> None:
    fault = find_fault(silencer, scenario)
    assert fault is not None
    assert (fault.scenario, fault.seen) == (scenario, seen)


def test_the_articles_interceptor_fails() -> None:
    report = grade(partial(AuthClient, auth=ArticleAuth))
    assert {row.scenario for row in report.rows if row.passed} == {
        "refused again",
        "a wrong clock",
    }


class OnEvent(AuthClient):
    def wait_in_vain(self) -> None:
        threading.Event().wait()


class OnFuture(OnEvent):
    def wait_in_vain(self) -> None:
        Future[None]().result()


class OnLock(OnEvent):
    def wait_in_vain(self) -> None:
        lock = threading.Lock()
        with lock:
            lock.acquire()


class OnSleep(OnEvent):
    def wait_in_vain(self) -> None:
        while True:
            time.sleep(0.001)


@pytest.mark.parametrize("kind", [OnEvent, OnFuture, OnLock, OnSleep])
def test_a_call_that_hangs_is_ended_with_its_thread(
    kind: type[OnEvent], capsys: pytest.CaptureFixture[str]
) -> None:
    class Hangs(kind):  # type: ignore[valid-type, misc]
        def request(self, *args: Any, **options: Any) -> Any:
            try:
                self.wait_in_vain()
            except Exception:
                return None

    watch(Hangs, "refused", patience=0.02)
    assert "the caller got no answer (the call hung)" in capsys.readouterr().out


def test_a_client_that_does_not_stop_is_ended() -> None:
    class Runs(AuthClient):
        def request(self, *args: Any, **options: Any) -> Any:
            while True:
                try:
                    super().request(*args, **options)
                except LoginRequired:
                    continue

    fault = find_fault(Runs, "refused")
    assert fault is not None
    assert "no answer (the client did not stop)" in fault.seen


def raises(url: str, **given: Any) -> AuthClient:
    raise RuntimeError("eyJhbGciOi")


@pytest.mark.parametrize(
    ("candidate", "seen"),
    [
        (
            raises,
            f"the client raised RuntimeError: ***, at line {raises.__code__.co_firstlineno + 1} of "
            'your cell: `raise RuntimeError("***")`.',
        ),
        (42, "the client raised TypeError: 'int' object is not callable."),
        (
            lambda url, **given: None,
            "the client raised AttributeError: 'NoneType' object has no attribute 'before_send'.",
        ),
    ],
)
def test_what_makes_no_client_fails_each_scenario(candidate: Any, seen: str) -> None:
    assert {row.seen for row in grade(candidate).rows} == {seen}


def test_a_report_is_shown_as_text_and_as_html() -> None:
    report = Report(
        (
            Row("one", True, "A & B.", "A & B."),
            Row("two", False, "word " * 20 + "end.", "Less."),
        )
    )
    assert str(report).splitlines() == [
        "1 of 2 scenarios passed",
        "ok      one",
        "        seen:   A & B.",
        "FAILED  two",
        "        seen:   " + "word " * 15 + "word",
        "                word word word word end.",
        "        wanted: Less.",
    ]
    assert repr(report) == str(report)
    shown, _ = DisplayFormatter().format(report, include={"text/html"})
    assert '<td style="text-align: left">A &amp; B.</td>' in shown["text/html"]
    assert shown["text/html"].count("<tr>") == 3
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.rows = ()  # type: ignore[misc]


def test_no_scenario_of_that_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        watch(AuthClient, "six in a row")

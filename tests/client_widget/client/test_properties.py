"""What holds for any order of expiry, refusal, fault and concurrency.

The same facts three times: of flows that are stepped in a drawn order, of `AuthClient` in
threads, and of bodies that are sent twice. The server is a dozen lines, so that a fault can be
drawn for each message.
"""

from __future__ import annotations

import base64
import io
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests.adapters import BaseAdapter

from client_widget import (
    AuthClient,
    BearerAuth,
    ClientError,
    EventLog,
    LoginRequired,
    Request,
    ServerUnreachable,
    TokenPair,
    TokenStore,
)

from ...conftest import START, pair_of

# The same examples at each run, and no wall time in the verdict.
BY_RULE = settings(
    derandomize=True, deadline=None, database=None, max_examples=80,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
FEWER = settings(BY_RULE, max_examples=40)


@dataclass
class Answer:
    status_code: int
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        return self.body


#: What becomes of a message: it is answered, or it is lost on its way or on the way back, or the
#: server is busy, or answers nonsense, or refuses whatever the token.
FATES = ["answered", "lost", "answer lost", "busy", "nonsense", "refused"]
fates = st.sampled_from(["answered"] * 4 + FATES[1:])


class World:
    """A server, by either policy. Its tokens name their number and their time."""

    def __init__(self, rotates: bool) -> None:
        self.now = START
        self.rotates = rotates
        self.status = 401 if rotates else 403
        self.issued: list[str] = []
        self.live: set[str] = set()
        self.spent: set[str] = set()
        self.reuses = 0
        self.lock = threading.Lock()

    def _token(self, lifetime: int) -> str:
        claims = {"n": len(self.issued), "iat": self.now, "exp": self.now + lifetime}
        middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
        self.issued.append(f"head.{middle}.signature")
        return self.issued[-1]

    def grant(self) -> tuple[str, str]:
        access, refresh = self._token(60), self._token(10**6)
        self.live |= {access, refresh}
        return access, refresh

    def tokens_end(self, pair: TokenPair) -> None:
        """The refresh token of a pair has expired."""
        self.live.discard(pair.refresh)

    def number(self, token: str) -> int:
        return self.issued.index(token)

    def answer(self, fate: str, path: str, authorization: str, token: str) -> Answer | None:
        """The answer to a message, None if there is none."""
        with self.lock:
            if fate == "lost":
                return None
            if fate == "busy":
                return Answer(503)
            if fate == "nonsense":
                return Answer(200, ["no object"])
            if fate == "refused":
                return Answer(self.status, {"error": "token_invalid"})
            answer = self._refresh(token) if path == "/refresh" else self._call(authorization)
            return None if fate == "answer lost" else answer

    def _call(self, authorization: str) -> Answer:
        access = authorization.removeprefix("Bearer ")
        if access in self.live and claims_of(access)["exp"] > self.now:
            return Answer(200, {"message": "Welcome"})
        return Answer(self.status, {"error": "token_expired"})

    def _refresh(self, token: str) -> Answer:
        if token in self.spent:
            self.reuses += 1
            self.live.clear()
        if token not in self.live:
            return Answer(400 if self.rotates else 403, {"error": "invalid_grant"})
        if not self.rotates:
            access = self._token(60)
            self.live.add(access)
            return Answer(200, {"accessToken": access})
        self.live.discard(token)
        self.spent.add(token)
        access, refresh = self.grant()
        return Answer(200, {"accessToken": access, "refreshToken": refresh})


def claims_of(token: str) -> Any:
    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


class Call:
    """A call that is stepped: a message, or an answer on its way, or its end."""

    def __init__(self, auth: BearerAuth, number: int) -> None:
        self.request = Request("POST", "/echo", {"X-Call": str(number)})
        self.flow = auth.auth_flow(self.request)
        self.message: Request | None = next(self.flow)
        self.waits_for: TokenPair | None = None
        self.answer: Answer | None = None
        self.under_way: Request | None = None
        self.sent: list[Request] = []
        self.answers: list[Answer | None] = []
        self.result: Any = None
        self.error: Exception | None = None

    @property
    def ended(self) -> bool:
        return self.message is None and self.under_way is None

    def go_on(self, answer: Answer | Exception | None) -> None:
        self.message = self.under_way = None
        try:
            if isinstance(answer, Exception):
                self.message = self.flow.throw(answer)
            else:
                self.message = self.flow.send(answer)
        except StopIteration as end:
            self.result = end.value
        except ClientError as error:
            self.error = error

    def of(self, purpose: str) -> list[Request]:
        return [message for message in self.sent if message.purpose == purpose]


class Steps:
    """Calls over one store, stepped in a drawn order by the driver's rule."""

    def __init__(self, rotates: bool, ahead: bool) -> None:
        self.world = World(rotates)
        self.store = TokenStore()
        self.auth = BearerAuth(self.store, clock=(lambda: self.world.now) if ahead else None)
        self.calls: list[Call] = []
        self.fates: set[str] = set()
        self.lost_grants = 0
        self.login()

    @property
    def faults(self) -> bool:
        """Did anything go wrong on the way?"""
        return bool(self.fates - {"answered"})

    def login(self) -> None:
        self.store.set(TokenPair(*self.world.grant()))

    def logout(self) -> None:
        self.store.clear()

    def over(self) -> None:
        pair = self.store.get()
        if pair is not None:
            self.world.tokens_end(pair)

    def wait(self, seconds: int) -> None:
        self.world.now += seconds

    def move(self, number: int, fate: str) -> None:
        """Begin a call, or send its message, or give it its answer."""
        if number >= len(self.calls):
            self.calls.append(Call(self.auth, len(self.calls)))
            return
        call, before = self.calls[number], self.store.get()
        if call.under_way is not None:
            self._receive(call)
        elif call.message is not None:
            self._send(call, call.message, fate)
        else:
            return
        self._check_step(call, before)

    def _check_step(self, call: Call, before: TokenPair | None) -> None:
        """The store holds the pair, a newer one of the same session, or nothing; and a session
        ends by a refusal only, never by a fault on the way."""
        after, last = self.store.get(), call.answers[-1] if call.answers else None
        refreshed = bool(call.sent) and call.sent[-1].purpose == "refresh"
        refused = refreshed and last is not None and last.status_code in (400, 401, 403)
        if after is None:
            assert before is None or refused
        elif after is not before:
            assert before is not None
            assert after.session is before.session
            assert self.world.number(after.access) > self.world.number(before.access)
        if isinstance(call.error, LoginRequired):
            sessions = {m.signed_with.session for m in call.sent if m.signed_with}
            assert refused or before is None or before.session not in sessions
        # One refresh is on its way, whatever the messages say of themselves.
        on_their_way = [c.under_way for c in self.calls if c.under_way is not None]
        assert sum(message.path == "/refresh" for message in on_their_way) <= 1

    def _send(self, call: Call, message: Request, fate: str) -> None:
        pair = message.replaces
        if pair is not None and self.store.get() is not pair:
            call.go_on(None)
            return
        if pair is not None and any(c.under_way and c.under_way.replaces for c in self.calls):
            call.waits_for = pair
            return
        body = message.json or {}
        authorization = message.headers.get("Authorization", "")
        call.answer = self.world.answer(fate, message.path, authorization, body.get("token", ""))
        self.fates.add(fate)
        self.lost_grants += message.path == "/refresh" and fate == "answer lost"
        call.sent.append(message)
        call.under_way, call.message = message, None

    def _receive(self, call: Call) -> None:
        message, answer = call.under_way, call.answer
        assert message is not None
        call.answers.append(answer)
        lost = ServerUnreachable("no answer") if answer is None else None
        call.go_on(lost or answer)
        if message.replaces is None:
            return
        for other in self.calls:  # the flight has ended
            if other.waits_for is not None:
                other.waits_for = None
                if isinstance(call.error, ServerUnreachable):
                    other.go_on(ServerUnreachable("no answer"))

    def finish(self) -> None:
        """Without further faults, every call comes to its end."""
        for _ in range(20):
            for number, call in enumerate(self.calls):
                if not call.ended:
                    self.move(number, "answered")
        assert [call for call in self.calls if not call.ended] == []


moves = st.tuples(st.just("move"), st.integers(0, 2), fates)
steps = st.lists(
    moves | moves | moves
    | st.tuples(st.just("wait"), st.sampled_from([1, 51, 61]))
    | st.sampled_from([("login",), ("logout",), ("over",)]),
    min_size=15,
    max_size=50,
)  # fmt: skip


@pytest.mark.parametrize("ahead", [False, True], ids=["after", "ahead"])
@pytest.mark.parametrize("rotates", [False, True], ids=["article", "rfc"])
@BY_RULE
@given(steps=steps)
def test_any_order_of_steps(rotates: bool, ahead: bool, steps: list[Any]) -> None:
    lab = Steps(rotates, ahead)
    world = lab.world
    lab.wait(51 if ahead else 61)  # the first calls need a refresh
    for name, *arguments in steps:
        getattr(lab, name)(*arguments)
    lab.finish()

    granted: Counter[str] = Counter()
    for call in lab.calls:
        assert len(call.of("call")) <= 1
        assert len(call.of("retry")) <= 1
        refreshes = call.of("refresh")
        # Ahead of the expiry a refresh may fail, for the token is good yet.
        assert len(refreshes) <= (2 if ahead and lab.faults else 1)
        assert len({m.signed_with.session for m in call.sent if m.signed_with}) <= 1
        assert {m.headers["X-Call"] for m in call.sent if m.path == "/echo"} <= {
            call.request.headers["X-Call"]
        }
        if call.error is None:
            assert call.result is call.answers[-1]
            assert call.sent[-1].purpose in ("call", "retry")
        else:
            assert isinstance(call.error, (LoginRequired, ServerUnreachable))
        if isinstance(call.error, ServerUnreachable):
            assert lab.faults
        for message, answer in zip(call.sent, call.answers, strict=True):
            if message.purpose == "refresh" and answer is not None and answer.status_code == 200:
                granted[json.dumps(message.json)] += isinstance(answer.body, dict)
    if rotates:
        # No refresh token is spent twice, unless the answer to the first time was lost.
        assert max(granted.values(), default=0) <= 1
        assert world.reuses == 0 or lab.lost_grants


quiet_steps = st.lists(
    st.tuples(st.just("move"), st.integers(0, 3), st.just("answered"))
    | st.tuples(st.just("wait"), st.sampled_from([1, 51, 61])),
    min_size=15,
    max_size=50,
)


@pytest.mark.parametrize("ahead", [False, True], ids=["after", "ahead"])
@pytest.mark.parametrize("rotates", [False, True], ids=["article", "rfc"])
@FEWER
@given(steps=quiet_steps)
def test_where_nothing_goes_wrong_nobody_is_sent_to_log_in(
    rotates: bool, ahead: bool, steps: list[Any]
) -> None:
    lab = Steps(rotates, ahead)
    for name, *arguments in steps:
        getattr(lab, name)(*arguments)
    lab.finish()
    assert [call.error for call in lab.calls if call.error] == []
    assert lab.store.get() is not None
    assert lab.world.reuses == 0
    for call in lab.calls:
        # Time passes between any two messages, so the new token may be over as well. A call that
        # began with a refresh, its own or another's, has none left.
        assert call.result.status_code == 200 or ahead or call.of("retry")


class Line(BaseAdapter):
    """Takes the place of the network: what a client sends meets a `World` and a drawn fate."""

    def __init__(self, world: World, drawn: list[str]) -> None:
        super().__init__()
        self.world = world
        self.lock = threading.Lock()
        self.fates = iter(drawn)
        self.fated: list[str] = []
        self.bodies: dict[str, list[bytes]] = {}
        self.refreshes: Counter[str] = Counter()
        self.on_their_way: Counter[str] = Counter()
        self.most_on_their_way = 0

    def close(self) -> None:
        """There is nothing to close."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        body: Any = request.body or b""
        body = body.read() if hasattr(body, "read") else body
        body = body.encode() if isinstance(body, str) else body
        path, token = request.path_url, ""
        correlation = request.headers["X-Request-ID"]
        with self.lock:
            fate = next(self.fates, "answered")
            self.fated.append(fate)
            if path == "/refresh":
                token = json.loads(body)["token"]
                self.refreshes[correlation] += 1
                self.on_their_way[token] += 1
                self.most_on_their_way = max(self.most_on_their_way, *self.on_their_way.values())
            else:
                self.bodies.setdefault(correlation, []).append(body)
        time.sleep(0)  # let another thread go first
        answer = self.world.answer(fate, path, request.headers.get("Authorization", ""), token)
        time.sleep(0)
        if token:
            with self.lock:
                self.on_their_way[token] -= 1
        if answer is None:
            raise requests.ConnectionError("lost")
        return as_of_requests(request, answer)


def as_of_requests(request: requests.PreparedRequest, answer: Answer) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status_code
    response.headers["Content-Type"] = "application/json"
    response.raw = io.BytesIO(json.dumps(answer.body).encode())
    response.request = request
    response.url = request.url or ""
    return response


def client_on(line: Line) -> AuthClient:
    """A client with a session, whose messages go over `line`."""
    client = AuthClient("http://demo", log=EventLog(clock=lambda: line.world.now))
    client.clock = lambda: line.world.now
    client.transport.session.mount("http://", line)
    client.store.set(TokenPair(*line.world.grant()))
    return client


def outcome_of(client: AuthClient, **options: Any) -> requests.Response | ClientError:
    """What the caller gets; any other error is nobody's due."""
    try:
        return client.request("POST", "/echo", **options)
    except ClientError as error:
        return error


@pytest.fixture(autouse=True, scope="module")
def _many_switches() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def assert_log_holds_no_token(log: EventLog, world: World) -> None:
    text = log.to_jsonl()
    for token in world.issued:
        assert token not in text
        assert token.split(".")[1] not in text


@pytest.mark.parametrize("rotates", [False, True], ids=["article", "rfc"])
@FEWER
@given(
    drawn=st.lists(fates, max_size=12),
    waits=st.lists(st.sampled_from([0, 1, 61]), min_size=1, max_size=3),
    width=st.integers(1, 6),
)
def test_threads_that_share_a_client(
    rotates: bool, drawn: list[str], waits: list[int], width: int
) -> None:
    world = World(rotates)
    line = Line(world, drawn)
    client = client_on(line)
    session = pair_of(client)
    outcomes: list[Any] = []
    with ThreadPoolExecutor(width) as pool:
        for seconds in waits:
            world.now += seconds
            outcomes += pool.map(lambda _: outcome_of(client), range(width))

    assert line.most_on_their_way <= 1
    assert max(len(sent) for sent in line.bodies.values()) <= 2
    assert max(line.refreshes.values(), default=0) <= 1
    faults = {fate for fate in line.fated if fate != "answered"}
    for outcome in outcomes:
        assert isinstance(outcome, (requests.Response, LoginRequired, ServerUnreachable))
        assert faults or getattr(outcome, "status_code", None) == 200
    if not faults:
        assert sum(line.refreshes.values()) == sum(seconds == 61 for seconds in waits)
    if "answer lost" not in faults:
        assert world.reuses == 0
    pair = client.store.get()
    assert pair is None or pair.session is session.session
    assert pair is not None or any(isinstance(outcome, LoginRequired) for outcome in outcomes)
    ends = [event for event in client.log if event.name == "session.ended"]
    assert len(ends) == (pair is None)
    assert_log_holds_no_token(client.log, world)


class Forward(io.RawIOBase):
    """A stream that cannot go back."""

    def __init__(self, content: bytes) -> None:
        self._rest = content

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        size = len(self._rest) if size is None or size < 0 else size
        head, self._rest = self._rest[:size], self._rest[size:]
        return head


contents = st.binary(min_size=1, max_size=200)


def file_at(content: bytes, start: int) -> io.BytesIO:
    file = io.BytesIO(content)
    file.seek(min(start, len(content) - 1))
    return file


#: A body as a caller may give it, and its bytes.
bodies = st.one_of(
    contents.map(lambda c: ({"data": c}, c)),
    contents.map(lambda c: ({"data": Forward(c)}, c)),
    contents.map(lambda c: ({"data": iter([c[:3], c[3:]])}, c)),
    st.tuples(contents, st.integers(0, 20)).map(
        lambda given: ({"data": file_at(*given)}, file_at(*given).read())
    ),
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(), min_size=1).map(
        lambda value: ({"json": value}, json.dumps(value).encode())
    ),
    contents.map(lambda c: ({"files": {"file": ("name", io.BytesIO(c))}}, c)),
)


@BY_RULE
@given(body=bodies, drawn=st.lists(fates, max_size=3), rotates=st.booleans())
def test_a_body_is_the_same_both_times(body: Any, drawn: list[str], rotates: bool) -> None:
    options, content = body
    world = World(rotates)
    line = Line(world, drawn)
    client = client_on(line)
    world.now += 61
    outcome = outcome_of(client, **options)
    [sent] = line.bodies.values()
    assert len(set(sent)) == 1
    assert content == sent[0] if "files" not in options else content in sent[0]
    if set(drawn) <= {"answered"}:
        assert len(sent) == 2
        assert getattr(outcome, "status_code", None) == 200
    assert_log_holds_no_token(client.log, world)

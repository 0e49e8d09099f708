"""Answers that no server should send: each becomes one typed error, and the session is kept."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from functools import partial
from typing import Any

import pytest

from client_widget import (
    AuthClient,
    BearerAuth,
    ClientError,
    EventLog,
    Rejected,
    ServerUnreachable,
    TokenPair,
    TokenStore,
)

from .wire import Wire, http, wire

START = 1_800_000_000.0
EXPIRED = http(403, b'{"error":"token_expired"}', Content_Type="application/json")
WELCOME = http(200, b'{"message":"Welcome ada"}', Content_Type="application/json")
FRESH = http(200, b'{"accessToken":"access-2"}', Content_Type="application/json")


def client_of(server: Wire, **options: Any) -> AuthClient:
    """A client with a session."""
    client = AuthClient(server.url, log=EventLog(clock=lambda: START), **options)
    client.store.set(TokenPair("access-1", "refresh-1"))
    return client


DEEP = b"[" * 200_000
BROKEN = {
    "a redirect to no URL": http(302, Location="http://[::1"),
    "a redirect to a bad port": http(302, Location="http://127.0.0.1:99999/"),
    "a redirect to no host": http(302, Location="http:///x"),
    "a redirect to another scheme": http(302, Location="ftp://127.0.0.1/x"),
    "a redirect to itself": http(302, Location="/home"),
    "a redirect in bytes": http(302, Location="http://\xff\xfe:1/"),
    "a body that is cut off": http(403, b"{", Content_Length="999"),
    "chunks that are cut off": http(403, b"5\r\n{", Transfer_Encoding="chunked"),
    "no chunks at all": http(403, b"zz\r\n", Transfer_Encoding="chunked"),
    "a body that is not compressed": http(403, b"plain", Content_Encoding="gzip"),
    "a compressed body that is cut off": http(
        403, gzip.compress(b"x" * 9000)[:50], Content_Encoding="gzip"
    ),
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "nothing": b"",
    "half a status line": b"HTTP/1.1 2",
    "a status that is no number": b"HTTP/1.1 abc X\r\n\r\n",
    "an endless header": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
    "a length that is no number": http(403, b"x", Content_Length="many"),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_is_a_typed_error(answer: bytes, stream: bool) -> None:
    with wire(home=answer, refresh=FRESH) as server:
        client = client_of(server)
        before = client.store.get()
        assert before is not None
        try:
            response = client.request("GET", "/home", stream=stream, timeout=5)
        except ClientError as error:
            failure: Any = error
        else:  # HTTP lets the client read it, in one way or another
            failure = None
            assert response.status_code in (200, 302, 403, 404)
        if failure is not None:
            assert type(failure) is ServerUnreachable
            assert str(failure).startswith("GET /home failed: ")
            assert client.log.action()[-1].name == "request.failed"
        held = client.store.get()
        assert held is not None
        assert held.session is before.session


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_to_a_refresh_keeps_the_session(answer: bytes) -> None:
    with wire(home=EXPIRED, refresh=answer) as server:
        client = client_of(server)
        held = client.store.get()
        with pytest.raises(ServerUnreachable):
            client.home()
        assert client.store.get() is held


@pytest.mark.parametrize("status", [200, 201, 400, 401, 403, 500])
def test_json_that_is_nested_too_deeply(status: int) -> None:
    answer = http(status, DEEP, Content_Type="application/json")
    with wire(home=answer, users_login=answer, refresh=answer) as server:
        client = client_of(server)
        for act in (client.home, lambda: client.login("ada", "x")):
            with pytest.raises(ClientError):
                act()
        assert client.store.get() is not None


def test_a_redirect_to_another_host_is_no_verdict_on_the_token() -> None:
    """The token is dropped on the way, so the other host's 403 says nothing about it."""
    with wire(page=http(403, b"who are you?")) as other:
        with wire(home=http(302, Location=f"{other.url}/page"), refresh=FRESH) as server:
            client = client_of(server)
            with pytest.raises(Rejected) as refusal:
                client.home()
            assert refusal.value.message == f"who are you? (redirected to {other.url})"
            assert server.paths() == ["/home"]
            assert b"access-1" not in other.requests[0]
            received = client.log.action()[-1]
            assert received.fields["redirected_to"] == other.url
            assert client.store.get() is not None


def test_a_redirect_on_the_same_host_is_followed_with_the_token() -> None:
    with wire(home=http(302, Location="/page"), page=EXPIRED, refresh=FRESH) as server:
        client_of(server).request("GET", "/home")
        assert server.paths() == ["/home", "/page", "/refresh", "/home", "/page"]


def test_cookies_of_a_server_are_neither_kept_nor_sent() -> None:
    with wire(home=http(200, b'{"message":"x"}', Set_Cookie="sid=s3cret; Path=/")) as server:
        client = client_of(server)
        client.home()
        client.home()
        assert [b"cookie" in request.lower() for request in server.requests] == [False, False]
        assert not any("s3cret" in repr(event) for event in client.log)
    moved = http(302, Location="/page", Set_Cookie="sid=s3cret; Path=/")
    with wire(home=moved, page=WELCOME) as server:
        client_of(server).home()
        assert [b"cookie" in request.lower() for request in server.requests] == [False, False]


@pytest.mark.parametrize("header", ["3", "Fri, 15 Jan 2027 08:00:03 GMT"])
@pytest.mark.parametrize("status", [429, 500, 503])
def test_no_refresh_is_sent_before_its_time(status: int, header: str) -> None:
    now = [START]
    busy = http(status, b"{}", Retry_After=header, Date="Fri, 15 Jan 2027 08:00:00 GMT")
    with wire(home=EXPIRED, refresh=busy) as server:
        store = TokenStore()
        clients = [AuthClient(server.url, store=store, clock=lambda: now[0]) for _ in range(2)]
        store.set(TokenPair("access-1", "refresh-1"))
        with pytest.raises(ServerUnreachable) as error:
            clients[0].home()
        assert error.value.retry_after == 3
        # Neither this client nor another one of the same store asks again.
        now[0] += 2
        for client in clients:
            with pytest.raises(ServerUnreachable, match="wait 1 s before") as error:
                client.home()
            assert error.value.retry_after == 1
            assert client.log.action()[-1].name == "refresh.postponed"
        assert server.paths().count("/refresh") == 1
        # Then one does.
        now[0] += 1
        server.answers["/refresh"] = FRESH
        clients[1].request("GET", "/home")
        assert server.paths().count("/refresh") == 2
        assert store.get().access == "access-2"  # type: ignore[union-attr]


def test_a_new_login_and_a_clock_set_back_end_the_wait() -> None:
    now = [START]
    with wire(home=EXPIRED, refresh=http(503, Retry_After="600")) as server:
        client = AuthClient(server.url, clock=lambda: now[0])
        client.store.set(TokenPair("access-1", "refresh-1"))
        for act in (
            lambda: client.store.set(TokenPair("a", "b")),
            lambda: now.__setitem__(0, START - 60),
        ):
            with pytest.raises(ServerUnreachable, match="answered with 503"):
                client.home()
            act()
        with pytest.raises(ServerUnreachable, match="answered with 503"):
            client.home()
        assert server.paths().count("/refresh") == 3


class Options:
    """A transport that notes the options of each message."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.seen = inner, list[tuple[str, dict[str, Any]]]()

    def prepare(self, request: Any) -> Any:
        return self.inner.prepare(request)

    def send(self, prepared: Any, **options: Any) -> Any:
        self.seen.append((prepared.path_url, dict(options)))
        options.update(verify=True, cert=None, proxies={})
        return self.inner.send(prepared, **options)


def test_the_options_of_a_call_reach_its_refresh() -> None:
    given = {"timeout": (1, 7), "verify": "/ca.pem", "cert": "/me.pem", "proxies": {"http": "x"}}
    with wire(home=EXPIRED, refresh=FRESH) as server:
        client = client_of(server)
        client.transport = options = Options(client.transport)
        client.request("GET", "/home", **given, stream=True)
        assert options.seen == [
            ("/home", {**given, "stream": True}),
            ("/refresh", {**given, "allow_redirects": False}),
            ("/home", {**given, "stream": True}),
        ]


def test_the_options_of_a_client_reach_every_message() -> None:
    tokens = http(201, b'{"accessToken":"a","refreshToken":"b"}')
    with wire(home=WELCOME, users_login=tokens, users_register=http(201, b"{}")) as server:
        client = AuthClient(server.url, timeout=9, verify="/ca.pem")
        client.transport = options = Options(client.transport)
        client.register("ada", "x")
        client.login("ada", "x")
        client.home()
        client.probe("t")
        assert {(told["timeout"], told["verify"]) for _, told in options.seen} == {(9, "/ca.pem")}
        assert len(options.seen) == 4


@pytest.mark.parametrize("timeout", [0, -1, "3", (1, 0), (1, 2, 3), None, True, float("nan")])
def test_a_timeout_is_a_positive_number_of_seconds(timeout: Any) -> None:
    with pytest.raises(ValueError, match="timeout must be"):
        AuthClient("http://127.0.0.1:1", timeout=timeout)


@pytest.mark.parametrize(
    "base_url",
    ["http://ada:s3cret@127.0.0.1", "http://s3cret@x", "http://x/?k=s3cret", "http://x/#s3cret",
     "ftp://s3cret", "s3cret", "http://x:99999/s3cret", "http://[s3cret", "", "http://"],
)  # fmt: skip
def test_an_address_holds_no_secret_and_no_message_repeats_it(base_url: str) -> None:
    with pytest.raises(ValueError, match="base_url must") as error:
        AuthClient(base_url)
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize(
    "base_url", ["http://a..b", "http://.", "http://*", "http://a b", f"http://{'x' * 64}.org"]
)
def test_a_host_that_cannot_be_looked_up_is_said_before_the_first_message(base_url: str) -> None:
    with pytest.raises(ValueError, match="base_url must be a URL such as"):
        AuthClient(base_url)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"base_url": None}, "base_url must be text, such as server.url, not a value of type None"),
        ({"store": {}}, "store must be a TokenStore, not a value of type dict"),
        ({"log": []}, "log must be an EventLog, not a value of type list"),
        ({"clock": START}, "clock must be a function that returns seconds, such as time.time"),
        ({"auth": BearerAuth(TokenStore())}, "auth must make the scheme from the store: pass the"),
    ],
)
def test_an_argument_of_another_kind_is_named(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError) as error:
        AuthClient(**{"base_url": "http://127.0.0.1:1", **wrong})
    assert str(error.value).startswith(message)


def test_json_that_cannot_be_written_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="json cannot be sent"):
        AuthClient("http://127.0.0.1:1").request("POST", "/home", json=float("nan"))


JSON = "application/json"
OPAQUE = TokenPair("an-opaque-access-token", "an-opaque-refresh-token")
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "answer",
    [
        http(400, b'{"message":"no such token: an-opaque-access-token"}', Content_Type=JSON),
        http(403, b'{"error":"an-opaque-access-token"}', Content_Type=JSON),
        http(422, b'{"detail":[{"input":"an-opaque-access-token"}]}', Content_Type=JSON),
        http(400, b"no such token: an-opaque-access-token"),
        http(401, b"{}", WWW_Authenticate='Bearer error="an-opaque-access-token"'),
        http(200, b'{"message":"you sent an-opaque-access-token"}', Content_Type=JSON),
        http(400, f'{{"message":"bad {JWT}"}}'.encode(), Content_Type=JSON),
        http(400, b'{"message":{"password":"an-opaque-access-token"}}', Content_Type=JSON),
    ],
)
def test_a_token_that_a_server_repeats_is_in_no_event_and_no_error(answer: bytes) -> None:
    with wire(home=answer, refresh=http(503)) as server:
        client = client_of(server)
        client.store.set(OPAQUE)
        try:
            client.home()
        except ClientError as error:
            said = str(error) + repr(error.__dict__)
        else:
            said = ""
    told = client.log.to_jsonl() + said
    assert "response.received" in told
    assert OPAQUE.access not in told
    assert JWT not in told


def test_a_password_that_a_server_repeats_is_in_no_event_and_no_error() -> None:
    """As some frameworks do with a field that they refuse."""
    told = {"message": "s3cret-pw is too short", "detail": [{"input": "s3cret-pw"}]}
    answer = http(422, json.dumps(told).encode(), Content_Type=JSON)
    with wire(users_login=answer, users_register=answer) as server:
        client = client_of(server)
        for act in (client.login, client.register):
            with pytest.raises(Rejected) as error:
                act("ada", "s3cret-pw")
            assert error.value.message == "*** is too short"
    assert "s3cret-pw" not in client.log.to_jsonl()


def test_a_path_is_recorded_without_its_fragment_and_tokens() -> None:
    with wire() as server:
        client = client_of(server)
        client.request("GET", f"/reset/{JWT}?s3cret=1#access_token=s3cret")
    assert JWT not in client.log.to_jsonl()
    assert "s3cret" not in client.log.to_jsonl()
    assert client.log.action()[0].fields["path"].startswith("/reset/<token ")


@pytest.mark.parametrize("codec", ["undefined", "idna", "zlib", "utf-7"])
def test_a_text_in_no_codec_is_a_refusal_like_others(codec: str) -> None:
    answer = http(400, b"\xff" * 99, Content_Type=f"text/plain; charset={codec}")
    with wire(home=answer) as server, pytest.raises(Rejected, match=r"^400: "):
        client_of(server).home()


def test_what_no_terminal_prints_is_replaced() -> None:
    answer = http(400, b'{"error":"\\ud800","message":"\\udfff"}', Content_Type=JSON)
    with wire(home=answer) as server:
        client = client_of(server)
        with pytest.raises(Rejected) as error:
            client.home()
    assert (error.value.code, error.value.message) == ("?", "?")
    assert json.dumps([event.as_dict() for event in client.log], ensure_ascii=False).encode()


def endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while True:
        connection.sendall(b" " * 65_536)


@pytest.mark.parametrize(
    "answer",
    [
        endless,
        http(200, gzip.compress(b" " * 20_000_000), Content_Encoding="gzip"),
        http(403, gzip.compress(b" " * 20_000_000), Content_Encoding="gzip"),
    ],
    ids=["endless", "gzip", "a refusal in gzip"],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_response_that_fills_the_memory_is_broken_off(answer: Any, stream: bool) -> None:
    with wire(home=answer) as server:
        client = client_of(server)
        if stream and not (isinstance(answer, bytes) and b" 403 " in answer):
            with client.request("GET", "/home", stream=True) as response:
                assert next(response.iter_content(1000)) == b" " * 1000
            return
        with pytest.raises(ServerUnreachable, match="the response is too large"):
            client.request("GET", "/home", stream=stream)
        assert client.log.action()[-1].fields["reason"] == "the response is too large"
        assert client.store.get() is not None


def test_refusals_and_headers_of_any_length_leave_a_short_event() -> None:
    facts = json.dumps({"error": "e" * 100_000, "message": "m" * 100_000}).encode()
    answer = http(400, facts, Content_Type=JSON, Server="s" * 60_000)
    with wire(home=answer) as server:
        client = client_of(server)
        with pytest.raises(Rejected) as error:
            client.home()
    assert len(str(error.value)) < 500
    assert len(client.log.to_jsonl()) < 8_000


@pytest.mark.parametrize("body", [b"{}", b'{"message":5}', b'{"message":null}'])
def test_a_home_page_without_a_message_is_another_servers(body: bytes) -> None:
    with wire(home=http(200, body, Content_Type=JSON)) as server:
        with pytest.raises(ServerUnreachable, match="contains no message"):
            client_of(server).home()


def test_a_header_that_cannot_be_sent_is_not_repeated() -> None:
    with wire(home=WELCOME) as server:
        client = client_of(server)
        with pytest.raises(ValueError, match="cannot be sent") as error:
            client.request("GET", "/home", headers={"X": "s3cret\nY: z"})
        assert "s3cret" not in str(error.value)
        client.store.set(TokenPair("s3cret\n", "refresh-1"))
        with pytest.raises(ValueError, match="Authorization contains") as error:
            client.home()
        assert "s3cret" not in str(error.value)
        assert server.requests == []


def drip(connection: socket.socket, end: threading.Event) -> None:
    """One byte of a header every 50 ms, until the test ends."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while not end.wait(0.05):
        connection.sendall(b"x")


@pytest.mark.parametrize("told", ["drips", "silent", "refuses", "breaks"])
def test_a_refresh_ahead_of_expiry_costs_a_valid_token_little(
    told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call goes on with the token that it has."""
    monkeypatch.setattr("client_widget.client.auth_client.EARLY_LIMIT", 0.3)
    end = threading.Event()
    answers: dict[str, Any] = {
        "drips": partial(drip, end=end),
        "silent": lambda connection: end.wait(20),
        "refuses": http(503, b"{}"),
        "breaks": b"HTTP/1.1 2",
    }
    with wire(home=WELCOME, refresh=answers[told]) as server:
        client = AuthClient(server.url, clock=lambda: START, auth=partial(BearerAuth, clock=None))
        client = AuthClient(server.url, auth=partial(BearerAuth, clock=_at_start))
        client.store.set(TokenPair(_token(START + 5), "refresh-1", received_at=START - 55))
        try:
            assert client.home() == {"message": "Welcome ada"}
        finally:
            end.set()
        assert server.paths() == ["/refresh", "/home"]
        assert client.store.get() is not None


def _at_start() -> float:
    return START


def _token(exp: float) -> str:
    import base64

    claims = json.dumps({"iat": exp - 60, "exp": exp}).encode()
    return f"e30.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.x"


def test_the_client_and_its_scheme_have_one_clock() -> None:
    auth = partial(BearerAuth, clock=_at_start)
    assert AuthClient("http://127.0.0.1:1", auth=auth).clock is _at_start
    assert AuthClient("http://127.0.0.1:1", auth=auth, clock=_at_start).clock is _at_start
    with pytest.raises(ValueError, match="two clocks"):
        AuthClient("http://127.0.0.1:1", auth=auth, clock=lambda: 0.0)


@pytest.mark.parametrize("path", ["/users/register", "/users/login", "/users/login?next=/"])
def test_a_refused_registration_is_no_expiry(path: str) -> None:
    """It carries no token, so nothing that is said of it is about the token."""
    refused = http(403, b'"User already exists"', Content_Type="application/json")
    with wire(users_register=refused, users_login=refused, refresh=FRESH) as server:
        server.answers["/users/login?next=/"] = refused
        client = client_of(server)
        assert client.request("POST", path, json={}).status_code == 403
        assert server.paths() == [path]
        assert b"access-1" not in server.requests[0]
        assert [event.name for event in client.log] == ["request.sent", "response.received"]

"""The protocol by hand: no server, no client, only `next` and `send`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from client_widget import (
    ArticleAuth,
    BearerAuth,
    LoginRequired,
    Request,
    ServerUnreachable,
    TokenPair,
    TokenStore,
)

HOME = Request("GET", "/home")


@dataclass
class Answer:
    status_code: int
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        if isinstance(self.body, Exception):
            raise self.body
        return self.body


OK, FORBIDDEN = Answer(200, {"message": "Welcome ada"}), Answer(403, {"error": "token_expired"})
FRESH = Answer(200, {"accessToken": "access 2"})


@pytest.fixture
def store() -> TokenStore:
    store = TokenStore()
    store.set(TokenPair("access 1", "refresh 1"))
    return store


def end(flow: Any, answer: Any) -> Any:
    """What the flow returns on its last answer."""
    with pytest.raises(StopIteration) as stop:
        flow.send(answer)
    return stop.value.value


def test_a_call_that_is_answered_is_sent_once(store: TokenStore) -> None:
    flow = BearerAuth(store).auth_flow(HOME)
    call = next(flow)
    assert (call.method, call.path, call.purpose) == ("GET", "/home", "call")
    assert call.headers == {"Authorization": "Bearer access 1"}
    assert end(flow, OK) is OK


NO_RIGHT = {"error": "insufficient_scope"}
IN_THE_HEADER = {"WWW-Authenticate": 'Bearer realm="x", error="insufficient_scope"'}


@pytest.mark.parametrize(
    "answer",
    [
        *(Answer(status) for status in [200, 201, 302, 400, 404, 429, 500, 503]),
        Answer(403, NO_RIGHT),
        Answer(403, "Forbidden", IN_THE_HEADER),
        Answer(403, ValueError("no JSON"), IN_THE_HEADER),
    ],
    ids=repr,
)
def test_no_other_answer_is_an_expiry(store: TokenStore, answer: Answer) -> None:
    flow = BearerAuth(store).auth_flow(HOME)
    next(flow)
    assert end(flow, answer) is answer
    assert store.get() is not None


@pytest.mark.parametrize(
    "refusal",
    [
        FORBIDDEN,
        Answer(403, "Forbidden"),
        Answer(403, {"error": None}),
        Answer(401, ValueError("no JSON")),
        Answer(401, {"error": "invalid_token"}),
        Answer(401, [], {"WWW-Authenticate": 'Bearer error="invalid_token"'}),
    ],
    ids=repr,
)
def test_a_refusal_is_refreshed_stored_and_retried(store: TokenStore, refusal: Answer) -> None:
    old = store.get()
    flow = BearerAuth(store).auth_flow(HOME)
    next(flow)

    refresh = flow.send(refusal)
    assert (refresh.method, refresh.path, refresh.purpose) == ("POST", "/refresh", "refresh")
    assert refresh.json == {"token": "refresh 1"}
    assert refresh.headers == {}
    assert refresh.replaces is old
    assert store.get() is old

    retry = flow.send(FRESH)
    assert (retry.method, retry.path, retry.purpose) == ("GET", "/home", "retry")
    assert retry.headers == {"Authorization": "Bearer access 2"}
    new = store.get()
    assert new is not None
    assert (new.access, new.refresh) == ("access 2", "refresh 1")

    assert end(flow, OK) is OK


def test_a_second_403_is_the_answer(store: TokenStore) -> None:
    """One refresh and one retry: there is no third time."""
    flow = BearerAuth(store).auth_flow(HOME)
    next(flow)
    flow.send(FORBIDDEN)
    flow.send(FRESH)
    assert end(flow, FORBIDDEN) is FORBIDDEN
    assert store.get() is not None


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_refresh_ends_the_session(store: TokenStore, status: int) -> None:
    flow = BearerAuth(store).auth_flow(HOME)
    next(flow)
    flow.send(FORBIDDEN)
    with pytest.raises(LoginRequired, match="log in again"):
        flow.send(Answer(status))
    assert store.get() is None


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_server_that_cannot_refresh_now_ends_nothing(store: TokenStore, status: int) -> None:
    flow = BearerAuth(store).auth_flow(HOME)
    next(flow)
    flow.send(FORBIDDEN)
    with pytest.raises(ServerUnreachable, match=f"{status}: you are still logged in"):
        flow.send(Answer(status))
    assert store.get() is not None


@pytest.mark.parametrize("body", [{}, [], "x", {"accessToken": None}, ValueError("no JSON")])
def test_an_answer_without_a_token_ends_nothing(store: TokenStore, body: Any) -> None:
    flow = BearerAuth(store).auth_flow(HOME)
    next(flow)
    flow.send(FORBIDDEN)
    with pytest.raises(ServerUnreachable, match="accessToken"):
        flow.send(Answer(200, body))
    assert store.get() is not None


def test_without_a_session_a_403_is_the_answer() -> None:
    flow = BearerAuth(TokenStore()).auth_flow(HOME)
    assert next(flow).headers == {}
    assert end(flow, FORBIDDEN) is FORBIDDEN


def test_when_another_call_has_refreshed_only_the_retry_remains(store: TokenStore) -> None:
    old = store.get()
    assert old is not None
    flow = BearerAuth(store).auth_flow(HOME)
    next(flow)
    flow.send(FORBIDDEN)
    store.set(old.with_access("access 2"))
    retry = flow.send(None)
    assert retry.headers == {"Authorization": "Bearer access 2"}


def test_when_the_session_ended_meanwhile_there_is_no_retry(store: TokenStore) -> None:
    flow = BearerAuth(store).auth_flow(HOME)
    next(flow)
    flow.send(FORBIDDEN)
    store.clear()
    with pytest.raises(LoginRequired):
        flow.send(None)


@pytest.mark.parametrize("answer", [FRESH, Answer(403), None])
def test_a_call_is_never_retried_as_somebody_else(store: TokenStore, answer: Any) -> None:
    """Ada's refresh is on its way when bob logs in: his session stays, her call ends."""
    flow = BearerAuth(store).auth_flow(Request("POST", "/transfer"))
    next(flow)
    flow.send(FORBIDDEN)
    bob = TokenPair("access of bob", "refresh of bob")
    store.set(bob)
    with pytest.raises(LoginRequired):
        flow.send(answer)
    assert store.get() is bob


def test_a_logout_during_a_refresh_is_final(store: TokenStore) -> None:
    flow = BearerAuth(store).auth_flow(HOME)
    next(flow)
    flow.send(FORBIDDEN)
    store.clear()
    with pytest.raises(LoginRequired):
        flow.send(FRESH)
    assert store.get() is None


def test_headers_of_the_caller_stay(store: TokenStore) -> None:
    call = next(BearerAuth(store).auth_flow(Request("GET", "/home", {"Accept": "text/plain"})))
    assert call.headers == {"Accept": "text/plain", "Authorization": "Bearer access 1"}


def test_messages_show_no_token(store: TokenStore) -> None:
    flow = BearerAuth(store).auth_flow(HOME)
    shown = repr(next(flow)) + repr(flow.send(FORBIDDEN)) + repr(flow.send(FRESH))
    for token in ("access 1", "refresh 1", "access 2"):
        assert token not in shown


class TestArticle:
    """The article's interceptor: what it does right, and its two faults."""

    def run(self, auth: ArticleAuth, *answers: Answer) -> Any:
        """The final answer of a call whose messages are answered in this order."""
        flow = auth.auth_flow(HOME)
        next(flow)
        try:
            for answer in answers:
                flow.send(answer)
        except StopIteration as stop:
            return stop.value
        raise AssertionError("the flow wants more answers")

    def test_the_first_expiry_is_refreshed(self, store: TokenStore) -> None:
        auth = ArticleAuth(store)
        assert self.run(auth, FORBIDDEN, FRESH, OK) is OK
        new = store.get()
        assert new is not None
        assert new.access == "access 2"

    def test_every_second_expiry_fails(self, store: TokenStore) -> None:
        """The flag is not lowered after a success."""
        auth = ArticleAuth(store)
        assert self.run(auth, FORBIDDEN, FRESH, OK) is OK
        assert self.run(auth, OK) is OK  # no call in between lowers it either
        assert self.run(auth, FORBIDDEN) is FORBIDDEN
        assert self.run(auth, FORBIDDEN, FRESH, OK) is OK
        assert self.run(auth, FORBIDDEN) is FORBIDDEN

    def test_of_calls_that_expire_together_every_second_fails(self, store: TokenStore) -> None:
        auth = ArticleAuth(store)
        flows = [auth.auth_flow(HOME) for _ in range(4)]
        for flow in flows:
            next(flow)
        assert flows[0].send(FORBIDDEN).path == "/refresh"
        assert end(flows[1], FORBIDDEN) is FORBIDDEN
        assert flows[2].send(FORBIDDEN).path == "/refresh"
        assert end(flows[3], FORBIDDEN) is FORBIDDEN

    def test_the_refresh_goes_through_the_interceptor(self, store: TokenStore) -> None:
        flow = ArticleAuth(store).auth_flow(HOME)
        next(flow)
        refresh = flow.send(FORBIDDEN)
        assert refresh.headers == {"Authorization": "Bearer access 1"}
        assert refresh.replaces is None

    def test_a_refused_refresh_is_the_answer_and_lowers_the_flag(self, store: TokenStore) -> None:
        auth = ArticleAuth(store)
        refused = Answer(403)
        assert self.run(auth, FORBIDDEN, refused) is refused
        assert auth.refresh is False
        assert store.get() is not None

    def test_another_error_lowers_the_flag(self, store: TokenStore) -> None:
        auth = ArticleAuth(store)
        self.run(auth, FORBIDDEN, FRESH, OK)
        self.run(auth, Answer(404))
        assert self.run(auth, FORBIDDEN, FRESH, OK) is OK

"""The pair and the store."""

from __future__ import annotations

import jwt
import pytest

from client_widget import TokenPair, TokenStore, read_claims
from client_widget.protocol.tokens import fingerprint, token_facts
from demo_server.auth.tokens import fingerprint as servers_fingerprint

from ...conftest import in_threads

PAIR = TokenPair("access 1", "refresh 1")


def test_client_and_server_name_a_token_alike() -> None:
    for token in ["", "abc", "é", "x" * 5000]:
        assert fingerprint(token) == servers_fingerprint(token)
        assert len(fingerprint(token)) == 8


def test_claims_can_be_read_without_the_secret() -> None:
    token = jwt.encode({"username": "ada", "exp": 1}, "s" * 32)
    assert read_claims(token) == {"username": "ada", "exp": 1}
    assert set(token_facts(token)) == {"token", "exp"}


@pytest.mark.parametrize("exp", [True, "1", None, 1e999, 10**400, -(10**400)])
def test_a_time_that_cannot_be_counted_with_is_left_out(exp: object) -> None:
    assert set(token_facts(jwt.encode({"exp": exp}, "s" * 32))) == {"token"}


@pytest.mark.parametrize(
    "token", ["", "a", "a.b.c", "a.é.c", "a.W10.c", "a.e30", f"a.{'W' * 4000}.c"]
)
def test_claims_of_what_is_no_token_are_empty(token: str) -> None:
    assert read_claims(token) == {}
    assert set(token_facts(token)) == {"token"}


def test_a_pair_shows_no_token() -> None:
    assert "access 1" not in repr(PAIR)
    assert "refresh 1" not in repr(PAIR)
    assert fingerprint("access 1") in repr(PAIR)


def test_a_refreshed_pair_is_a_new_one_of_the_same_session() -> None:
    new = PAIR.with_access("access 2")
    assert (new.access, new.refresh) == ("access 2", "refresh 1")
    assert new is not PAIR
    assert new.session is PAIR.session
    assert TokenPair("access 1", "refresh 1").session is not PAIR.session


class TestStore:
    def test_it_is_the_articles_local_storage(self) -> None:
        store = TokenStore()
        assert store.get() is None
        store.set(PAIR)
        assert store.get() is PAIR
        store.clear()
        assert store.get() is None

    def test_replace_needs_the_old_pair_to_be_there(self) -> None:
        store = TokenStore()
        store.set(PAIR)
        stranger = TokenPair("access 1", "refresh 1")
        assert store.replace(stranger, PAIR.with_access("x")) is False
        assert store.get() is PAIR
        assert store.replace(PAIR, None) is True
        assert store.get() is None

    def test_of_32_threads_that_replace_a_pair_one_does(self) -> None:
        store = TokenStore()
        store.set(PAIR)
        done = in_threads(32, lambda: store.replace(PAIR, PAIR.with_access("x")))
        assert done.count(True) == 1

"""The pair and the store."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import jwt
import pytest

from client_widget import AuthClient, StoreError, TokenPair, TokenStore, read_claims
from client_widget.protocol.tokens import fingerprint, token_facts
from demo_server.tokens import fingerprint as servers_fingerprint

from ...conftest import PASSWORD, in_threads

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


class TestFile:
    def test_the_pair_survives_a_restart(self, tmp_path: Path) -> None:
        TokenStore(tmp_path / "tokens").set(PAIR)
        pair = TokenStore(tmp_path / "tokens").get()
        assert pair is not None
        assert (pair.access, pair.refresh) == ("access 1", "refresh 1")

    def test_only_its_owner_can_read_it(self, tmp_path: Path) -> None:
        path = tmp_path / "tokens"
        path.write_text("{}")
        path.chmod(0o644)
        path.unlink()
        owner_only = 0o666 if sys.platform == "win32" else 0o600  # Windows has no such modes
        TokenStore(path).set(PAIR)
        assert stat.S_IMODE(path.stat().st_mode) == owner_only
        TokenStore(path).set(PAIR.with_access("x"))
        assert stat.S_IMODE(path.stat().st_mode) == owner_only

    def test_clear_takes_it_away(self, tmp_path: Path) -> None:
        store = TokenStore(tmp_path / "tokens")
        store.set(PAIR)
        store.clear()
        store.clear()
        assert list(tmp_path.iterdir()) == []
        assert TokenStore(tmp_path / "tokens").get() is None

    @pytest.mark.parametrize(
        "content", [b"", b"{", b"[]", b"{}", b'{"accessToken": 1, "refreshToken": 2}', b"\xff"]
    )
    def test_a_file_that_holds_no_pair_is_named_and_kept(
        self, tmp_path: Path, content: bytes
    ) -> None:
        path = tmp_path / "tokens"
        path.write_bytes(content)
        with pytest.raises(StoreError, match="tokens does not hold two tokens: delete it"):
            TokenStore(path)
        assert path.read_bytes() == content

    def test_a_file_that_cannot_be_read_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match="cannot be read"):
            TokenStore(tmp_path)

    def test_a_full_disk_costs_no_token(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "tokens"
        store = TokenStore(path)
        store.set(PAIR)
        new = PAIR.with_access("access 2")

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("client_widget.protocol.store.os.replace", full)
        with pytest.raises(StoreError, match=r"No space left on device.*goes on in memory"):
            store.replace(PAIR, new)
        assert store.get() is new
        assert json.loads(path.read_text())["accessToken"] == "access 1"
        assert list(tmp_path.iterdir()) == [path]

    def test_a_session_goes_on_after_a_restart(
        self, ada: AuthClient, tmp_path: Path, clock: object
    ) -> None:
        first = AuthClient(ada.base_url, store=TokenStore(tmp_path / "tokens"))
        first.login("ada", PASSWORD)
        second = AuthClient(ada.base_url, store=TokenStore(tmp_path / "tokens"))
        assert second.home() == {"message": "Welcome ada"}

"""A store with a file: what it reads, what it says when it cannot, and what it shares."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from client_widget import (
    AuthClient,
    StoreError,
    TokenPair,
    TokensNotDeleted,
    TokensNotSaved,
    TokenStore,
)
from client_widget.protocol import token_file

from ...conftest import PASSWORD, in_threads, pair_of

PAIR = TokenPair("access 1", "refresh 1")
HELD = b'{"accessToken": "access 1", "refreshToken": "refresh 1"}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tokens"


def written(path: Path, content: bytes = HELD, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def tokens_of(store: TokenStore) -> tuple[str, str] | None:
    pair = store.get()
    return None if pair is None else (pair.access, pair.refresh)


def full(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


class TestContent:
    def test_the_pair_survives_a_restart(self, path: Path) -> None:
        TokenStore(path).set(PAIR)
        pair = TokenStore(path).get()
        assert pair is not None
        assert (pair.access, pair.refresh, pair.session) == ("access 1", "refresh 1", PAIR.session)

    def test_a_session_goes_on_after_a_restart(self, ada: AuthClient, path: Path) -> None:
        first = AuthClient(ada.base_url, store=TokenStore(path))
        first.login("ada", PASSWORD)
        second = AuthClient(ada.base_url, store=TokenStore(path))
        assert second.home() == {"message": "Welcome ada"}

    def test_only_its_owner_can_read_it(self, path: Path) -> None:
        owner_only = 0o666 if sys.platform == "win32" else 0o600  # Windows has no such modes
        store = TokenStore(path)
        store.set(PAIR)
        assert stat.S_IMODE(path.stat().st_mode) == owner_only
        path.chmod(0o644)
        store.set(PAIR.with_access("x"))
        assert stat.S_IMODE(path.stat().st_mode) == owner_only

    def test_clear_deletes_it(self, path: Path) -> None:
        store = TokenStore(path)
        store.set(PAIR)
        store.clear()
        store.clear()
        assert not path.exists()
        assert TokenStore(path).get() is None

    def test_a_file_without_a_session_has_the_same_one_for_everyone(self, path: Path) -> None:
        first, second = TokenStore(written(path)).get(), TokenStore(path).get()
        assert first is not None
        assert second is not None
        assert first.session == second.session

    @pytest.mark.parametrize(
        "content", [b"", b"{", b"[]", b"{}", b'{"accessToken": 1, "refreshToken": 2}', b"\xff"]
    )
    def test_a_file_that_holds_no_pair_is_named_and_kept(self, path: Path, content: bytes) -> None:
        with pytest.raises(StoreError, match="tokens does not hold two tokens: delete it"):
            TokenStore(written(path, content))
        assert path.read_bytes() == content


class TestWhatIsRead:
    """Only a regular file of this user that no one else can read or write."""

    @pytest.mark.parametrize("mode", [0o644, 0o640, 0o666, 0o602, 0o777])
    def test_a_file_that_others_can_use(self, path: Path, mode: int) -> None:
        written(path, mode=mode)
        with pytest.raises(StoreError, match=f"has mode {mode:04o}.*chmod 600 tokens"):
            TokenStore(path)

    def test_a_file_of_another_user(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        written(path)
        monkeypatch.setattr(token_file.os, "geteuid", lambda: path.stat().st_uid + 1)
        with pytest.raises(StoreError, match="belongs to another user"):
            TokenStore(path)

    def test_a_pipe_that_no_one_writes_to(self, path: Path) -> None:
        os.mkfifo(path, 0o600)
        with pytest.raises(StoreError, match="not a regular file"):
            TokenStore(path)

    def test_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match=r"not a regular file|cannot be read"):
            TokenStore(tmp_path)

    def test_a_link(self, path: Path) -> None:
        path.symlink_to(written(path.with_name("elsewhere")))
        with pytest.raises(StoreError, match="is a symbolic link: give the path"):
            TokenStore(path)

    def test_a_logout_deletes_it_whatever_it_has_become(self, path: Path) -> None:
        store = TokenStore(path)
        store.set(PAIR)
        written(path, mode=0o666)
        assert store.replace(PAIR, None)
        assert not path.exists()


class TestErrorsTellTheTruth:
    def test_a_full_disk_costs_no_token(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        store = TokenStore(path)
        store.set(PAIR)
        new = PAIR.with_access("access 2")
        monkeypatch.setattr(token_file.os, "replace", full)
        with pytest.raises(TokensNotSaved, match=r"No space left on device.*goes on in memory"):
            store.replace(PAIR, new)
        assert store.get() is new
        assert json.loads(path.read_text())["accessToken"] == "access 1"
        assert not [name for name in os.listdir(path.parent) if name.startswith(".tokens.tmp")]

    def test_what_could_not_be_written_is_not_undone_by_what_was(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The file holds older tokens than the memory, and no one has written them since."""
        store = TokenStore(path)
        store.set(PAIR)
        new = PAIR.with_access("access 2")
        with monkeypatch.context() as patch:
            patch.setattr(token_file.os, "replace", full)
            with pytest.raises(TokensNotSaved):
                store.replace(PAIR, new)
        newer = new.with_access("access 3")
        assert store.replace(new, newer)
        assert store.get() is newer
        assert tokens_of(TokenStore(path)) == ("access 3", "refresh 1")

    def test_a_file_that_cannot_be_deleted(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = TokenStore(path)
        store.set(PAIR)
        monkeypatch.setattr(token_file.Path, "unlink", full)
        with pytest.raises(TokensNotDeleted, match=r"restart would resume it. Delete the file"):
            store.clear()
        assert store.get() is None

    def test_a_logout_is_recorded_even_so(
        self, ada: AuthClient, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = AuthClient(ada.base_url, store=TokenStore(path))
        client.login("ada", PASSWORD)
        monkeypatch.setattr(token_file.Path, "unlink", full)
        with pytest.raises(TokensNotDeleted):
            client.logout()
        ended = [event.fields["reason"] for event in client.log if event.name == "session.ended"]
        assert ended == ["logged_out"]
        client.logout()  # there is no session any more

    def test_a_refused_refresh_is_recorded_even_so(
        self, ada: AuthClient, path: Path, clock: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = AuthClient(ada.base_url, store=TokenStore(path))
        client.login("ada", PASSWORD)
        monkeypatch.setattr(token_file.Path, "unlink", full)
        clock.advance(301)
        with pytest.raises(TokensNotDeleted):
            client.home()
        ended = [event.fields["reason"] for event in client.log if event.name == "session.ended"]
        assert ended == ["refresh_refused"]

    def test_a_login_and_a_refresh_are_recorded_even_so(
        self, ada: AuthClient, path: Path, clock: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = AuthClient(ada.base_url, store=TokenStore(path))
        monkeypatch.setattr(token_file.os, "replace", full)
        with pytest.raises(TokensNotSaved):
            client.login("ada", PASSWORD)
        clock.advance(61)
        with pytest.raises(TokensNotSaved):
            client.home()
        facts = [e.name for e in client.log if e.name in ("session.started", "token.refreshed")]
        assert facts == ["session.started", "token.refreshed"]
        assert client.home() == {"message": "Welcome ada"}

    def test_a_file_that_another_process_changes_for_ever(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = TokenStore(path)
        store.set(PAIR)
        monkeypatch.setattr(token_file, "MOMENT", 0)
        with FileLock(path.with_name(".tokens.change.lock")):
            with pytest.raises(TokensNotDeleted, match="another process is using it"):
                store.clear()
        assert store.get() is None


class TestTwoStores:
    """Two stores over one file, as in two processes."""

    @pytest.fixture
    def stores(self, path: Path) -> tuple[TokenStore, TokenStore]:
        first = TokenStore(path)
        first.set(PAIR)
        return first, TokenStore(path)

    def test_what_one_has_refreshed_the_other_adopts(
        self, stores: tuple[TokenStore, TokenStore]
    ) -> None:
        first, second = stores
        held = second.get()
        assert held is not None
        assert first.replace(PAIR, PAIR.refreshed("access 2", "refresh 2"))
        assert not second.replace(held, held.refreshed("access 3", "refresh 3"))
        adopted = second.get()
        assert adopted is not None
        assert adopted.session is held.session
        assert tokens_of(second) == ("access 2", "refresh 2")

    def test_a_refresh_of_one_does_not_undo_a_login_of_the_other(
        self, stores: tuple[TokenStore, TokenStore]
    ) -> None:
        first, second = stores
        first.set(TokenPair("of bob", "refresh of bob"))
        held = second.get()
        assert held is not None
        assert not second.replace(held, held.with_access("access 2"))
        adopted = second.get()
        assert adopted is not None
        assert (adopted.access, adopted.session == held.session) == ("of bob", False)

    def test_a_refresh_of_one_does_not_undo_a_logout_of_the_other(
        self, stores: tuple[TokenStore, TokenStore]
    ) -> None:
        first, second = stores
        first.clear()
        held = second.get()
        assert held is not None
        assert not second.replace(held, held.with_access("access 2"))
        assert second.get() is None

    def test_a_logout_of_one_forgets_what_the_other_has_refreshed(
        self, ada: AuthClient, path: Path
    ) -> None:
        first = AuthClient(ada.base_url, store=TokenStore(path))
        first.login("ada", PASSWORD)
        second = AuthClient(ada.base_url, store=TokenStore(path))
        held = pair_of(first)
        first.store.replace(held, held.refreshed("access 2", "refresh 2"))
        second.logout()
        assert second.store.get() is None
        assert not path.exists()

    def test_of_many_threads_over_two_stores_one_replaces(
        self, stores: tuple[TokenStore, TokenStore]
    ) -> None:
        held = {store: store.get() for store in stores}
        turns = iter([*stores] * 8)

        def replace() -> bool:
            store = next(turns)
            pair = held[store]
            assert pair is not None
            return store.replace(pair, pair.with_access("x" + pair.access))

        assert in_threads(16, replace).count(True) == 1

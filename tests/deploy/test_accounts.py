"""A learner's processes read neither another's files nor the hub's secrets.

As root with real system accounts, which the test deletes again. Without root the test sees that the
hub would say what is not separated.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .hub import DEPLOY

sys.path.insert(0, str(DEPLOY))
accounts: Any = __import__("accounts")

AS_ROOT = os.getuid() == 0
BOTH = ("ada", "bob")


@pytest.fixture
def state() -> Iterator[Path]:
    """A hub's folder that every account may enter, with a secret in it."""
    with tempfile.TemporaryDirectory(prefix="hub-") as name:
        folder = Path(name)
        (folder / "learners").mkdir()
        for each in (folder, folder / "learners"):
            each.chmod(0o711)
        (folder / "password").touch(mode=0o600)
        (folder / "password").write_text("the class's password")
        yield folder


@pytest.fixture
def named() -> Iterator[Callable[[str], str]]:
    """Names that nobody on this machine has; their accounts are deleted afterwards."""
    mark = uuid.uuid4().hex[:8]
    yield lambda name: f"{name}-{mark}"
    for each in pwd.getpwall():
        if each.pw_name.startswith(accounts.PREFIX) and each.pw_name.endswith(mark):
            subprocess.run(["userdel", each.pw_name], check=True, capture_output=True)


def run(account: pwd.struct_passwd, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        preexec_fn=accounts.become(account),
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )


def test_a_learner_reads_neither_anothers_files_nor_the_hubs_secrets(
    state: Path, named: Callable[[str], str]
) -> None:
    if not AS_ROOT:
        assert accounts.obstacle(state) == "the hub does not run as root"
        return
    assert accounts.obstacle(state) is None
    homes = {name: state / "learners" / named(name) for name in BOTH}
    ada, bob = (accounts.account_of(named(name), homes[name]) for name in BOTH)
    assert ada.pw_uid not in (0, bob.pw_uid)
    for account, name in ((ada, "ada"), (bob, "bob")):
        wrote = run(account, "sh", "-c", f"echo of {name} > {homes[name]}/notes; umask; id -G")
        assert wrote.stdout.split() == ["0077", str(account.pw_gid)]
        assert run(account, "cat", f"{homes[name]}/notes").stdout == f"of {name}\n"
    for secret in (homes["bob"] / "notes", state / "password"):
        read = run(ada, "cat", str(secret))
        assert (read.stdout, "Permission denied" in read.stderr) == ("", True)
    for folder in (homes["bob"], state, state / "learners"):
        assert "Permission denied" in run(ada, "ls", str(folder)).stderr
        assert "Permission denied" in run(ada, "touch", f"{folder}/mine").stderr


def test_files_of_an_earlier_hub_become_the_learners(
    state: Path, named: Callable[[str], str], tmp_path: Path
) -> None:
    """But no file that a link in the folder leads to."""
    if not AS_ROOT:
        assert accounts.obstacle(state) == "the hub does not run as root"
        return
    home = state / "learners" / named("ada")
    (home / "notebooks").mkdir(parents=True)
    (home / "notebooks" / "mine").write_text("mine")
    (home / "link").symlink_to(state / "password")
    ada = accounts.account_of(named("ada"), home)
    assert run(ada, "cat", f"{home}/notebooks/mine").stdout == "mine"
    assert "Permission denied" in run(ada, "cat", f"{home}/link").stderr
    assert accounts.account_of(named("ada"), home) == ada


def test_a_folder_that_others_may_not_enter_is_an_obstacle(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.setattr(accounts.shutil, "which", lambda name: f"/usr/sbin/{name}")
    secret, closed = state / "password", state / "closed"
    closed.mkdir(mode=0o700)
    (closed / "python").touch()
    assert accounts.obstacle(state) is None
    assert accounts.obstacle(secret) == f"other accounts may not read {secret}"
    assert accounts.obstacle(closed / "python") == (
        f"other accounts may not enter {closed}, and {closed / 'python'} is in it"
    )
    monkeypatch.setattr(accounts.shutil, "which", lambda name: None)
    assert accounts.obstacle(state) == "this system has no useradd"


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("ada", "ada"),
        ("Ada  Lovelace", "ada-lovelace"),
        ("Müller", "muller"),
        ("Weiß", "weiss"),
        ("j.r", "j-r"),
        ("José\u0301", "jose"),
        ("../ada", "../ada"),
        ("-f", "-f"),
        ("李", "李"),
        ("", ""),
    ],
)
def test_a_name_in_plain_letters(typed: str, name: str) -> None:
    assert accounts.plain(typed) == name

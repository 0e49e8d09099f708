"""Keeps learners apart: a name that is a folder and an account, and a system account for each.

A learner's code runs under their account, so the system keeps the files of others and the hub's
secrets from it. That needs root, and a Python and a lab that every account may read: `obstacle`
says what is missing.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import unicodedata
from collections.abc import Callable
from pathlib import Path

#: What a name at the hub looks like. The hub asks for a match at the start only, hence the \Z.
NAME = r"[a-z0-9][a-z0-9_-]{0,27}\Z"

#: In front of a learner's name, so that no account of the system is taken.
PREFIX = "lab-"


def plain(name: str) -> str:
    """A typed name in letters that a folder and an account can have: "Ada Müller" is "ada-muller".

    What has no such form stays as it is, and the hub refuses it.
    """
    letters = unicodedata.normalize("NFKD", name.strip().casefold())
    letters = "".join(char for char in letters if not unicodedata.combining(char))
    return "-".join(letters.replace(".", " ").split()) if letters[:1].isalnum() else letters


def obstacle(*paths: Path) -> str | None:
    """Why learners cannot have their own accounts; None if they can.

    Args:
        paths (Path): what every learner must be able to read.
    """
    if os.getuid() != 0:
        return "the hub does not run as root"
    if shutil.which("useradd") is None:
        return "this system has no useradd"
    for path in (each for given in paths for each in (given, given.resolve())):
        for folder in reversed(path.parents):
            if not folder.stat().st_mode & 0o001:
                return f"other accounts may not enter {folder}, and {path} is in it"
        if not path.stat().st_mode & (0o001 if path.is_dir() else 0o004):
            return f"other accounts may not read {path}"
    return None


def account_of(name: str, home: Path) -> pwd.struct_passwd:
    """The system account of a learner, created at the first call, and their folder.

    Only that account may enter the folder. Files of an earlier hub without accounts become theirs.

    Args:
        name (str): the learner's, as `NAME` wants it.
        home (Path): the folder. Nobody else can have made it: its parent is root's.

    Raises:
        subprocess.CalledProcessError: useradd failed.
    """
    try:
        account = pwd.getpwnam(PREFIX + name)
    except KeyError:
        command = ["useradd", "--system", "--user-group", "--no-create-home"]
        command += ["--home-dir", str(home), "--shell", "/bin/bash", PREFIX + name]
        subprocess.run(command, check=True, capture_output=True)
        account = pwd.getpwnam(PREFIX + name)
    home.mkdir(mode=0o700, exist_ok=True)
    if home.stat().st_uid != account.pw_uid:
        for folder, folders, files in os.walk(home):
            for each in (".", *folders, *files):
                path = os.path.join(folder, each)
                os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
        home.chmod(0o700)
    return account


def become(account: pwd.struct_passwd) -> Callable[[], None]:
    """What a new process calls to run under an account, with no group but its own."""

    def change() -> None:
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
        os.umask(0o077)

    return change

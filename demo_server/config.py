"""Settings under the article's names, from the environment or a file `.env`."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from .cookie_protection import PROTECTIONS
from .errors import ConfigError
from .policy import POLICIES
from .usernames import fault_in

#: bcrypt ignores the rest of a longer password.
MAX_PASSWORD_BYTES = 72

#: Characters of a teacher's password: a teacher sees what the whole class does.
MIN_TEACHER_PASSWORD = 8

#: RFC 7518, section 3.2: a key for HS256 has at least 256 bits.
MIN_SECRET_BYTES = 32

#: Characters of a value that a message repeats.
MAX_SHOWN = 60

DATABASE_SCHEMES = ("mongomock", "mongodb", "mongodb+srv")


def _random_secret() -> str:
    return secrets.token_hex(MIN_SECRET_BYTES)


class RandomPassword(str):
    """A password that nobody chose, so it must be shown once."""


def _random_password() -> str:
    return RandomPassword(secrets.token_urlsafe(12))


@dataclass(frozen=True)
class ServerConfig:
    """The server's settings.

    Attributes:
        port (int): the port of `python -m demo_server`; 0 picks a free one.
        host (str): the address to listen on; loopback unless you change it.
        db_uri (str): "" or "mongomock://…" for a database in this process,
            "mongodb://…" for a MongoDB server.
        access_token_secret, refresh_token_secret (str): two different HS256 keys of at
            least 32 bytes (UTF-8). Random for each `ServerConfig` by default.
        access_token_ttl, refresh_token_ttl (int): lifetimes, in seconds.
        policy (str): "article", or "rfc" for the hardened one; see `policy.py`.
        refresh_grace (int): with the policy "rfc", the seconds for which a spent refresh token
            still returns its successor, while that is unspent.
        session_ttl (int): with the policy "rfc", seconds from the login to the end of the
            session; a refresh does not extend it. By default a working day of 8 hours, which no
            session of a lesson reaches.
        teachers (tuple[str, ...]): the users who may read `/class`. The server creates their
            accounts at start, and nobody can register their names.
        teacher_password (str): the password of the accounts that it creates. Random for each
            `ServerConfig` by default; read it here.
        workers (int): the processes of `python -m demo_server.class_server`.
        class_log (bool): store the events in the database and serve them at `/events`.
        class_clock (bool): let a teacher move the server's clock for everyone at `/clock`; needs
            `class_log`.
        cookie_session (str): how the cookie session at `/cookie/…` is protected, "careless",
            "samesite", "csrf_token" or "both"; see `cookie_protection.py`. "" leaves its routes
            out. It needs the policy "rfc".
        bcrypt_cost (int): rounds as a power of two, 4 to 31; lower it in tests only.

    Raises:
        ConfigError: a value cannot be used.
    """

    port: int = 8000
    host: str = "127.0.0.1"
    db_uri: str = field(default="", repr=False)  # it can contain a password
    access_token_secret: str = field(default_factory=_random_secret, repr=False)
    refresh_token_secret: str = field(default_factory=_random_secret, repr=False)
    access_token_ttl: int = 60
    refresh_token_ttl: int = 300
    policy: str = "article"
    refresh_grace: int = 0
    session_ttl: int = 28_800
    teachers: tuple[str, ...] = ()
    teacher_password: str = field(default_factory=_random_password, repr=False)
    workers: int = 1
    class_log: bool = False
    class_clock: bool = False
    cookie_session: str = ""
    bcrypt_cost: int = 10

    def __post_init__(self) -> None:
        _check_number("PORT", self.port, 0, 65_535)
        _check_number("ACCESS_TOKEN_TTL", self.access_token_ttl, 1, 10**9)
        _check_number("REFRESH_TOKEN_TTL", self.refresh_token_ttl, 1, 10**9)
        _check_number("REFRESH_GRACE", self.refresh_grace, 0, 10**9)
        _check_number("SESSION_TTL", self.session_ttl, 1, 10**9)
        _check_number("WORKERS", self.workers, 1, 64)
        _check_switch("CLASS_LOG", self.class_log)
        _check_switch("CLASS_CLOCK", self.class_clock)
        if self.class_clock and not self.class_log:
            raise ConfigError("CLASS_CLOCK needs the class log, which shows each move: CLASS_LOG=1")
        _check_number("bcrypt_cost", self.bcrypt_cost, 4, 31)
        _check_secret("ACCESS_TOKEN_SECRET", self.access_token_secret)
        _check_secret("REFRESH_TOKEN_SECRET", self.refresh_token_secret)
        if self.access_token_secret == self.refresh_token_secret:
            raise ConfigError(
                "ACCESS_TOKEN_SECRET and REFRESH_TOKEN_SECRET are the same: set two different "
                "ones, or a refresh token passes for an access token"
            )
        if not isinstance(self.policy, str) or self.policy not in POLICIES:
            known = " or ".join(POLICIES)
            raise ConfigError(f"AUTH_POLICY must be {known}, not {_short(self.policy)}")
        if not isinstance(self.cookie_session, str) or (
            self.cookie_session and self.cookie_session not in PROTECTIONS
        ):
            known = ", ".join(PROTECTIONS)
            raise ConfigError(
                f"COOKIE_SESSION must be one of {known}, not {_short(self.cookie_session)}"
            )
        if self.cookie_session and not POLICIES[self.policy].rotates:
            raise ConfigError(
                "COOKIE_SESSION needs sessions that the server can end: set AUTH_POLICY=rfc"
            )
        # A generator would be empty after this check.
        if not isinstance(self.teachers, (tuple, list)) or not all(
            isinstance(name, str) and name for name in self.teachers
        ):
            raise ConfigError("TEACHERS must be usernames with commas between them")
        for fault in map(fault_in, self.teachers):
            if fault is not None:
                raise ConfigError(f"TEACHERS: {fault}")
        _check_teacher_password(self.teacher_password)
        _check_host(self.host)
        uri = self.db_uri if isinstance(self.db_uri, str) else "not a URI"
        scheme, separator, _ = uri.partition("://")
        if uri and (not separator or scheme not in DATABASE_SCHEMES):
            # The URI is not repeated here: it can contain a password.
            raise ConfigError(
                "DB_URI has an unknown scheme: write mongodb://host/name, or mongomock://name "
                "(or nothing) for a database in this process"
            )

    @classmethod
    def from_env(
        cls,
        environ: Mapping[str, str] | None = None,
        dotenv: str | Path = ".env",
    ) -> ServerConfig:
        """Read the settings from the environment, then from the file `dotenv`.

        The environment wins. An empty value counts as not set, and has its default.

        Args:
            environ (Mapping[str, str] | None): `os.environ` by default.
            dotenv (str | Path): a file of NAME=value lines, each on one line, with `export` in
                front or quotes around the value if you like; it need not exist.

        Raises:
            ConfigError: a value cannot be used, or the file cannot be read.
        """
        given = {**_read_dotenv(Path(dotenv)), **(os.environ if environ is None else environ)}
        settings: dict[str, object] = {}
        for name in (
            "HOST",
            "DB_URI",
            "ACCESS_TOKEN_SECRET",
            "REFRESH_TOKEN_SECRET",
            "TEACHER_PASSWORD",
        ):
            if given.get(name):
                settings[name.lower()] = given[name]
        for name in (
            "PORT",
            "ACCESS_TOKEN_TTL",
            "REFRESH_TOKEN_TTL",
            "REFRESH_GRACE",
            "SESSION_TTL",
            "WORKERS",
        ):
            if given.get(name):
                settings[name.lower()] = _read_number(name, given[name])
        for name in ("CLASS_LOG", "CLASS_CLOCK"):
            if given.get(name):
                settings[name.lower()] = {"1": True, "0": False}.get(given[name], given[name])
        if given.get("COOKIE_SESSION"):
            settings["cookie_session"] = given["COOKIE_SESSION"]
        if given.get("AUTH_POLICY"):
            settings["policy"] = given["AUTH_POLICY"]
        names = (name.strip() for name in given.get("TEACHERS", "").split(","))
        settings["teachers"] = tuple(name for name in names if name)
        return cls(**settings)  # type: ignore[arg-type]


def _read_dotenv(path: Path) -> dict[str, str]:
    """The settings in a file of NAME=value lines.

    python-dotenv skips a line that it cannot parse. Here that is an error: it names the line by its
    number and does not repeat it, because it can contain a secret.
    """
    if not path.is_file():
        return {}
    try:
        text = path.read_text("utf-8-sig")  # Windows editors put a byte order mark first
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path.name} cannot be read ({type(error).__name__}): write it as UTF-8 text, "
            "one NAME=value a line"
        ) from None
    for binding in parse_stream(StringIO(text)):
        source = binding.original.string
        comment = binding.key is None and not binding.error
        # A value that continues on the next line has most likely lost its closing quote.
        one_line = "\n" not in source.strip()
        named = binding.value is not None and re.fullmatch(r"[\w.-]+", binding.key or "")
        if not comment and not (one_line and named):
            blank = source[: len(source) - len(source.lstrip())]
            line = binding.original.line + blank.count("\n")
            raise ConfigError(
                f"{path.name}, line {line}: write NAME=value, such as PORT=8000. "
                "A quote must close on the line where it opens"
            )
    values = dotenv_values(stream=StringIO(text))
    return {name: value for name, value in values.items() if value is not None}


def _read_number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ConfigError(f"{name} must be a whole number, not {_short(text)}") from None


def _check_number(name: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(
            f"{name} must be a whole number from {low} to {high}, not {_short(value)}"
        )


def _check_switch(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise ConfigError(f"{name} must be 1 or 0, not {_short(value)}")


def _check_host(host: str) -> None:
    try:
        if isinstance(host, str) and host.isprintable() and host.encode("idna"):
            return
    except UnicodeError:  # a part between two dots is empty or too long for DNS
        pass
    raise ConfigError(f"HOST must be an address such as 127.0.0.1, not {_short(host)}")


def _short(value: object) -> str:
    """A value as code, cut to fit into a line."""
    try:
        text = repr(value)
    except ValueError:  # an integer of more than 4300 digits
        text = f"a {type(value).__name__}"
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _check_secret(name: str, secret: str) -> None:
    if not isinstance(secret, str) or len(secret.encode(errors="replace")) < MIN_SECRET_BYTES:
        raise ConfigError(
            f"{name} must have at least {MIN_SECRET_BYTES} bytes: make one with "
            'python -c "import secrets; print(secrets.token_hex(32))"'
        )


def _check_teacher_password(password: str) -> None:
    text = password if isinstance(password, str) else ""
    size = len(text.encode(errors="replace"))
    if len(text) < MIN_TEACHER_PASSWORD or size > MAX_PASSWORD_BYTES or not text.isprintable():
        raise ConfigError(
            f"TEACHER_PASSWORD must have at least {MIN_TEACHER_PASSWORD} characters that can be "
            f"printed, and at most {MAX_PASSWORD_BYTES} bytes (UTF-8)"
        )

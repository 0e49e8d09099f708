"""Settings: where they come from, and what is said of a bad one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from demo_server import ConfigError, ServerConfig, open_database

SECRETS = {"ACCESS_TOKEN_SECRET": "a" * 32, "REFRESH_TOKEN_SECRET": "b" * 32}


def from_env(environ: dict[str, str], dotenv: Path | str = "/nonexistent/.env") -> ServerConfig:
    return ServerConfig.from_env(environ, dotenv)


def test_the_defaults_are_the_articles() -> None:
    config = from_env({})
    assert (config.host, config.port, config.db_uri) == ("127.0.0.1", 8000, "")
    assert (config.access_token_ttl, config.refresh_token_ttl) == (60, 300)
    assert config.bcrypt_cost == 10
    assert (config.policy, config.refresh_grace, config.teachers) == ("article", 0, ())
    assert (config.session_ttl, config.workers, config.class_log) == (28_800, 1, False)


def test_secrets_that_are_not_given_are_256_random_bits_at_each_start() -> None:
    secrets = {
        secret
        for _ in range(4)
        for config in [from_env({})]
        for secret in (config.access_token_secret, config.refresh_token_secret)
    }
    assert len(secrets) == 8
    assert all(len(bytes.fromhex(secret)) == 32 for secret in secrets)


def test_every_setting_is_read() -> None:
    environ = {
        **SECRETS,
        "PORT": "0",
        "HOST": "::1",
        "DB_URI": "mongomock://class",
        "ACCESS_TOKEN_TTL": "5",
        "REFRESH_TOKEN_TTL": "10",
        "AUTH_POLICY": "rfc",
        "REFRESH_GRACE": "3",
        "SESSION_TTL": "600",
        "TEACHERS": "tess, tim,",
        "TEACHER_PASSWORD": "the pass phrase of both",
        "WORKERS": "4",
        "CLASS_LOG": "1",
        "COOKIE_SESSION": "both",
    }
    assert from_env(environ) == ServerConfig(
        port=0,
        host="::1",
        db_uri="mongomock://class",
        access_token_secret="a" * 32,
        refresh_token_secret="b" * 32,
        access_token_ttl=5,
        refresh_token_ttl=10,
        policy="rfc",
        refresh_grace=3,
        session_ttl=600,
        teachers=("tess", "tim"),
        teacher_password="the pass phrase of both",
        workers=4,
        class_log=True,
        cookie_session="both",
    )
    assert from_env({"CLASS_LOG": "0"}).class_log is False
    assert from_env({"CLASS_LOG": "1", "CLASS_CLOCK": "1"}).class_clock is True


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("# class 3b\nPORT=9000\nACCESS_TOKEN_TTL='7'\nDB_URI=\n")
    config = from_env({"PORT": "9001"}, dotenv)
    assert (config.port, config.access_token_ttl, config.db_uri) == (9001, 7, "")


def test_an_empty_value_counts_as_not_given() -> None:
    assert from_env({"PORT": "", "DB_URI": "", "ACCESS_TOKEN_SECRET": ""}).port == 8000


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"PORT": "eighty"}, "PORT must be a whole number, not 'eighty'"),
        ({"PORT": "70000"}, "PORT must be a whole number from 0 to 65535"),
        ({"ACCESS_TOKEN_TTL": "0"}, "ACCESS_TOKEN_TTL must be a whole number from 1"),
        ({"REFRESH_TOKEN_TTL": "1.5"}, "REFRESH_TOKEN_TTL must be a whole number"),
        ({"ACCESS_TOKEN_SECRET": "a" * 31}, "ACCESS_TOKEN_SECRET must have at least 32 bytes"),
        ({"REFRESH_TOKEN_SECRET": "short"}, "REFRESH_TOKEN_SECRET must have at least 32 bytes"),
        (
            {"ACCESS_TOKEN_SECRET": "a" * 32, "REFRESH_TOKEN_SECRET": "a" * 32},
            "are the same: set two different ones",
        ),
        ({"DB_URI": "postgres://x:pass@host/db"}, "DB_URI has an unknown scheme: write mongodb"),
        ({"AUTH_POLICY": "strict"}, "AUTH_POLICY must be article or rfc, not 'strict'"),
        ({"COOKIE_SESSION": "lax"}, "COOKIE_SESSION must be one of careless, samesite, csrf_token"),
        ({"COOKIE_SESSION": "both"}, "COOKIE_SESSION needs sessions that the server can end"),
        ({"WORKERS": "0"}, "WORKERS must be a whole number from 1"),
        ({"CLASS_LOG": "yes"}, "CLASS_LOG must be 1 or 0, not 'yes'"),
        ({"SESSION_TTL": "0"}, "SESSION_TTL must be a whole number from 1"),
        ({"REFRESH_GRACE": "-1"}, "REFRESH_GRACE must be a whole number from 0"),
        ({"DB_URI": "localhost"}, "DB_URI has an unknown scheme"),
    ],
)
def test_a_bad_setting_is_named_in_one_line(environ: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        from_env(environ)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    for secret in ("a" * 31, "short", "pass@"):
        assert secret not in str(error.value)


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_bytes(b"PORT=\xff\xfe")
    with pytest.raises(ConfigError, match=r"\.env cannot be read .*UTF-8"):
        from_env({}, dotenv)


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfPORT=9000\nACCESS_TOKEN_TTL=7\n",
        b"PORT=9000\r\n\r\nACCESS_TOKEN_TTL=7\r\n",
        b"PORT=9000\rACCESS_TOKEN_TTL=7\r",
        b"export PORT=9000\nexport  ACCESS_TOKEN_TTL='7'",
        b"PORT=\"9000\"\nACCESS_TOKEN_TTL='7'\n",
        b"\t# class 3b\n  PORT = 9000  # a comment\n\n\n ACCESS_TOKEN_TTL =7 \n#PORT: 1\n",
        b"PORT=1\nOTHER.tool-name=x=y: z\nPORT=9000\nACCESS_TOKEN_TTL=7",
    ],
)
def test_the_file_may_be_written_as_other_tools_write_it(text: bytes, tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_bytes(text)
    config = from_env({}, dotenv)
    assert (config.port, config.access_token_ttl) == (9000, 7)


@pytest.mark.parametrize(
    "line",
    [
        "ACCESS_TOKEN_SECRET: hunter2",
        "ACCESS_TOKEN_SECRET:hunter2",
        "ACCESS_TOKEN_SECRET:hunter2=",
        "ACCESS_TOKEN_SECRET hunter2",
        "ACCESS_TOKEN_SECRET",
        "export ACCESS_TOKEN_SECRET",
        "set ACCESS_TOKEN_SECRET=hunter2",
        "$env:ACCESS_TOKEN_SECRET='hunter2'",
        "{'ACCESS_TOKEN_SECRET': 'hunter2'}",
        "=hunter2",
        "ACCESS_TOKEN_SECRET='hunter2",
        'ACCESS_TOKEN_SECRET="hunter2" and more',
        "ACCESS_TOKEN_SECRET='hunter2\nHOST=::1'",
        "\ufeffACCESS_TOKEN_SECRET=hunter2",
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_any_other_line_is_named_by_its_number_and_not_repeated(
    line: str, newline: str, tmp_path: Path
) -> None:
    dotenv = tmp_path / ".env"
    lines = f"# class 3b\nPORT=9000\n\n{line}\nWORKERS=2\n"
    dotenv.write_bytes(lines.replace("\n", newline).encode())
    with pytest.raises(ConfigError) as error:
        from_env({}, dotenv)
    assert str(error.value) == (
        ".env, line 4: write NAME=value, such as PORT=8000. "
        "A quote must close on the line where it opens"
    )


@pytest.mark.parametrize("value", [True, 1.5, "60", None])
def test_a_setting_in_code_is_checked_as_well(value: Any) -> None:
    with pytest.raises(ConfigError, match="ACCESS_TOKEN_TTL"):
        ServerConfig(access_token_ttl=value)


@pytest.mark.parametrize(
    "name", ["host", "db_uri", "policy", "cookie_session", "teachers", "class_log", "port"]
)
@pytest.mark.parametrize("value", [None, 1.5, b"x", {"a": 1}, ["x" * 1000, 5], 10**5000], ids=type)
def test_a_value_of_another_type_is_named_in_one_line(name: str, value: Any) -> None:
    setting = {"policy": "AUTH_POLICY"}.get(name, name.upper())
    with pytest.raises(ConfigError) as error:
        ServerConfig(**{name: value})
    message = str(error.value)
    assert message.startswith(setting)
    assert len(message) < 200
    assert message.isprintable()


@pytest.mark.parametrize("host", ["a..b", ".", "x" * 64, "127.0.0.1\n", "\udcff"])
def test_a_host_that_no_name_server_can_be_asked_for_is_named(host: str) -> None:
    with pytest.raises(ConfigError, match=r"^HOST must be an address such as 127\.0\.0\.1, not "):
        from_env({"HOST": host})


@pytest.mark.parametrize("name", ["PORT", "AUTH_POLICY", "CLASS_LOG", "COOKIE_SESSION"])
def test_a_long_value_is_not_repeated_whole(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{name} must be .*9…$"):
        from_env({name: "9" * 10_000})


@pytest.mark.parametrize("teachers", ["tess", ("",), (1,), (name for name in ["tess"])])
def test_teachers_in_code_are_names(teachers: Any) -> None:
    with pytest.raises(ConfigError, match="TEACHERS must be usernames"):
        ServerConfig(teachers=teachers)


@pytest.mark.parametrize("password", ["", "1234567", "x" * 73, "ü" * 37, "a\0b\0c\0d\0", None])
def test_a_teachers_password_can_be_typed_and_hashed(password: Any) -> None:
    with pytest.raises(ConfigError, match=r"^TEACHER_PASSWORD must have at least 8") as error:
        ServerConfig(teacher_password=password)
    assert not password or password not in str(error.value)


def test_a_teachers_password_that_is_not_given_is_random() -> None:
    passwords = {ServerConfig().teacher_password for _ in range(4)}
    assert len(passwords) == 4
    assert all(len(password) == 16 for password in passwords)


def test_secrets_are_not_shown() -> None:
    config = from_env({**SECRETS, "TEACHER_PASSWORD": "c" * 32})
    assert "c" * 32 not in repr(config)
    assert "a" * 32 not in repr(config)
    assert "b" * 32 not in repr(config)


def test_no_repr_holds_the_password_of_the_database() -> None:
    assert "s3cret" not in repr(ServerConfig(db_uri="mongodb://ada:s3cret@127.0.0.1/x"))


def test_a_database_that_cannot_be_reached_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("demo_server.storage.database.SERVER_SELECTION_TIMEOUT_MS", 50)
    with pytest.raises(ConfigError, match="DB_URI: the database cannot be opened") as error:
        open_database("mongodb://ada:hunter2@127.0.0.1:1/lab")
    assert "hunter2" not in str(error.value)
    with pytest.raises(ConfigError, match="DB_URI: the database cannot be opened"):
        open_database("mongodb://")

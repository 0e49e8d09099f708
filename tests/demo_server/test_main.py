"""`python -m demo_server`, as a process."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest
import requests

from demo_server.__main__ import main

from .processes import in_kernel_server


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_end(tmp_path: Path, ending: signal.Signals) -> None:
    with in_kernel_server(tmp_path, PORT="0") as running:
        assert running.stdout is not None
        line = running.stdout.readline()
        assert line.startswith("Listening to requests on http://127.0.0.1:")
        url = line.split()[-1]
        ada = {"username": "ada", "password": "x"}
        assert requests.post(url + "/users/register", data=ada, timeout=20).status_code == 201
        tokens = requests.post(url + "/users/login", json=ada, timeout=20).json()
        headers = {"Authorization": f"Bearer {tokens['accessToken']}"}
        home = requests.get(url + "/home", headers=headers, timeout=20)
        assert home.json() == {"message": "Welcome ada"}
        running.send_signal(ending)
        assert running.wait(timeout=20) == 0
        assert running.stdout.read() == ""
        assert running.stderr is not None
        assert running.stderr.read() == ""


def test_it_reads_the_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=0\nHOST=localhost\n")
    with in_kernel_server(tmp_path) as running:
        assert running.stdout is not None
        assert "http://localhost:" in running.stdout.readline()


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"ACCESS_TOKEN_SECRET": "short"}, "ACCESS_TOKEN_SECRET"),
        ({"ACCESS_TOKEN_SECRET": "s" * 32, "REFRESH_TOKEN_SECRET": "s" * 32}, "the same"),
        ({"PORT": "x"}, "PORT"),
        ({"REFRESH_TOKEN_TTL": "-1"}, "REFRESH_TOKEN_TTL"),
        ({"DB_URI": "redis://x"}, "DB_URI"),
        ({"HOST": "no.such.host.invalid"}, "HOST"),
    ],
)
def test_a_bad_setting_is_one_line_and_exit_2(
    settings: dict[str, str],
    word: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In this process. Below, the exit code is that of a process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert main() == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("demo_server: ")
    assert err.count("\n") == 1
    assert word in err


def test_a_taken_port_is_one_line_and_exit_2(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with in_kernel_server(tmp_path, PORT=port) as running:
            out, err = running.communicate(timeout=20)
    assert (running.returncode, out) == (2, "")
    assert err.startswith("demo_server: ")
    assert err.count("\n") == 1
    assert f"port {port}" in err

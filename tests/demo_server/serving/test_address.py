"""What the person who starts a server reads about its address."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

import psutil
import pytest

from demo_server import __main__ as in_kernel
from demo_server import class_server
from demo_server.serving.address import cannot_listen, printed_url


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
        ("class.example", "http://class.example:8000"),
    ],
)
def test_an_address_is_printed_unchanged(host: str, url: str) -> None:
    assert printed_url(host, 8000) == url


def test_for_all_addresses_it_is_one_that_another_machine_can_reach() -> None:
    of_this_machine = {
        each.address for addresses in psutil.net_if_addrs().values() for each in addresses
    }
    host = printed_url("0.0.0.0", 8000).removeprefix("http://").removesuffix(":8000")
    assert host in {*of_this_machine, socket.gethostname()} - {"0.0.0.0", "127.0.0.1"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_without_a_network_it_is_the_name_of_the_machine(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(self: socket.socket, address: object) -> None:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", unreachable)
    assert printed_url(host, 8000) == f"http://{socket.gethostname()}:8000"


def test_the_class_server_announces_it(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        class_server.announce_listening("0.0.0.0", port)
    assert capsys.readouterr().out == f"Listening to requests on {printed_url('0.0.0.0', port)}\n"


def test_the_server_in_the_kernel_announces_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def printed(host: str, port: int) -> str:
        asked.append(host)
        in_kernel_stop()
        return "the address"

    def on_signal(_: object, handler: Callable[[], None]) -> None:
        nonlocal in_kernel_stop
        in_kernel_stop = handler

    in_kernel_stop: Callable[[], None] = lambda: None  # noqa: E731
    monkeypatch.setenv("PORT", "0")
    monkeypatch.setattr(in_kernel.signal, "signal", on_signal)
    monkeypatch.setattr(in_kernel, "printed_url", printed)
    assert in_kernel.main() == 0
    assert asked == ["127.0.0.1"]
    assert capsys.readouterr().out == "Listening to requests on the address\n"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            OSError(errno.EADDRINUSE, "Address already in use (on address ('127.0.0.1', 80))"),
            "(Address already in use): stop the program that uses the port, or set PORT to another",
        ),
        (
            OSError(errno.EACCES, "Permission denied"),
            "(Permission denied): set HOST and PORT to an address of this machine that is free",
        ),
        (
            socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            "(Name or service not known): set HOST and PORT to an address of this machine",
        ),
    ],
)
def test_an_address_that_cannot_be_used_is_named_once(error: OSError, words: str) -> None:
    message = str(cannot_listen("127.0.0.1", 80, error))
    assert message.startswith(f"cannot listen on 127.0.0.1, port 80 {words}")
    assert message.count("127.0.0.1") == 1

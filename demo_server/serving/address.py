"""Where a server listens: its URL for this machine, and for the person who starts it.

A server on all addresses (`0.0.0.0` or `::`) is reached at loopback from here, and at the machine's
address from the network.
"""

from __future__ import annotations

import errno
import os
import socket

from ..errors import ConfigError

# An address for documentation of each family (RFC 5737, RFC 3849): no machine has it.
_ELSEWHERE = {
    "0.0.0.0": (socket.AF_INET, "192.0.2.1"),
    "::": (socket.AF_INET6, "2001:db8::1"),
}


# Where a server on all addresses is reached from this machine.
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def loopback_of(host: str) -> str:
    """The address at which this machine reaches a server that listens on `host`."""
    return _LOOPBACK.get(host, host)


def url_of(host: str, port: int) -> str:
    """The URL of a server, without a slash at the end. An IPv6 address is put in brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def printed_url(host: str, port: int) -> str:
    """The URL that a person types to reach a server that listens on `host`.

    A server on all addresses is named by the one that this machine uses in its network, or by the
    machine's name if it has no network.
    """
    if host in _ELSEWHERE:
        host = _own_address(*_ELSEWHERE[host])
    return url_of(host, port)


def cannot_listen(host: str, port: int, error: OSError) -> ConfigError:
    """The error that says why there is no server on `host` and `port`, and what to do."""
    # Python adds the address to the system's words, and it is named already.
    number = error.errno or 0
    reason = os.strerror(number) if number > 0 else error.strerror
    where = f"cannot listen on {host}, port {port} ({reason})"
    if error.errno == errno.EADDRINUSE:
        return ConfigError(f"{where}: stop the program that uses the port, or set PORT to another")
    return ConfigError(f"{where}: set HOST and PORT to an address of this machine that is free")


def _own_address(family: socket.AddressFamily, elsewhere: str) -> str:
    # Connecting a UDP socket chooses a route and sends nothing.
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((elsewhere, 9))
        except OSError:  # no network
            return socket.gethostname()
        address: str = probe.getsockname()[0]
    return address

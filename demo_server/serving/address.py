"""Where a server listens, in words for the person who started it."""

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


def printed_url(host: str, port: int) -> str:
    """The address that a person types to reach a server that listens on `host`.

    A server on all addresses (`0.0.0.0` or `::`) is named by the one that this machine uses in
    its network, or by the machine's name if it has no network.
    """
    if host in _ELSEWHERE:
        host = _own_address(*_ELSEWHERE[host])
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


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

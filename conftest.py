"""No request to this machine goes through a proxy, whatever the environment says.

Set before anything starts, so it holds for the tests, the notebooks and the processes that either
of them starts.
"""

from __future__ import annotations

import os

NAMES = ("no_proxy", "NO_PROXY")  # some clients read one, some the other

_hosts = ",".join(os.environ.get(name, "") for name in NAMES).split(",")
_hosts = [host.strip() for host in [*_hosts, "127.0.0.1", "localhost", "::1"]]
for name in NAMES:
    os.environ[name] = ",".join(dict.fromkeys(filter(None, _hosts)))

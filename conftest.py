"""No request to this machine goes through a proxy, whatever the environment says.

Set before anything starts, so it holds for the tests, the notebooks and the processes that either
of them starts.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

NAMES = ("no_proxy", "NO_PROXY")  # some clients read one, some the other

_hosts = ",".join(os.environ.get(name, "") for name in NAMES).split(",")
_hosts = [host.strip() for host in [*_hosts, "127.0.0.1", "localhost", "::1"]]
for name in NAMES:
    os.environ[name] = ",".join(dict.fromkeys(filter(None, _hosts)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `pytest -n 2`, keep each file on one worker: the cells of a notebook share a kernel."""
    from xdist.scheduler import LoadFileScheduling

    return LoadFileScheduling(config, log)

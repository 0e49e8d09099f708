"""The tests reach their servers on a machine whose environment names a proxy."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from demo_server import DemoServer

#: Port 9 is for discarding what comes, and almost nowhere does anything listen there.
DEAD = "http://127.0.0.1:9"

ASK = "import os, requests; print(requests.get(os.environ['ASK'], timeout=20).status_code)"


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_a_child_process_asks_no_proxy_for_loopback(name: str, server: DemoServer) -> None:
    env = os.environ | {name: DEAD, "ASK": f"{server.url}/home"}
    child = subprocess.run([sys.executable, "-c", ASK], env=env, capture_output=True, text=True)
    assert child.stdout == "403\n", child.stderr

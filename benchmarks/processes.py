"""The servers under load, each in a process of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@contextmanager
def process(*command: str) -> Iterator[dict[str, Any]]:
    """Run a server; gives what it prints first, a JSON object. It ends with its stdin."""
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert running.stdin is not None
    try:
        line = running.stdout.readline()
        if not line:
            raise RuntimeError(f"{Path(command[1]).name} ended before it listened")
        yield {**json.loads(line), "pid": running.pid}
    finally:
        running.stdin.close()
        try:
            running.wait(timeout=20)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        running.stdout.close()


def start_all(stack: ExitStack, secret: str, left_out: list[str]) -> dict[str, Any]:
    """Start our servers and the peers; gives their URLs by name, and the `pid` of ours.

    Args:
        stack (ExitStack): ends them.
        secret (str): the key that signs access tokens.
        left_out (list[str]): is told of a peer that is not there.
    """
    started = stack.enter_context(process(sys.executable, str(HERE / "servers.py"), secret))
    peers = HERE / "peers"
    if find_spec("flask_jwt_extended"):
        peer = stack.enter_context(process(sys.executable, str(peers / "flask_jwt.py"), secret))
        started = {**peer, **started}
    else:
        left_out.append("flask-jwt-extended, which is not installed (extra `bench`).")
    if find_spec("fastapi") and find_spec("uvicorn"):
        peer = stack.enter_context(process(sys.executable, str(peers / "fastapi_app.py"), secret))
        started = {**peer, **started}
    else:
        left_out.append("FastAPI, which is not installed (extra `bench`).")
    if express_is_installed():
        peer = stack.enter_context(process("node", str(peers / "express.js"), secret))
        started = {**peer, **started}
    else:
        left_out.append("Express, which needs node and npm.")
    return started


def express_is_installed() -> bool:
    """Install the peer from npm, where there is npm."""
    if not (shutil.which("node") and shutil.which("npm")):
        return False
    peers = HERE / "peers"
    if not (peers / "node_modules" / "bcrypt").is_dir():
        command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
        return subprocess.run(command, cwd=peers, check=False).returncode == 0
    return True

"""nx-27017, a server of MongoDB's wire protocol over SQLite, as a process of the tests."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


class NxServer:
    """A server that can be stopped and started again, with its data, on the same port.

    Args:
        folder (Path): where its files are.
        in_memory (bool): its data end with it.
    """

    def __init__(self, folder: Path, *, in_memory: bool = False) -> None:
        self.port = free_port()
        self.uri = f"mongodb://127.0.0.1:{self.port}"
        self._folder = folder
        self._where = ["--db", "memory" if in_memory else str(folder / "data.db")]
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> NxServer:
        command = Path(sys.executable).with_name("nx-27017")
        files = [f"--{name}-file={self._folder / name}" for name in ("log", "pid")]
        self._running = subprocess.Popen(
            [str(command), *self._where, "--host", "127.0.0.1", "-p", str(self.port), *files],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while self._running.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return self
        raise RuntimeError(f"nx-27017 ended with {self._running.returncode}")

    def stop(self) -> None:
        """End it at once, as a crash would."""
        if self._running is not None:
            self._running.kill()
            self._running.wait(timeout=20)
            self._running = None

"""How Jupyter starts a kernel as a fork, asks whether it runs, and ends it."""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner


class Original:
    """The process whose forks are the kernels. It ends with this one, and they end with it."""

    def __init__(self) -> None:
        mine, its = socket.socketpair()
        program = [sys.executable, str(Path(__file__).with_name("original.py")), str(its.fileno())]
        with its:
            self._process = subprocess.Popen(
                program, pass_fds=[its.fileno()], stdin=subprocess.DEVNULL, start_new_session=True
            )
        self._lock, self._lines = Lock(), mine.makefile("rw")
        mine.close()
        atexit.register(self.close)

    def ask(self, **request: Any) -> Any:
        """Its answer to a request."""
        with self._lock:
            print(json.dumps(request), file=self._lines, flush=True)
            return json.loads(self._lines.readline())

    def close(self) -> None:
        self._lines.close()
        self._process.wait()


original = cache(Original)


class Fork:
    """A kernel's process, with what Jupyter uses of `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, arguments: list[str], cwd: str, env: dict[str, str]) -> None:
        self.pid: int = original().ask(arguments=arguments, cwd=cwd, env=env)
        self._code: int | None = None

    def poll(self) -> int | None:
        if self._code is None:
            self._code = original().ask(ended=self.pid)
        return self._code

    wait = poll  # Jupyter waits for it by polling

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class ForkProvisioner(LocalProvisioner):
    """Starts kernels as forks. All else is as in `LocalProvisioner`."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        cwd = str(kwargs.get("cwd") or Path.cwd())
        # As Jupyter's own provisioner does: the lab finds its Jupyter server by this.
        env = {**kwargs["env"], "JPY_PARENT_PID": str(os.getpid())}
        self.process = Fork(cmd[cmd.index("-f") :], cwd, env)
        self.pid = self.pgid = self.process.pid
        self.cwd = cwd
        return self.connection_info

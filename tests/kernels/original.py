"""The process whose forks are the kernels: `python original.py FD`, where FD is its socket.

Each line that it reads asks for a kernel, or whether one has ended. Each is answered with a line.
"""

from __future__ import annotations

import json
import os
import runpy
import socket
import sys
from importlib import import_module
from pathlib import Path

#: The kernel of `make lab`: a fork has the same libraries.
WARM = Path(__file__).parents[2] / "deploy/jupyterlab/kernels/python3/warm_kernel.py"


def main(connection: socket.socket) -> None:
    """Answer until the other end is closed. A fork of this process returns from here, too."""
    with connection, connection.makefile("rw") as lines:
        for line in iter(lines.readline, ""):
            asked = json.loads(line)
            if "ended" in asked:
                print(json.dumps(code_of(asked["ended"])), file=lines, flush=True)
            elif os.fork() == 0:
                os.setsid()
                print(os.getpid(), file=lines, flush=True)
                break
        else:
            return
    be_a_kernel(**asked)


def code_of(pid: int) -> int | None:
    """The exit code of a kernel that has ended."""
    pid, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if pid else None


def be_a_kernel(arguments: list[str], cwd: str, env: dict[str, str]) -> None:
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv[1:] = arguments
    # It ends when this process, its parent, has ended.
    app = sys.modules["ipykernel.kernelapp"].IPKernelApp
    app.launch_instance([*arguments, f"--IPKernelApp.parent_handle={os.getppid()}"])


if __name__ == "__main__":
    del sys.path[0]  # this folder, where no kernel looks
    for library in ("ipykernel.kernelapp", *runpy.run_path(str(WARM))["LIBRARIES"]):
        import_module(library)
    main(socket.socket(fileno=int(sys.argv[1])))

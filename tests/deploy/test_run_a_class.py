"""`docs/how-to/run-a-class.md`, followed line by line by a teacher and three students.

The commands of the page run in its order, in their own folder, with real processes on free
ports, `make` included. The students are processes too, each in the folder that the page has them
make.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from client_widget import AuthClient, ClassView, ServerUnreachable
from client_widget.errors import ClientError

from ..demo_server.mongodb import NxServer, free_port
from .made import PATIENCE, ROOT, Made, lab_folder

PAGE = (ROOT / "docs/how-to/run-a-class.md").read_text()
NAMES = ("ada", "bob", "müller")
PASSWORD = "a throwaway pass phrase"

#: The lines of the page that a test cannot run, and what takes their place.
IN_PLACE: dict[str, str] = {
    "docker run ": "true",  # nx-27017 runs already
    "SERVER_URL=http://127.0.0.1:8000 make lab": "true",  # a JupyterLab; the test has its ClassView
    "python3 -m venv .venv": "true",  # the environment of the tests is there
    ".venv/bin/python -m pip install ": "true",  # and the lab is installed in it
    ".venv/bin/python -m jupyterlab ": "true",
}

#: A student's notebook: runs each line of its input as a cell.
NOTEBOOK = """
import ast, contextlib, io, json, sys, traceback
names = {}
for line in sys.stdin:
    out, value = io.StringIO(), None
    with contextlib.redirect_stdout(out):
        try:
            cell = ast.parse(json.loads(line))
            last = cell.body.pop() if isinstance(cell.body[-1], ast.Expr) else None
            exec(compile(cell, "cell", "exec"), names)
            if last is not None:
                last = compile(ast.Expression(last.value), "cell", "eval")
                names["_"] = value = eval(last, names)
        except Exception:
            value = traceback.format_exc()
    value = value if isinstance(value, str) else repr(value)
    print(json.dumps([out.getvalue(), value]), flush=True)
"""

Block = tuple[str, str]


def blocks(heading: str) -> list[Block]:
    """The fenced blocks of a section and its subsections: language and text."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def until(holds: Callable[[], bool]) -> None:
    limit = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < limit, "it does not come to pass"
        time.sleep(0.05)


def listens(port: int) -> bool:
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    return False


class Machine:
    """The teacher's machine: a folder of the lab, free ports, and what was started."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder = lab_folder(folder)
        self.port, self.tls_port = free_port(), free_port()
        self.env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "HOME": str(folder),
            "PORT": str(self.port),
            "TLS_PORT": str(self.tls_port),
            "TLS_TO": f"127.0.0.1:{self.port}",
            "TLS_BIND": "127.0.0.1",
        }
        self._here = {
            "192.168.1.20": "127.0.0.1",
            "HOST=0.0.0.0": "HOST=127.0.0.1",  # no test listens on the network
            ":8000": f":{self.port}",
            ":8443": f":{self.tls_port}",
            "mongodb://127.0.0.1:27017/": f"{database}/{uuid.uuid4().hex[:8]}_",
        }
        self.running: dict[str, Made] = {}

    def here(self, text: str) -> str:
        """A block of the page with the addresses and ports of this test."""
        for there, here in self._here.items():
            text = text.replace(there, here)
        return text

    def follow(self, text: str, folder: Path | None = None) -> str:
        """Run a block of shell commands. What it serves keeps running."""
        commands, serving = [], ""
        for line in text.splitlines():
            instead = [new for old, new in IN_PLACE.items() if line.startswith(old)]
            line = instead[0] if instead else self.here(line)
            if re.search(r"\bmake (serve|tls)$", line):
                assert not serving
                serving = line
            else:
                assert not serving, "a command after one that keeps running"
                commands.append(line)
        done = subprocess.run(
            ["bash", "-euc", "\n".join(commands)],
            cwd=folder or self.folder,
            env=self.env,
            check=False,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, (commands, done.stderr)
        if serving:
            self.serve(serving)
        return done.stdout

    def serve(self, line: str) -> None:
        """Start what keeps running, in place of what runs under that name."""
        *settings, _, name = line.split()
        if name in self.running:
            self.interrupt(name)
        env = self.env | dict(setting.split("=") for setting in settings)
        made = self.running[name] = Made(self.folder, name, env=env)
        port = {"serve": self.port, "tls": self.tls_port}[name]
        made.wait_for(lambda: listens(port))
        if name == "tls":  # Caddy listens before it has a certificate
            issued = self.folder / "deploy/tls/state/certificates"
            made.wait_for(lambda: any(issued.rglob("*.crt")))

    def interrupt(self, name: str) -> None:
        """Press Ctrl-C: it ends in an orderly way, with all that it started."""
        made = self.running.pop(name)
        assert made.end() == []
        assert "Traceback" not in made.log()

    def stop(self) -> None:
        for made in self.running.values():
            made.end(signal.SIGTERM)


class Student:
    """A student's folder, and their notebook in it."""

    def __init__(self, machine: Machine, folder: Path, name: str) -> None:
        self.name, self.machine = name, machine
        folder.mkdir(parents=True)
        (folder / ".venv").symlink_to(sys.prefix)
        for language, text in blocks("Students join"):
            if language == "sh":
                machine.follow(text, folder)
        assert (folder / "my-course/01_walkthrough.ipynb").exists()
        self.folder = folder / "my-course"
        self._notebook = subprocess.Popen(
            [sys.executable, "-c", NOTEBOOK],
            cwd=self.folder,
            env=machine.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, cell: str) -> tuple[str, str]:
        """What a cell prints, and the value of its last line, or the traceback."""
        assert self._notebook.stdin
        assert self._notebook.stdout
        print(json.dumps(self.machine.here(cell)), file=self._notebook.stdin, flush=True)
        out, value = json.loads(self._notebook.stdout.readline())
        return out, value

    def sit(self, join: str) -> None:
        """Join with the page's cell, and log in on the panel that it shows."""
        shown = self.run(join)[1]
        assert shown.startswith("<Seat"), shown
        self.run(f"seat = _\nseat.log_in({self.name!r}, {PASSWORD!r})")

    def home(self) -> str:
        """What the home page says. A connection that a dead worker has cut is made again."""
        said = self.run("seat.client.home()['message']")[1]
        return self.home() if "ServerUnreachable" in said else said

    def close(self) -> None:
        self._notebook.kill()
        self._notebook.communicate(timeout=20)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    database = NxServer(tmp_path, in_memory=True).start()
    machine = Machine(tmp_path, database.uri)
    yield machine
    machine.stop()
    database.stop()


@pytest.fixture
def open_notebooks() -> Iterator[list[Student]]:
    students: list[Student] = []
    yield students
    for student in students:
        student.close()


def test_the_page_followed_line_by_line(
    machine: Machine, tmp_path: Path, open_notebooks: list[Student]
) -> None:
    for _, text in [*blocks("Settings"), *blocks("Start")]:
        if not text.startswith("curl.exe"):
            machine.follow(text)
    assert (machine.folder / ".env").stat().st_mode & 0o777 == 0o600

    students = open_notebooks
    with ThreadPoolExecutor() as pool:
        students += pool.map(lambda name: Student(machine, tmp_path / "class" / name, name), NAMES)
    [join] = [text for language, text in blocks("Students join") if language == "python"]
    for student in students:
        student.sit(join)
        assert student.home() == f"Welcome {student.name}"

    url = machine.here("http://127.0.0.1:8000")
    teacher = AuthClient(url)
    teacher.login("tess", "replace this password")
    view = ClassView(teacher)

    def class_has(what: Callable[[Any], bool]) -> Callable[[], bool]:
        def look() -> bool:
            with suppress(ServerUnreachable):  # the worker that is killed
                view.look()
            pupils = [row for row in view.rows() if not row.teacher]
            return sorted(row.username for row in pupils) == sorted(NAMES) and all(
                map(what, pupils)
            )

        return look

    # One expiry for the class: each student's next page needs a refresh.
    until(class_has(lambda row: row.refreshes == 0))
    view.advance.click()
    view.wait(PATIENCE)
    assert view.notice.value == ""
    for student in students:
        assert student.home() == f"Welcome {student.name}"
    until(class_has(lambda row: row.refreshes == 1))

    # An exercise of a lesson, while a worker is killed.
    server, workers = workers_of(machine)
    workers[0].kill()
    for student in students:
        right = student.name != "bob"
        padding = '"=" * (-len(text) % 4)' if right else '""'
        student.run(
            "import base64\nfrom jwt_course.lesson_02 import exercises\n"
            "q1, q2, q3, q4 = exercises(globals())\n"
            f"def decode_part(text):\n    return base64.urlsafe_b64decode(text + {padding})"
        )
        for _ in range(1 if right else 3):
            assert student.run("q1.check()")[0].startswith("q1 is right") == right
        assert student.home() == f"Welcome {student.name}"
    until(class_has(lambda row: (row.lesson, row.right) == ("02", int(row.username != "bob"))))
    assert view.rows()[0].username == "bob"  # who is stuck comes first
    until(lambda: len(workers_of(machine)[1]) == 2)
    assert workers_of(machine)[0] == server

    # https. The restart ends no session, because secrets and database are fixed.
    view.close()
    before = {student.name: student.run("seat.client.store.get()")[1] for student in students}
    for language, text in blocks("https"):
        if language == "sh":
            machine.follow(text)
    for student in students:
        assert student.home() == f"Welcome {student.name}"
        assert student.run("seat.client.store.get()")[1] == before[student.name]
        shutil.copy(machine.folder / "class.pem", student.folder)
    [secure] = [text for language, text in blocks("https") if language == "py"]
    students[0].run("from jwt_course import join")
    students[0].sit(secure)
    assert students[0].home() == "Welcome ada"
    assert "not one that this machine trusts" in students[0].run(
        secure.replace(', verify="class.pem"', "")
    )[1]  # fmt: skip

    # After the class: the table, a new database, and Ctrl-C.
    (machine.folder / "collected").symlink_to(tmp_path / "class")
    machine.interrupt("tls")
    for _, text in blocks("After the class"):
        machine.follow(text)
    table = list(csv.DictReader(io.StringIO((machine.folder / "class.csv").read_text())))
    found = {(row["learner"], row["lesson"], row["exercise"], row["result"]) for row in table}
    assert ("ada", "02", "q1", "right") in found
    assert ("bob", "02", "q1", "wrong") in found
    with pytest.raises(ClientError, match="401"):
        AuthClient(url).login("ada", PASSWORD)
    AuthClient(url).login("tess", "replace this password")
    machine.interrupt("serve")
    assert not listens(machine.port)


def workers_of(machine: Machine) -> tuple[psutil.Process, list[psutil.Process]]:
    """The main process of the class server, and its workers."""
    server = machine.running["serve"].processes()[0]
    found = []
    for child in server.children():
        with suppress(psutil.Error):
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
    return server, found


def test_no_line_that_is_not_run_has_left_the_page() -> None:
    lines = [line for heading in re.findall(r"^## (.+)$", PAGE, re.M)
             for _, text in blocks(heading) for line in text.splitlines()]  # fmt: skip
    assert [old for old in IN_PLACE if not any(line.startswith(old) for line in lines)] == []


def test_windows_has_the_same_commands() -> None:
    """Each block for PowerShell follows the one for a shell, with the other's paths and names."""
    pairs = re.findall(
        r"^```sh\n((?:(?!^```).)*)^```\n\nOn Windows:\n\n```powershell\n(.*?)^```$",
        PAGE,
        re.MULTILINE | re.DOTALL,
    )
    assert len(pairs) == 2
    for shell, windows in pairs:
        translated = shell.replace("python3 ", "py ").replace(".venv/bin/", ".venv\\Scripts\\")
        translated = translated.replace("my-course/", "my-course\\").replace("curl ", "curl.exe ")
        assert translated == windows

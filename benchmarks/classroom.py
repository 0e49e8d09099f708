"""`python -m benchmarks.classroom [SECONDS] [STUDENTS]`: a class at work against one server.

nx-27017 is the database, granian serves with two workers by the policy of the RFCs, and each
student logs in, reads the home page at their own pace, meets expired tokens, refreshes, and logs
out. Every answer is one that the lessons teach; any other is an error and is printed. What a page
costs in a class is compared with what it costs one student alone.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from client_widget import AuthClient, ClassView, Event, LoginRequired
from tests.demo_server.mongodb import NxServer

WORKERS = 2
ACCESS_TTL, REFRESH_TTL = 4, 20

#: Seconds in which a student reads and thinks before the next click.
THINKING = (1.0, 3.0)

#: The share of clicks that are a logout.
LOGOUTS = 0.05

PASSWORD = "a pass phrase of the class"


class Student:
    """One student, and how long each of their pages took."""

    def __init__(self, url: str, name: str) -> None:
        self.client = AuthClient(url, logout_path="/logout", name=name)
        self.homes: list[float] = []
        self.answers: Counter[tuple[str, int]] = Counter()
        self.failures: list[str] = []
        self.client.log.subscribe(self._hear)
        self._name = name

    def work(self, until: float, thinking: tuple[float, float]) -> None:
        """Register, then click until the lesson ends. A failure is kept and ends nothing."""
        self.client.register(self._name, PASSWORD)
        while time.monotonic() < until:
            try:
                self._click()
            except Exception as error:
                self.failures.append(f"{self._name}: {type(error).__name__}: {error}")
            time.sleep(random.uniform(*thinking))

    def _click(self) -> None:
        if self.client.store.get() is None:
            self.client.login(self._name, PASSWORD)
        elif random.random() < LOGOUTS:
            self.client.logout()
        else:
            with suppress(LoginRequired):  # the session has ended: the next click logs in
                self.client.home()

    def _hear(self, event: Event) -> None:
        if event.name != "response.received":
            return
        fields = event.fields
        self.answers[(f"{fields['method']} {fields['path']}", fields["status"])] += 1
        if fields["path"] == "/home":
            self.homes.append(fields["elapsed"])


#: The answers that the lessons teach: no other may occur in this play.
TAUGHT = {
    ("POST /users/register", 201),
    ("POST /users/login", 201),
    ("GET /home", 200),
    ("GET /home", 401),
    ("POST /refresh", 200),
    ("POST /refresh", 400),
    ("POST /logout", 204),
    ("POST /logout", 401),
}


@contextmanager
def served() -> Iterator[str]:
    """A class server over its own database; yields its address."""
    with tempfile.TemporaryDirectory() as folder:
        database = NxServer(Path(folder)).start()
        settings = {
            "PORT": "0",
            "DB_URI": f"{database.uri}/class",
            "WORKERS": str(WORKERS),
            "AUTH_POLICY": "rfc",
            "ACCESS_TOKEN_TTL": str(ACCESS_TTL),
            "REFRESH_TOKEN_TTL": str(REFRESH_TTL),
            "CLASS_LOG": "1",
            "TEACHERS": "tess",
            "TEACHER_PASSWORD": PASSWORD,
        }
        running = subprocess.Popen(
            [sys.executable, "-m", "demo_server.class_server"],
            env={**os.environ, **settings},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert running.stdout is not None
            yield running.stdout.readline().split()[-1]
        finally:
            running.terminate()
            running.wait(timeout=30)
            database.stop()


def play(
    url: str, names: list[str], seconds: float, thinking: tuple[float, float]
) -> list[Student]:
    """Let students work side by side, and return them when the lesson has ended."""
    students = [Student(url, name) for name in names]
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(target=student.work, args=(until, thinking)) for student in students
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return students


def p95(times: list[float]) -> float:
    """The 95th percentile, in milliseconds."""
    return statistics.quantiles(times, n=20)[-1] * 1000


def figures(seconds: float = 120, count: int = 30) -> tuple[dict[str, float], list[str]]:
    """What was measured, by name; and what went wrong, which should be nothing."""
    with served() as url:
        # Alone, with the same pauses: a connection and a processor that have rested are slower.
        [alone] = play(url, ["alone"], max(10, seconds / 4), (0.2, 0.6))
        teacher = AuthClient(url)
        teacher.login("tess", PASSWORD)
        view = ClassView(teacher)
        view.start()
        students = play(url, [f"student{n}" for n in range(count)], seconds, THINKING)
        view.stop()
        time.sleep(1)
        view.look()
        seen = {row.username for row in view.rows()}
    answers: Counter[tuple[str, int]] = Counter()
    for student in students:
        answers += student.answers
    for (request, status), times in sorted(answers.items()):
        print(f"  {times:6} × {request} {status}")
    wrong = [failure for student in [alone, *students] for failure in student.failures]
    wrong += [f"{answer} is not taught" for answer in answers if answer not in TAUGHT]
    wrong += [
        f"{s.client.name} is not in the class view" for s in students if s.client.name not in seen
    ]
    homes = [each for student in students for each in student.homes]
    return {
        "answers a second": sum(answers.values()) / seconds,
        "p95 of /home alone, ms": p95(alone.homes),
        "p95 of /home in the class, ms": p95(homes),
        "p95 of /home: class / alone": p95(homes) / p95(alone.homes),
    }, wrong


def main() -> int:
    given = [float(argument) for argument in sys.argv[1:3]]
    seconds, count = given[0] if given else 120.0, int(given[1]) if len(given) > 1 else 30
    print(f"{count} students, {seconds:g} s, {WORKERS} workers, nx-27017:")
    measured, wrong = figures(seconds, count)
    for what, figure in measured.items():
        print(f"{what:40} {figure:8.1f}")
    for line in wrong:
        print(f"WRONG: {line}")
    over = measured["p95 of /home: class / alone"] >= 5
    print("OVER: at most 5 times that of one alone" if over else "ok: under 5 times")
    return 1 if wrong or over else 0


if __name__ == "__main__":
    sys.exit(main())

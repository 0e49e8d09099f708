"""The class of `class_live.ipynb`: a real one at `SERVER_URL`, or three students played here."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from getpass import getpass

from client_widget import AuthClient, BearerAuth, ClassView, ClientError, TokenPair
from client_widget.display import cut
from demo_server import DemoClock, DemoServer, ServerConfig, open_database

#: Everybody's: the class is played in this process only.
_PASSWORD = "a pass phrase of the lesson"


class School:
    """What the notebook needs from a class.

    With a real class the students act themselves, so the steps of the notebook say so and change
    nothing.

    Attributes:
        teacher (AuthClient): logged in.
    """

    def __init__(self, teacher: AuthClient) -> None:
        self.teacher = teacher

    def show(self, view: ClassView) -> None:
        """Print the rows as text, without times of day."""
        view.look()
        now = view.clock()
        print(
            f"{'user':12}{'needs help':28}{'lesson':8}{'right':>6}{'hints':>6}  {'state':22}"
            f"{'last action':16}{'refreshes':>10}{'refused':>9}{'reuse':>7}{'refused logins':>16}"
        )
        for row in view.rows():
            print(
                f"{cut(row.username, 11):12}{row.needs_help(now):28}{row.lesson:8}{row.right:6}"
                f"{row.hints:6}  {row.state(now):22}{row.last_action:16}{row.refreshes:10}"
                f"{row.refusals:9}{row.reuse:7}{row.refused_logins:16}"
            )

    def home(self, name: str) -> None:
        """A student loads the home page."""
        _only_played(f"{name} loads the home page")

    def work(self, name: str) -> None:
        """A student answers an exercise of lesson 04, wrong four times."""
        _only_played(f"{name} checks an exercise")

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        _only_played(f"{seconds:g} seconds pass")

    def steal(self, name: str) -> TokenPair | None:
        """What a thief finds in a student's store."""
        _only_played(f"a thief copies the tokens of {name}")
        return None

    def replay(self, name: str, stolen: TokenPair | None) -> None:
        """Send a spent refresh token of a student, as a thief would."""
        _only_played(f"the thief sends a spent token of {name}")

    def guess(self, name: str, times: int) -> None:
        """Guess a student's password, as an attacker would."""
        _only_played(f"somebody guesses the password of {name}")

    def log_out(self, name: str) -> None:
        """A student logs out."""
        _only_played(f"{name} logs out")

    def stop(self) -> None:
        """Stop what was started here; a real server keeps running."""


def _only_played(what: str) -> None:
    print(f"In a played class, {what}. In yours, the students act themselves.")


class PlayedSchool(School):
    """A server in this process, and three students whose time we move.

    Attributes:
        clock (DemoClock): shared by all; it is stopped.
        students (dict[str, AuthClient]): by their names.
    """

    def __init__(self) -> None:
        self.clock = DemoClock(start=1_800_000_000, rate=0)
        config = ServerConfig(
            bcrypt_cost=4,
            policy="rfc",
            class_log=True,
            class_clock=True,
            teachers=("tess",),
            teacher_password=_PASSWORD,
        )
        self.server = DemoServer(
            config, database=open_database(), clock=self.clock, name="class live"
        ).start()
        super().__init__(self._client("tess"))  # the server has created her account
        self.students = {name: self._client(name, new=True) for name in ("ada", "bob", "cid")}

    def home(self, name: str) -> None:
        self.students[name].home()

    def work(self, name: str) -> None:
        for times in range(1, 5):
            step = {"lesson": "04", "exercise": "q1", "what": "check", "correct": False}
            self.students[name].request("POST", "/progress", json={**step, "times": times})

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def steal(self, name: str) -> TokenPair | None:
        return self.students[name].store.get()

    def replay(self, name: str, stolen: TokenPair | None) -> None:
        assert stolen is not None
        self.students[name].probe(stolen.refresh, "refresh")

    def guess(self, name: str, times: int) -> None:
        stranger = AuthClient(self.server.url, clock=self.clock)
        for number in range(times):
            with suppress(ClientError):
                stranger.login(name, f"guess {number}")

    def log_out(self, name: str) -> None:
        self.students[name].logout()

    def show(self, view: ClassView) -> None:
        self.server.flush()  # all events have reached the database
        super().show(view)

    def stop(self) -> None:
        self.server.stop()

    def _client(self, name: str, *, new: bool = False) -> AuthClient:
        auth = partial(BearerAuth, clock=self.clock)
        client = AuthClient(
            self.server.url, clock=self.clock, auth=auth, logout_path="/logout", name=name
        )
        if new:
            client.register(name, _PASSWORD)
        client.login(name, _PASSWORD)
        return client


def open_class() -> School:
    """The class at `SERVER_URL`, whose teacher is asked for a password, or one played here."""
    url = os.environ.get("SERVER_URL")
    if not url:
        return PlayedSchool()
    teacher = AuthClient(url)
    teacher.login(input("Teacher: "), getpass("Password: "))
    return School(teacher)

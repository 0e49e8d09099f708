"""The class of `class_live.ipynb`: a real one at `SERVER_URL`, or three students played here."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from getpass import getpass

from IPython.display import display

from client_widget import AuthClient, BearerAuth, ClassView, ClientError, TokenPair
from client_widget.log.pictures.shapes import in_words
from demo_server import DemoClock, DemoServer, ServerConfig, open_database

from .guess import Guess, guess, in_order
from .lab import START
from .outputs import Picture

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
        """Look, and display the rows."""
        view.look()
        svg = view.to_svg()
        display(Picture(svg, in_words(svg)))  # type: ignore[no-untyped-call]

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
        self.clock = DemoClock(start=START, rate=0)
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
        """Display the rows, after all events have reached the database."""
        self.server.flush()
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


def guesses() -> tuple[Guess, ...]:
    """g1 to g3, what the page asks before it shows it; each is revealed with the view."""
    return in_order(
        __name__,
        guess(
            "61 seconds pass. How many of the four users change their state, although nobody does "
            "anything?",
            number={
                0: "no token had expired",
                4: "each of them has an access token of 60 seconds, used or not",
            },
            judge=lambda view: _states(view).count("access token expired"),
        ),
        guess(
            "Bob makes his next call, and his client has watched the clock. How many requests does "
            "the server refuse?",
            number={0: "the client refreshes before it sends the request", 1: "it came too late"},
            judge=lambda view: sum(row.refusals for row in view.rows()),
        ),
        guess(
            "The thief sends Bob's spent refresh token once more. What does that mean for Bob?",
            ("logged in", "Nothing: his new tokens work", "the server refused the thief alone"),
            (
                "session ended",
                "His session has ended",
                "the server can't know which of the two is the thief",
            ),
            judge=lambda view: next(iter(_states(view, "bob")), None),
        ),
    )


def _states(view: ClassView, name: str = "") -> list[str]:
    now = view.client.clock()
    return [row.state(now) for row in view.rows() if name in ("", row.username)]

"""The faults of lesson 09: twelve clients, each wrong in one place, and three servers.

`faulty_auths.py` has the faults of the protocol, `faulty_clients.py` those of the driver. The
symptom is what a user reports. The learner finds the cause.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from demo_server import ServerConfig

from . import faulty_auths as auths
from . import faulty_clients as clients
from .grader import Candidate, watch


@dataclass(frozen=True)
class Mutant:
    """A fault that can be switched on.

    Attributes:
        name (str): such as "flag".
        symptom (str): what a user of the client reports.
        candidate: the faulty auth scheme, client or setting, as `grade` takes it.
        scenario (str): the grader's scenario that is meant for it.
    """

    name: str
    symptom: str
    candidate: Candidate
    scenario: str

    def watch(self) -> None:
        """Print the trace of the scenario that shows the symptom."""
        watch(self.candidate, self.scenario)

    @property
    def source(self) -> str:
        """The faulty code, to be copied and fixed; for a server, the settings that matter."""
        if isinstance(self.candidate, ServerConfig):
            config = self.candidate
            return f"ServerConfig(policy={config.policy!r}, refresh_grace={config.refresh_grace})"
        return inspect.getsource(self.candidate)


_ALL = (
    Mutant(
        "flag",
        "Every second time that my token expires, I get an error. I click again, and it works.",
        auths.FlagAuth,
        "five in a row",
    ),
    Mutant(
        "rush",
        "When a page makes four calls at once, the server counts four refreshes.",
        clients.RushClient,
        "four together",
    ),
    Mutant(
        "silence",
        "When the session has ended, one call says so. The others show a spinner forever.",
        clients.SilentClient,
        "refused, and others wait",
    ),
    Mutant(
        "mirror",
        "The morning after, the client asks for a refresh again and again, until I close it.",
        auths.MirrorAuth,
        "refused",
    ),
    Mutant(
        "parcel",
        "Now and then the server stores an empty form. The answer is 200, no error anywhere.",
        clients.ParcelClient,
        "a body",
    ),
    Mutant(
        "door",
        "A learner opens the teachers' page. She may not, and is told so. It cost a refresh.",
        auths.DoorAuth,
        "no right",
    ),
    Mutant(
        "watch",
        "On one computer in the room, the client refreshes before each and every call.",
        auths.WatchAuth,
        "a wrong clock",
    ),
    Mutant(
        "keepsake",
        "The first minute works, and so does the second. In the third I am logged out.",
        auths.KeepsakeAuth,
        "rotation",
    ),
    Mutant(
        "mule",
        "Since the server's keys were changed, one click keeps it busy until I close the page.",
        auths.MuleAuth,
        "refused again",
    ),
    Mutant(
        "latecomer",
        "One slow answer, and the server counts two refreshes for one expiry.",
        clients.LatecomerClient,
        "a late refusal",
    ),
    Mutant(
        "optimist",
        "The session ended an hour ago. I am told to try again in a moment.",
        auths.OptimistAuth,
        "refused",
    ),
    Mutant(
        "stranger",
        "I logged in on Ada's computer, and her last click was done in my name.",
        auths.StrangerAuth,
        "another login",
    ),
)

#: By name, in the order of the lesson.
MUTANTS = {mutant.name: mutant for mutant in _ALL}

_SERVERS = (
    Mutant(
        "tunnel",
        "Whenever my train goes through a tunnel, I have to log in again.",
        ServerConfig(policy="rfc"),
        "a lost answer",
    ),
    Mutant(
        "attic",
        "Somebody found this morning's refresh token in a log, used it, and nobody noticed.",
        ServerConfig(policy="rfc", refresh_grace=86_400),
        "a stolen token",
    ),
    Mutant(
        "ghost",
        "I logged out, and my access token still opened my page.",
        ServerConfig(policy="article"),
        "after the logout",
    ),
)

#: Servers whose settings are the fault, by name.
SERVER_MUTANTS = {mutant.name: mutant for mutant in _SERVERS}

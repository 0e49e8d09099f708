"""What a server with the right settings does: scenarios that are played with a correct client.

`Stage.client` is the reference. A thief is played with `probe`, which sends any token outside
the session.
"""

from __future__ import annotations

from ..exercise import Wrong
from ..lab import pair_of
from .scenario import Scenario
from .stage import Stage
from .trace import ending

#: Seconds until a client that got no response tries again, and until a thief comes.
SOON, LATER = 2, 60


def a_lost_answer(stage: Stage) -> str:
    pair = pair_of(stage.client)
    stage.client.probe(pair.refresh, "refresh")
    stage.pass_time(SOON)
    status = stage.client.probe(pair.refresh, "refresh").status_code
    if status != 200:
        raise Wrong(f"{SOON} s later, the same refresh token was answered with {status}")
    return f"{SOON} s later, the same refresh token was accepted once more"


def a_stolen_token(stage: Stage) -> str:
    pair = pair_of(stage.client)
    stage.client.probe(pair.refresh, "refresh")
    stage.pass_time(LATER)
    if stage.client.probe(pair.refresh, "refresh").status_code == 200:
        raise Wrong(f"{LATER} s after its use, the refresh token brought the thief new tokens")
    words = ending(stage.get())
    if words != "LoginRequired":
        raise Wrong(f"the thief was refused, but the session goes on: its user got {words}")
    return f"{LATER} s after its use, the refresh token was refused, and the session ended"


def after_the_logout(stage: Stage) -> str:
    pair = pair_of(stage.client)
    stage.client.logout()
    if stage.client.probe(pair.access).status_code == 200:
        raise Wrong("after the logout, the access token was still valid")
    if stage.client.probe(pair.refresh, "refresh").status_code == 200:
        raise Wrong("after the logout, the refresh token was still valid")
    return "after the logout, neither token was valid"


SERVER_SCENARIOS = (
    Scenario(
        "a lost answer",
        f"a client that got no response to its refresh can try again within {SOON} s",
        a_lost_answer,
    ),
    Scenario(
        "a stolen token",
        f"a refresh token that comes again {LATER} s after its use ends the session",
        a_stolen_token,
    ),
    Scenario(
        "after the logout",
        "the server refuses both tokens of a session that was ended",
        after_the_logout,
    ),
)

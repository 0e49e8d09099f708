"""What a right client does: the scenarios of the grader, each with the play that shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from demo_server import ServerConfig

from . import plays as plays
from .stage import CONFIG, Stage

HARDENED = replace(CONFIG, policy="rfc", teachers=("tess",))


@dataclass(frozen=True)
class Scenario:
    """One thing that a client must do right.

    Attributes:
        name (str): such as "five in a row".
        wanted (str): what a right client does, in a sentence.
        play: plays it on a stage and gives what was seen. Raises `Wrong` with what was seen if
            that is not what was wanted.
        together (bool): its calls run at the same time, so the order of its events may differ.
        config (ServerConfig): the settings of its server.
        skews (tuple[float, ...]): it is played once for each, with the client's clock so many
            seconds ahead of the server's.
    """

    name: str
    wanted: str
    play: Callable[[Stage], str]
    together: bool = False
    config: ServerConfig = CONFIG
    skews: tuple[float, ...] = (0.0,)


SCENARIOS = (
    Scenario(
        "five in a row",
        "after each expiry one refresh and one retry, and the caller sees 200",
        plays.five_in_a_row,
    ),
    Scenario(
        "four together",
        "calls that meet one expiry share one refresh, and each is answered",
        plays.four_together,
        together=True,
    ),
    Scenario(
        "a late refusal",
        "a call that is refused with a token that was replaced meanwhile is only sent again",
        plays.a_late_refusal,
    ),
    Scenario(
        "refused",
        "after a refused refresh the tokens are forgotten, and the caller gets LoginRequired",
        plays.refused,
    ),
    Scenario(
        "refused, and others wait",
        "after a refused refresh each of the waiting callers gets LoginRequired",
        plays.refused_while_others_wait,
        together=True,
    ),
    Scenario("a body", "the retry carries the same body as the call", plays.a_body),
    Scenario(
        "refused again",
        "one refresh and one retry for a call, and then the caller gets the refusal",
        plays.refused_again,
    ),
    Scenario(
        "another login",
        "a call of one session is never sent again with the tokens of the next",
        plays.another_login,
    ),
    Scenario(
        "a wrong clock",
        "a token is refreshed by its lifetime since it came, whatever the client's clock says",
        plays.a_wrong_clock,
        skews=(300.0, -300.0),
    ),
    Scenario(
        "no right",
        "403 insufficient_scope goes to the caller: a new token has no more rights",
        plays.no_right,
        config=HARDENED,
    ),
    Scenario(
        "rotation",
        "each refresh uses the newest refresh token",
        plays.rotation,
        config=HARDENED,
    ),
)

"""One scenario of the grader: what is wanted, and the play that shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from demo_server import ServerConfig

from .stage import CONFIG, Stage


@dataclass(frozen=True)
class Scenario:
    """One thing that a client must do right.

    Attributes:
        name (str): such as "five in a row".
        wanted (str): what a right client does, in a sentence.
        play: plays it on a stage and returns what was seen. Raises `Wrong` with what was seen if
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

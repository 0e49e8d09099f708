"""The judge of lesson 09: it plays scenarios with a client, and says what the client did wrong.

    print(grade(MyAuth))          # an auth scheme: made as MyAuth(store, clock=clock)
    print(grade(MyClient))        # a subclass of AuthClient
    print(grade(make_client))     # make_client(url, store=…, log=…, clock=…)
    print(grade(ServerConfig()))  # the settings of a server, with a correct client

Each scenario has its own server. A client that hangs or does not stop is abandoned.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

from client_widget import AuthClient, Event
from demo_server import ServerConfig

from ..concurrency import Runaway
from ..exercise import Wrong
from ..judging.learners_code import told
from .client_scenarios import SCENARIOS
from .scenario import Scenario
from .server_scenarios import SERVER_SCENARIOS
from .stage import PASSWORD, MakeClient, Stage
from .trace import lines, tally

#: An auth scheme, a subclass of `AuthClient`, a function that makes a client, or a server's
#: settings.
Candidate: TypeAlias = Callable[..., Any] | ServerConfig

#: Real seconds without any event after which a call counts as hung: a hundred times what a request
#: takes on loopback.
PATIENCE = 0.3

#: How many lines of a trace are printed: two expiries take 24, and show most faults.
LINES = 30


@dataclass(frozen=True)
class Row:
    """What one scenario showed.

    Attributes:
        scenario (str): its name.
        passed (bool): the client did what was wanted.
        seen (str), wanted (str): a sentence each.
    """

    scenario: str
    passed: bool
    seen: str
    wanted: str

    @property
    def lines(self) -> list[str]:
        """The row as text."""
        told = [f"{'ok    ' if self.passed else 'FAILED'}  {self.scenario}"]
        told += _indented("seen:   ", self.seen)
        return told if self.passed else told + _indented("wanted: ", self.wanted)

    def __str__(self) -> str:
        return "\n".join(self.lines)


@dataclass(frozen=True)
class Report:
    """What all scenarios showed, one row for each."""

    rows: tuple[Row, ...]

    @property
    def passed(self) -> bool:
        """Did every scenario pass?"""
        return all(row.passed for row in self.rows)

    @property
    def failures(self) -> tuple[Row, ...]:
        """The rows of the scenarios that failed."""
        return tuple(row for row in self.rows if not row.passed)

    def __str__(self) -> str:
        return "\n".join([self._summary, *(line for row in self.rows for line in row.lines)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{'ok' if row.passed else '<b>failed</b>'}</td>"
            + "".join(
                f'<td style="text-align: left">{html.escape(text)}</td>'
                for text in (row.scenario, row.seen, row.wanted)
            )
            + "</tr>"
            for row in self.rows
        )
        head = "<tr><th></th><th>scenario</th><th>seen</th><th>wanted</th></tr>"
        return f"<p>{self._summary}</p><table>{head}{rows}</table>"

    @property
    def _summary(self) -> str:
        good = len(self.rows) - len(self.failures)
        return f"{good} of {len(self.rows)} scenarios passed"


def grade(candidate: Candidate, *, patience: float = PATIENCE) -> Report:
    """Play every scenario with a client, or with a server of those settings.

    Args:
        candidate: see `Candidate`.
        patience (float): real seconds without any event after which a call counts as hung.
    """
    return Report(tuple(_play(candidate, s, patience)[0] for s in _scenarios(candidate)))


def find_fault(candidate: Candidate, first: str, *, patience: float = PATIENCE) -> Row | None:
    """The first scenario that fails, or None: as `grade`, but it begins with the one named
    `first`, and stops at a failure."""
    for scenario in sorted(_scenarios(candidate), key=lambda scenario: scenario.name != first):
        row, _ = _play(candidate, scenario, patience)
        if not row.passed:
            return row
    return None


def trace_of(candidate: Candidate, name: str, *, patience: float = PATIENCE) -> list[Event]:
    """The events of one scenario.

    Raises:
        KeyError: no scenario has that name.
    """
    scenario = {scenario.name: scenario for scenario in _scenarios(candidate)}[name]
    return _play(candidate, scenario, patience)[1]


def watch(candidate: Candidate, name: str, *, patience: float = PATIENCE) -> None:
    """Print the trace of one scenario, and the row for it.

    Raises:
        KeyError: no scenario has that name.
    """
    scenario = {scenario.name: scenario for scenario in _scenarios(candidate)}[name]
    row, trace = _play(candidate, scenario, patience)
    told = (tally if scenario.together else lines)(trace)
    if len(told) > LINES:
        told = [*told[:LINES], f"        … and {len(told) - LINES} more events"]
    print("\n".join([*told, "", *row.lines]))


def _scenarios(candidate: Candidate) -> tuple[Scenario, ...]:
    if isinstance(candidate, ServerConfig):
        return tuple(replace(scenario, config=candidate) for scenario in SERVER_SCENARIOS)
    return SCENARIOS


def _play(candidate: Candidate, scenario: Scenario, patience: float) -> tuple[Row, list[Event]]:
    trace: list[Event] = []
    try:
        for skew in scenario.skews:
            with Stage(
                _maker(candidate), config=scenario.config, skew=skew, patience=patience
            ) as stage:
                mark = len(stage.log)
                try:
                    seen = scenario.play(stage)
                finally:
                    trace += stage.since(mark)
    except Wrong as wrong:
        return Row(scenario.name, False, f"{wrong}.", f"{scenario.wanted}."), trace
    except (Exception, Runaway) as error:
        seen = f"the client raised {told(error, PASSWORD)}."
        return Row(scenario.name, False, seen, f"{scenario.wanted}."), trace
    return Row(scenario.name, True, f"{seen}.", f"{scenario.wanted}."), trace


def _maker(candidate: Candidate) -> MakeClient:
    """The candidate as something that makes a client."""
    if isinstance(candidate, ServerConfig):
        return partial(AuthClient, logout_path="/logout")
    if not hasattr(candidate, "auth_flow"):
        return candidate

    def make_client(url: str, *, clock: Callable[[], float], **given: Any) -> AuthClient:
        return AuthClient(url, clock=clock, auth=partial(candidate, clock=clock), **given)

    return make_client


def _indented(label: str, text: str) -> list[str]:
    wrapped = textwrap.wrap(text, 82)
    return [
        f"        {label if number == 0 else ' ' * len(label)}{line}"
        for number, line in enumerate(wrapped)
    ]

"""A stampede: many calls meet one expired access token at one instant.

    run_stampede(BearerAuth, calls=16, rotation=True)   # a StampedeResult

The server and the threads are real. `Gates` order their messages: no refresh is sent before
every call is refused, and no retry is sent before every refresh is answered. The counts come from
the event log and from how the calls ended.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from client_widget import AuthClient, EventLog, LoginRequired, Request
from demo_server import DemoClock, DemoServer, ServerConfig

from ..concurrency import PATIENCE, Call, Race
from ..lab import START
from .strategies import Strategy

#: How many calls: two are the fewest that can race, and 64 threads still start within a moment.
LEAST, MOST = 2, 64

#: Username and password of the only user.
USER = ("ada", "the pass phrase of a stampede")

# A cell and the view share the server's name, so they run one at a time.
_running = threading.Lock()


@dataclass(frozen=True)
class StampedeResult:
    """What a stampede came to.

    Attributes:
        calls (int): how many there were; each counts in one of the next four.
        answers (int): calls that returned a 200.
        refused (int): calls that returned a refusal.
        errors (int): calls that raised an error.
        hangs (int): calls that still waited when no call could move any more.
        refreshes (int): messages sent to `/refresh`.
        revoked (int): sessions that the server ended.
        kinds (tuple[str, ...]): the types of the errors, each once, sorted.
        errors_raised (tuple[BaseException, ...]): the errors other than `LoginRequired`; ignored by
            `==`.
        stopped_at (str): where the first call that hung was in the learner's code; ignored by `==`.
    """

    calls: int
    answers: int
    refused: int
    errors: int
    hangs: int
    refreshes: int
    revoked: int
    kinds: tuple[str, ...] = ()
    errors_raised: tuple[BaseException, ...] = field(default=(), compare=False, repr=False)
    stopped_at: str = field(default="", compare=False, repr=False)


class Gates:
    """Holds a client's messages by their purpose; a client's `before_send`.

    Args:
        race (Race): makes the gates.
        latecomer (str): the name of the thread whose call is held too; "" for none.

    Attributes:
        refresh, retry, late (Gate): hold the refreshes, the retries, and the latecomer's call.
    """

    def __init__(self, race: Race, latecomer: str) -> None:
        self.refresh, self.retry, self.late = race.gate(), race.gate(), race.gate()
        self._latecomer = latecomer

    def __call__(self, message: Request) -> Request:
        if message.purpose == "refresh":
            self.refresh.wait()
        elif message.purpose == "retry":
            self.retry.wait()
        elif threading.current_thread().name == self._latecomer:
            self.late.wait()
        return message


def run_stampede(
    strategy: Strategy,
    calls: int = 16,
    *,
    rotation: bool = False,
    refused: bool = False,
    late: bool = False,
    waves: int = 1,
    patience: float = PATIENCE,
) -> StampedeResult:
    """Let `calls` threads meet the expiry of one access token, and count.

    Args:
        strategy: makes the auth scheme from the client's store, such as `BearerAuth`.
        calls (int): 2 to 64.
        rotation (bool): the server spends a refresh token at its first use, and ends the
            session at the second (policy "rfc"); else it may be used again (policy "article").
        refused (bool): the refresh token has expired as well.
        late (bool): one call's refusal comes when all the others are done.
        waves (int): how many expiries in a row, with so many calls each.
        patience (float): real seconds without a message after which a call that polls is taken for
            waiting.

    Raises:
        ValueError: `calls` is less than 2 or more than 64.
    """
    if not LEAST <= calls <= MOST:
        raise ValueError(f"calls must be {LEAST} to {MOST}, not {calls}")
    clock = DemoClock(start=START, rate=0)
    log = EventLog(clock=clock)
    config = ServerConfig(policy="rfc" if rotation else "article", bcrypt_cost=4)
    emit = log.emitter("server")
    with _running, DemoServer(config, clock=clock, emit=emit, name="stampede") as server:
        client = AuthClient(server.url, log=log, clock=clock, auth=strategy)
        client.register(*USER)
        client.login(*USER)
        lifetime = config.refresh_token_ttl if refused else config.access_token_ttl
        ends: list[Call] = []
        for _ in range(waves):
            clock.advance(lifetime + 1)
            with Race(progress=log.__len__, patience=patience) as race:
                gates = client.before_send = Gates(race, f"caller {calls - 1}" if late else "")
                ends += [
                    race.call(lambda: client.request("GET", "/home").status_code)
                    for _ in range(calls)
                ]
                for gate in (gates.refresh, gates.retry, gates.late):
                    race.settle()
                    gate.open()
        return counted(ends, log)


def counted(calls: Sequence[Call], log: EventLog) -> StampedeResult:
    """The result of calls that returned a status, raised an error, or were abandoned."""
    ended = [call for call in calls if not call.hung]
    errors = [call.error for call in ended if call.error is not None]
    answers = sum(call.value == 200 for call in ended)
    return StampedeResult(
        calls=len(calls),
        answers=answers,
        refused=len(ended) - len(errors) - answers,
        errors=len(errors),
        hangs=len(calls) - len(ended),
        refreshes=refreshes_in(log),
        revoked=sum(event.name == "family.revoked" for event in log),
        kinds=tuple(sorted({type(error).__name__ for error in errors})),
        errors_raised=tuple(error for error in errors if not isinstance(error, LoginRequired)),
        stopped_at=next((call.stopped_at for call in calls if call.hung), ""),
    )


def refreshes_in(log: EventLog) -> int:
    """How many messages were sent to `/refresh`."""
    sent = [event for event in log if event.name == "request.sent"]
    return sum(event.fields["path"] == "/refresh" for event in sent)


#: The columns of `table`: fields of a result.
COLUMNS = ("refreshes", "answers", "refused", "errors", "hangs", "revoked")


def table(results: Mapping[str, StampedeResult]) -> str:
    """The results as lines of text, one for each name. Times are left out: they differ."""
    width = max(map(len, results), default=0)
    head = " " * width + "".join(f"  {column:>9}" for column in COLUMNS)
    rows = [
        f"{name:<{width}}" + "".join(f"  {getattr(result, column):>9}" for column in COLUMNS)
        for name, result in results.items()
    ]
    return "\n".join(line.rstrip() for line in [head, *rows])

"""A stampede: many calls meet one expired access token at one instant.

    run_stampede(BearerAuth, calls=16, rotation=True)   # a Result

The server is real, and so are the threads. Each message passes `Gates`, in this order: no
refresh is sent before every call is refused, and no call is sent again before every refresh is
answered. What is counted comes from the event log and from how the threads ended.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from client_widget import AuthClient, EventLog, Request, TokenPair, TokenStore
from client_widget.auth_flow import Auth
from demo_server import DemoClock, DemoServer, ServerConfig

from .crowd import Crowd, End
from .strategies import CoordinatedAuth, Strategy

START = 1_800_000_000
LEAST, MOST = 2, 64

#: Name and password of the one user.
USER = ("ada", "the pass phrase of a stampede")
_RELEASES = 3

# A cell and the view may both want to run: one at a time, for they share the server's name.
_running = threading.Lock()


@dataclass(frozen=True)
class Result:
    """What a stampede came to.

    Attributes:
        calls (int): how many there were; each is in one of the next four.
        answers (int): calls that got their 200.
        refused (int): calls that got a refusal for an answer.
        errors (int): calls that raised an error.
        hangs (int): calls that still waited when nothing could happen any more.
        refreshes (int): messages that were sent to `/refresh`.
        revoked (int): sessions that the server ended.
        kinds (tuple[str, ...]): the types of the errors, without doubles, sorted.
        seconds (float): of real time; not compared.
    """

    calls: int
    answers: int
    refused: int
    errors: int
    hangs: int
    refreshes: int
    revoked: int
    kinds: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False, repr=False)


class Gates:
    """Holds a client's messages by their purpose; a client's `before_send`.

    Args:
        latecomer (str): the name of the thread whose call is held too; "" for none.

    Attributes:
        refresh, retry, late (Event): set, they let through the refreshes, the retries, and
            the latecomer's call.
    """

    def __init__(self, latecomer: str) -> None:
        self.refresh, self.retry, self.late = (threading.Event() for _ in range(3))
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
) -> Result:
    """Let `calls` threads meet the expiry of one access token, and count.

    Args:
        strategy: makes the auth scheme from the client's store, such as `BearerAuth`.
        calls (int): 2 to 64.
        rotation (bool): the server spends a refresh token at its first use, and ends the
            session at the second (policy "rfc"); else it may be used again (policy "article").
        refused (bool): the refresh token has expired as well.
        late (bool): one call's refusal comes when all the others are done.
        waves (int): how many expiries in a row, with so many calls each.

    Raises:
        ValueError: `calls` is less than 2 or more than 64.
    """
    if not LEAST <= calls <= MOST:
        raise ValueError(f"calls must be {LEAST} to {MOST}, not {calls}")
    clock = DemoClock(start=START, rate=0)
    log = EventLog(clock=clock)
    config = ServerConfig(policy="rfc" if rotation else "article", bcrypt_cost=4)
    schemes: list[Auth] = []

    def make(store: TokenStore) -> Auth:
        schemes.append(strategy(store))
        return schemes[0]

    emit = log.emitter("server")
    with _running, DemoServer(config, clock=clock, emit=emit, name="stampede") as server:
        client = AuthClient(server.url, log=log, clock=clock, auth=make)
        client.register(*USER)
        client.login(*USER)
        pair = client.store.get()
        assert pair is not None
        lifetime = config.refresh_token_ttl if refused else config.access_token_ttl
        began = time.perf_counter()
        crowds: list[Crowd] = []
        for _ in range(waves):
            clock.advance(lifetime + 1)
            gates = client.before_send = Gates(f"caller {calls - 1}" if late else "")
            crowd = Crowd([lambda: client.request("GET", "/home").status_code] * calls, log.__len__)
            for gate in (gates.refresh, gates.retry, gates.late):
                crowd.settle()
                gate.set()
            crowd.settle()
            crowds.append(crowd)
        seconds = time.perf_counter() - began
        ends = [end for crowd in crowds for end in crowd.ends()]
        result = counted(ends, log, calls * waves, seconds)
        for crowd in crowds:
            _release(crowd, schemes[0], pair)
    return result


def counted(ends: Sequence[End], log: EventLog, calls: int, seconds: float) -> Result:
    """The result of calls that ended with a status or an error."""
    errors = [end.error for end in ends if end.error is not None]
    answers = sum(end.value == 200 for end in ends)
    return Result(
        calls=calls,
        answers=answers,
        refused=len(ends) - len(errors) - answers,
        errors=len(errors),
        hangs=calls - len(ends),
        refreshes=refreshes_in(log),
        revoked=sum(event.name == "family.revoked" for event in log),
        kinds=tuple(sorted({type(error).__name__ for error in errors})),
        seconds=seconds,
    )


def refreshes_in(log: EventLog) -> int:
    """How many messages were sent to `/refresh`."""
    sent = [event for event in log if event.name == "request.sent"]
    return sum(event.fields["path"] == "/refresh" for event in sent)


def _release(crowd: Crowd, scheme: Auth, pair: TokenPair) -> None:
    """End the threads that hang: tell those who wait for a token that there is one."""
    for _ in range(_RELEASES):
        if not crowd.alive() or not isinstance(scheme, CoordinatedAuth):
            return
        try:
            scheme.coordinator.end(pair)
        except Exception:
            return  # a learner's own: its threads are daemons, and end with the kernel
        crowd.settle()


#: The columns of `table`: fields of a result.
COLUMNS = ("refreshes", "answers", "refused", "errors", "hangs", "revoked")


def table(results: Mapping[str, Result]) -> str:
    """The results as lines of text, one for each name. Times are left out: they differ."""
    width = max(len(name) for name in results)
    head = " " * width + "".join(f"  {column:>9}" for column in COLUMNS)
    rows = [
        f"{name:<{width}}" + "".join(f"  {getattr(result, column):>9}" for column in COLUMNS)
        for name, result in results.items()
    ]
    return "\n".join(line.rstrip() for line in [head, *rows])

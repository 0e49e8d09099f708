"""The exercises of lesson 09: one for each faulty client, and one for the server.

The learner hands in a fixed class. It must pass every scenario of the grader, and not only the
one that shows the symptom.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from demo_server import ServerConfig

from ..exercise import Exercise, Wrong
from ..judging.answers import article
from ..solutions import right_answers
from .candidates import check_candidate, check_work
from .grader import Row, find_fault
from .mutants import MUTANTS, Mutant


@dataclass(frozen=True)
class Help:
    """What an exercise says about its fault.

    Attributes:
        hints (tuple[str, ...]): from a nudge to nearly the answer.
        praise (str): printed for a right answer.
    """

    hints: tuple[str, ...]
    praise: str


def exercises(namespace: Mapping[str, Any]) -> tuple[Exercise, ...]:
    """q1 to q13, for the notebook's `globals()`. The answer to q1 is `fixed_1`, and so on."""
    solutions = right_answers(__package__)
    clients = (
        Exercise(
            namespace,
            f"q{number}",
            wants=[f"fixed_{number}"],
            judge=_judge(number, mutant),
            hints=HELP[mutant.name].hints,
            solution=solutions[f"q{number}"],
        )
        for number, mutant in enumerate(MUTANTS.values(), 1)
    )
    return (
        *clients,
        Exercise(
            namespace,
            "q13",
            wants=["fixed_13"],
            judge=_judge_server,
            hints=HELP["server"].hints,
            solution=solutions["q13"],
        ),
    )


def _judge(number: int, mutant: Mutant) -> Callable[[Any], str]:
    def judge(candidate: Any) -> str:
        name = f"fixed_{number}"
        check_candidate(name, candidate)
        fault = find_fault(candidate, mutant.scenario)
        if fault is None:
            check_work(name, candidate, mutant)
            return HELP[mutant.name].praise
        gone = "" if fault.scenario == mutant.scenario else "the symptom is gone, but "
        raise Wrong(f"{gone}{_told(fault)}")

    return judge


def _judge_server(config: Any) -> str:
    if config is ServerConfig:
        raise Wrong("`fixed_13` is the class ServerConfig. Make one: `ServerConfig(...)`.")
    if not isinstance(config, ServerConfig):
        raise Wrong(f"`fixed_13` is {article(config)}. It should be a `ServerConfig(...)`.")
    fault = find_fault(config, "after the logout")
    if fault is not None:
        raise Wrong(_told(fault))
    return HELP["server"].praise


def _told(fault: Row) -> str:
    return (
        f'the scenario "{fault.scenario}" fails.\n'
        f"   seen:   {fault.seen}\n"
        f"   wanted: {fault.wanted}"
    )


HELP: Mapping[str, Help] = {
    "flag": Help(
        hints=(
            "Follow _refreshing through two expiries. Where is it raised, where lowered?",
            "It stays up after a refresh that succeeded, and only a failure lowers it.",
            "Lowering it after the refresh is half of the answer: whose flag is it, when four "
            "calls share one scheme?",
            "No flag is needed. The flow of one call refreshes in one line, so it refreshes once. "
            "Sharing a refresh among calls is the client's job.",
        ),
        praise="A call needs no flag to refresh once, and calls must not share one.",
    ),
    "rush": Help(
        hints=(
            "What can happen between the check of the store and the refresh?",
            "All four check before the first has refreshed, so all four see the old pair.",
            "Check and refresh must be one step: no call may check while another refreshes.",
            "Move the last line into the `with`, and return flow.send(None) there too.",
        ),
        praise="Check and refresh are one step now: the lock covers both.",
    ),
    "silence": Help(
        hints=(
            "The trace shows which call got an error. What do the others wait for?",
            "What does self._advance do when the refresh is refused? Which lines run then?",
            "LoginRequired leaves the method before done.set(). Nobody sets the event.",
            "try: return self._advance(...), and finally: forget the event and set it.",
        ),
        praise="The event is set on every exit path, so no call waits forever.",
    ),
    "mirror": Help(
        hints=(
            "Which token must a refresh carry? What is done here when a refresh is refused?",
            "The refresh is sent by auth_flow. So its refusal is met by auth_flow: with a refresh.",
            "The refresh must bypass the flow: yield it unchanged.",
        ),
        praise="The refresh goes past the flow that it belongs to.",
    ),
    "parcel": Help(
        hints=(
            "Compare what the call carries with what the retry carries.",
            "The protocol knows a method and a path. Who knows the body?",
            "`call` holds the whole request, prepared once, and can send it twice. A new call with "
            "{} for its options has no body.",
        ),
        praise="The retry is the same request but for its token.",
    ),
    "door": Help(
        hints=(
            "What does the answer to GET /class say, beside its status?",
            "RFC 6750, section 3.1, has two codes: invalid_token and insufficient_scope.",
            "may_have_expired(response) distinguishes the two.",
        ),
        praise="Of the refusals, only those of the token are worth a refresh.",
    ),
    "watch": Help(
        hints=(
            "Whose clock set `exp`, and whose clock is it compared with?",
            "With a clock five minutes ahead, a one-minute token has expired on arrival.",
            "The client can measure a duration: the time since the token arrived.",
            "pair.received_at is when it arrived, by this clock, and pair.lifetime how long it is "
            "valid.",
        ),
        praise="A duration, measured on one clock, is right on any clock.",
    ),
    "keepsake": Help(
        hints=(
            "What is in the response to POST /refresh on a server that rotates?",
            "The response has two tokens. Which of them does the store hold afterwards?",
            "The second refresh sends the first token again. To the server that looks like theft.",
            "pair.refreshed(access, refresh, received_at) takes both, and when they arrived. Not "
            "every server sends a new refresh token.",
        ),
        praise="Both tokens of the response are stored, in one step.",
    ),
    "mule": Help(
        hints=(
            "How many retries can one call make? Which line limits them?",
            "A new token that is refused will be refused again.",
            "`if` instead of `while`.",
        ),
        praise="One refresh and one retry, and then the response is final.",
    ),
    "latecomer": Help(
        hints=(
            "When its refusal comes, the late call's token is not the one in the store.",
            "Compare message.replaces with self.store.get(), as RushClient does.",
            "Make that check under the lock, before the one of self._refreshed.",
        ),
        praise="The call checks whether a refresh is still needed before it sends one.",
    ),
    "optimist": Help(
        hints=(
            'Which responses to a refresh mean "not now", and which mean "never again"?',
            "A 503 passes. A 400 invalid_grant, or the article's 403, does not.",
            "For any status but 429, 502, 503 and 504: clear the pair, and raise LoginRequired.",
        ),
        praise="A refused refresh ends the session, and the user learns why.",
    ),
    "stranger": Help(
        hints=(
            "Whose pair is in the store when the refresh comes back?",
            "Each pair knows which login it comes from: pair.session.",
            "if fresh is None or fresh.session is not pair.session: raise LoginRequired(...)",
        ),
        praise="A call is only sent again in its own session.",
    ),
    "server": Help(
        hints=(
            "Which of the two policies knows what a session is?",
            'With policy="rfc" two of the three symptoms depend on refresh_grace, and they pull '
            "in two directions.",
            "A network that stutters needs seconds. A thief comes later than that.",
        ),
        praise="The grace is long enough for a lost answer, and too short for a thief.",
    ),
}

"""Lesson 09, break and fix: the exercises, one for each faulty client, and one for the server.

The learner hands in a mended class. It must do right in every scenario of the grader, and not
only in the one that shows the symptom.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from demo_server import ServerConfig

from ..exercise import Exercise, Wrong
from .grader import Row, find_fault
from .mutants import MUTANTS, Mutant


@dataclass(frozen=True)
class Help:
    """What an exercise says about its fault.

    Attributes:
        hints (tuple[str, ...]): from a nudge to nearly the answer.
        solution (str): the lines that change, and why.
        praise (str): said of a right answer.
    """

    hints: tuple[str, ...]
    solution: str
    praise: str


def exercises(namespace: Mapping[str, Any]) -> tuple[Exercise, ...]:
    """q1 to q13. The answer to q1 is called `mended_1`, and so on."""
    clients = (
        Exercise(
            namespace,
            f"q{number}",
            wants=[f"mended_{number}"],
            judge=_judge(mutant),
            hints=HELP[mutant.name].hints,
            solution=HELP[mutant.name].solution,
        )
        for number, mutant in enumerate(MUTANTS.values(), 1)
    )
    return (
        *clients,
        Exercise(
            namespace,
            "q13",
            wants=["mended_13"],
            judge=_judge_server,
            hints=HELP["server"].hints,
            solution=HELP["server"].solution,
        ),
    )


def _judge(mutant: Mutant) -> Callable[[Any], str]:
    def judge(candidate: Any) -> str:
        fault = find_fault(candidate, mutant.scenario)
        if fault is None:
            return HELP[mutant.name].praise
        gone = "" if fault.scenario == mutant.scenario else "the symptom is gone, but "
        raise Wrong(f"{gone}{_told(fault)}")

    return judge


def _judge_server(config: Any) -> str:
    if not isinstance(config, ServerConfig):
        raise Wrong(
            f"mended_13 is to be a ServerConfig, and it is of type {type(config).__name__}."
        )
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
            "To lower it after the refresh is half of the answer: whose flag is it, when four "
            "calls share one scheme?",
            "No flag is needed. The flow of one call refreshes once, since it does so in one "
            "line; that calls share a refresh is the client's work.",
        ),
        solution=(
            "Delete _refreshing: __init__, the `if`, and the line that raises it. The rule "
            '"one refresh for a call" is in the shape of the flow already.'
        ),
        praise="A call needs no flag to refresh once, and calls must not share one.",
    ),
    "rush": Help(
        hints=(
            "What can happen between the look into the store and the refresh?",
            "All four look before the first has refreshed, so all four see the old pair.",
            "The look and the refresh must be one: nobody may look while another refreshes.",
            "Move the last line into the `with`, and give back flow.send(None) there too.",
        ),
        solution=(
            "with self._refreshes:\n"
            "    if self.store.get() is message.replaces:\n"
            "        return self._exchange(flow, message, call)\n"
            "return flow.send(None)\n\n"
            "Only those wait that need a refresh. When they come in, the pair is another one."
        ),
        praise="Look and refresh are one step now: a lock with no gap in it.",
    ),
    "silence": Help(
        hints=(
            "The trace shows who was told. What do the others wait for?",
            "What does self._exchange do when the refresh is refused? Which lines run then?",
            "LoginRequired leaves the method before done.set(). Nobody sets the event.",
            "try: return self._exchange(...), and finally: forget the event and set it.",
        ),
        solution=(
            "try:\n"
            "    return self._exchange(flow, message, call)\n"
            "finally:\n"
            "    with self._refreshes:\n"
            "        done, self._refreshed = self._refreshed, None\n"
            "    if done is not None:\n"
            "        done.set()\n\n"
            "Who lets others wait must set them free on each way out."
        ),
        praise="The event is set on each way out, so nobody waits for ever.",
    ),
    "mirror": Help(
        hints=(
            "Which token must a refresh carry? What is done here when a refresh is refused?",
            "The refresh is sent by auth_flow. So its refusal is met by auth_flow: with a refresh.",
            "The refresh must go past the flow: yield it as it is.",
        ),
        solution=(
            "answer = yield refresh_request(pair)\n\n"
            "instead of `yield from self.auth_flow(...)`. A refused refresh is the end of the "
            "session, not one more expiry."
        ),
        praise="The refresh goes past the flow that it belongs to.",
    ),
    "parcel": Help(
        hints=(
            "Compare what the call carries with what the retry carries.",
            "The protocol knows a method and a path. Who knows the body?",
            "`call` holds the whole request, prepared once, and can send it twice. A new HttpCall "
            "with {} for its options has no body.",
        ),
        solution=(
            "Delete the `if`: return super()._send(message, call). The call was prepared once, "
            "with its body, and a file goes back to where it began."
        ),
        praise="The retry is the same request but for its token.",
    ),
    "door": Help(
        hints=(
            "What does the answer to GET /class say, beside its status?",
            "RFC 6750, section 3.1, has two codes: invalid_token and insufficient_scope.",
            "may_have_expired(response) tells the two apart.",
        ),
        solution=(
            "if pair is None or not may_have_expired(response):\n"
            "    return response\n\n"
            "A new token of the same user has the same rights."
        ),
        praise="Of the refusals, only those of the token are worth a refresh.",
    ),
    "watch": Help(
        hints=(
            "Whose clock set `exp`, and whose clock is it compared with?",
            "With a clock five minutes ahead, each token of a minute is over when it comes.",
            "What the client can measure is a length of time: since the token came.",
            "pair.received_at is when it came, by this clock, and pair.lifetime how long it is "
            "good for.",
        ),
        solution=(
            "if pair.received_at is None or pair.lifetime is None:\n"
            "    return False\n"
            "return self._clock() > pair.received_at + pair.lifetime - 10\n\n"
            "The lifetime is exp - iat: both of the server's clock, so its error cancels out."
        ),
        praise="A difference of two times of one clock is right on any clock.",
    ),
    "keepsake": Help(
        hints=(
            "What is in the answer to POST /refresh on a server that rotates?",
            "The answer has two tokens. Which of them does the store hold afterwards?",
            "The second refresh sends the first token again. To the server that is a theft.",
            "pair.refreshed(access, refresh, received_at) takes both, and when they came. Not "
            "each server sends a new refresh token.",
        ),
        solution=(
            'access = read_token(answer, "accessToken")\n'
            'refresh = answer.json().get("refreshToken")\n'
            "self._store.replace(pair, pair.refreshed(access, refresh, self._clock()))\n\n"
            "or delete the method: BearerAuth does that. RFC 9700, section 4.14.2, is why the "
            "server takes a spent token for a theft."
        ),
        praise="Both tokens of the answer are stored, in one step.",
    ),
    "mule": Help(
        hints=(
            "How many retries can one call make? Which line limits them?",
            "A token that is refused although it is new will be refused again.",
            "`if` instead of `while`.",
        ),
        solution="Write `if` for `while`, and the retry's answer is the last word, whatever it is.",
        praise="One refresh and one retry, and then the answer is the answer.",
    ),
    "latecomer": Help(
        hints=(
            "When its refusal comes, the late call's token is not the one in the store.",
            "Compare message.replaces with self.store.get(), as RushClient does.",
            "The look belongs under the lock, before the look at self._refreshed.",
        ),
        solution=(
            "with self._refreshes:\n"
            "    if self.store.get() is not message.replaces:\n"
            "        return flow.send(None)\n"
            "    under_way = self._refreshed\n"
            "    ...\n\n"
            "Somebody has refreshed since this call was sent, so a retry is all it needs."
        ),
        praise="Before a refresh it is asked whether there is one to make.",
    ),
    "optimist": Help(
        hints=(
            'Which answers to a refresh mean "not now", and which mean "never again"?',
            "503 passes. 400 invalid_grant, or the article's 403, does not.",
            "Past 429, 502, 503 and 504: forget the pair, and raise LoginRequired.",
        ),
        solution=(
            "Delete the method: BearerAuth ends the session at a refusal and keeps it at 429, "
            "502, 503 and 504."
        ),
        praise="A refused refresh ends the session, and the user is told.",
    ),
    "stranger": Help(
        hints=(
            "Whose pair is in the store when the refresh comes back?",
            "Each pair knows the login that it comes from: pair.session.",
            "if fresh is None or fresh.session is not pair.session: raise LoginRequired(...)",
        ),
        solution=(
            "if fresh is None or fresh.session is not pair.session:\n"
            '    raise LoginRequired("The session ended: log in again")\n\n'
            "A call is never sent in another user's name."
        ),
        praise="A call is sent again in the name of its own session only.",
    ),
    "server": Help(
        hints=(
            "Which of the two policies knows what a session is?",
            'With policy="rfc" two of the three symptoms depend on refresh_grace, and they pull '
            "in two directions.",
            "A network that stutters needs seconds. A thief comes later than that.",
        ),
        solution=(
            'ServerConfig(policy="rfc", refresh_grace=10)\n\n'
            "Any grace from 3 to 60 seconds will do here. It is a trade: within it, a thief who "
            "is quick is not noticed either."
        ),
        praise="The grace is long enough for a lost answer, and too short for a thief.",
    ),
}

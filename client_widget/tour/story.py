"""The story of the tour: what each step tells, asks and does, and what each answer means.

Rules:
- only the events of a step decide which answer is right: if the server behaves differently,
  another answer is the one that happened;
- each answer stands for one outcome of its step, and the last for all other outcomes. So exactly
  one answer is right, whatever happened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from . import outcomes as trace
from .learner import Learner
from .outcomes import Trace, requests_sent, retell

#: A part of a step. It is done once, even if a later part fails and the step is tried again.
Deed: TypeAlias = Callable[[Learner], None]


@dataclass(frozen=True)
class Choice:
    """An answer to choose.

    Attributes:
        text (str): what is on its button.
        happened: decides from the step's events whether this is what happened.
        why: explains in words, from the same events, what happened and why.
    """

    text: str
    happened: Callable[[Trace], bool]
    why: Callable[[Trace], str]


@dataclass(frozen=True)
class Step:
    """A step of the story.

    Attributes:
        title (str), story (str), question (str): shown before the step.
        answers (tuple[Choice, ...]): exactly one of them happens.
        act (tuple[Deed, ...]): what is then done, in order.
    """

    title: str
    story: str
    question: str
    answers: tuple[Choice, ...]
    act: tuple[Deed, ...]


def answers_to(
    outcome: Callable[[Trace], str], *choices: tuple[str, str, str]
) -> tuple[Choice, ...]:
    """An answer for each (outcome, text, lesson), and one for all other outcomes."""
    listed = {key for key, _, _ in choices}

    def answer(key: str, text: str, lesson: str) -> Choice:
        return Choice(text, lambda events: outcome(events) == key, _because(lesson))

    return (
        *(answer(*choice) for choice in choices),
        Choice(
            "Something else.",
            lambda events: outcome(events) not in listed,
            _because("None of the other answers matches what happened."),
        ),
    )


def _because(lesson: str) -> Callable[[Trace], str]:
    """A reason: the lesson, with {requests} counted, and on the next line what happened."""

    def why(events: Trace) -> str:
        return f"{lesson.format(requests=len(requests_sent(events)))}\n{retell(events)}"

    return why


def _wait(seconds: int) -> Deed:
    return lambda learner: learner.pass_time(seconds)


STEPS: tuple[Step, ...] = (
    Step(
        "A closed door",
        "The server has a page at /home. Only a user who is logged in may see it. Your client, "
        "the program that sends requests for you, proves this with a token: a short text that "
        "the server has signed, so that it recognises its own tokens. In this step nobody is "
        "logged in, so the client has no token.",
        "The client asks for /home without a token. What will happen?",
        answers_to(
            trace.visit,
            ("page", "The server sends the page.", "The page came, and no token was needed."),
            (
                "no token",
                "The server refuses. You have to log in.",
                "Without a token the server does not know you. It answers with the number 403, "
                "which means: refused. The client has nothing else to send, so you have to log in.",
            ),
            (
                "refreshed",
                "The server refuses. The client gets a token by itself.",
                "The client got a token by itself.",
            ),
        ),
        (Learner.log_out, Learner.ask_home),
    ),
    Step(
        "Register",
        "You are new here. The client makes up a username and a password and sends them to "
        "the server.",
        "You register. What does the server give you?",
        answers_to(
            trace.registration,
            (
                "account",
                "An account, but no token.",
                "The server now knows you, but it issued no token: to register is not to log in.",
            ),
            (
                "token",
                "An account and a token: you are logged in.",
                "A token came with the account.",
            ),
            ("refused", "Nothing: the server refuses.", "The server did not register you."),
        ),
        (Learner.register,),
    ),
    Step(
        "Log in",
        "The client sends the same username and password once more, this time to log in.",
        "How many tokens does the server issue, and where are they kept?",
        answers_to(
            trace.login,
            ("client keeps 1", "One token. The client keeps it.", "There is one token."),
            (
                "client keeps 2",
                "Two tokens. The client keeps both.",
                "There are two tokens, and the client keeps both. The access token goes with "
                "each request for a page. The refresh token has one use: to get a new access "
                "token.",
            ),
            (
                "server keeps 2",
                "Two tokens. The server keeps both.",
                "There are two tokens, and the client has stored neither.",
            ),
        ),
        (Learner.log_in,),
    ),
    Step(
        "A valid token",
        "The client has an access token now. It sends it with the request for /home. The "
        "server must find out who is asking.",
        "Does the server look for you in its database?",
        answers_to(
            trace.lookup,
            (
                "token",
                "No. It checks the token, and your name is in it.",
                "The only thing that the server noted is its check of the token. It did not look "
                "at its users. Your name is in the token, and the signature shows that the "
                "server itself wrote it.",
            ),
            (
                "database",
                "Yes. It looks for your name there.",
                "The server looked at its users.",
            ),
            ("refused", "It refuses the token.", "The token was not accepted."),
        ),
        (Learner.ask_home,),
    ),
    Step(
        "61 seconds later",
        "A token is valid for a limited time. Now 61 seconds pass. Nobody has to wait: the lab "
        "moves its clock. Then the client asks for /home again.",
        "How many requests does the client send?",
        answers_to(
            trace.requests_for_page,
            (
                "page",
                "One. The page comes.",
                "There was no refresh: the access token was still valid, so one request was "
                "enough.",
            ),
            (
                "refused",
                "One. It is refused, and you must log in again.",
                "The server refused the token, and the client did not ask for a new one.",
            ),
            (
                "refreshed in 3",
                "Three. One is refused, one gets a new token, one gets the page.",
                "The client sent {requests} requests, and you had to do nothing. The second is "
                "called a refresh, and the third a retry.",
            ),
        ),
        (_wait(61), Learner.ask_home),
    ),
    Step(
        "The refresh token",
        "In a refresh the client sends its refresh token and asks for a new access token. Now "
        "we do this twice: 61 seconds pass and the client asks for /home, then another 61 "
        "seconds pass and it asks again.",
        "Does a refresh also change the refresh token?",
        answers_to(
            trace.rotation,
            (
                "same",
                "No. The same refresh token is used both times.",
                "It is the same refresh token both times, and its time runs on. Only the access "
                "token is new.",
            ),
            (
                "new",
                "Yes. Each refresh brings a new one.",
                "The client used another refresh token each time.",
            ),
            (
                "none",
                "You cannot tell: there is no refresh.",
                "There was no refresh: the access token was still valid both times.",
            ),
        ),
        (_wait(61), Learner.ask_home, _wait(61), Learner.ask_home),
    ),
    Step(
        "30 seconds later",
        "Now only 30 seconds pass. Then the client asks for /home again.",
        "Is there a refresh?",
        answers_to(
            trace.visit,
            (
                "page",
                "No. The access token is still valid.",
                "There was no refresh: the access token was still valid.",
            ),
            ("refreshed", "Yes. Then the page comes.", "There was a refresh, and then the page."),
            (
                "over",
                "Yes, but it is refused. You must log in again.",
                "The refresh was refused, so the session has ended.",
            ),
        ),
        (_wait(30), Learner.ask_home),
    ),
    Step(
        "301 seconds later",
        "The refresh token lives longer than the access token, but not forever. Now 301 "
        "seconds pass. Then the client asks for /home again.",
        "What will happen?",
        answers_to(
            trace.visit,
            ("page", "The page comes at once.", "No refresh was needed."),
            (
                "refreshed",
                "A refresh, then the page.",
                "The refresh token was still valid, so the client could get a new access token.",
            ),
            (
                "over",
                "The refresh is refused too. You must log in again.",
                "The access token was refused, and then the refresh token too. The client has no "
                "other token, so the session has ended.",
            ),
        ),
        (_wait(301), Learner.ask_home),
    ),
    Step(
        "Log in again",
        "You log in once more, with the same username and password as before.",
        "What do you get?",
        answers_to(
            trace.login,
            (
                "client keeps 2",
                "Two new tokens with their full lifetimes.",
                "Your account did not expire: only tokens do. You have two new tokens, and the "
                "story can begin again.",
            ),
            ("client keeps 1", "A new access token only.", "There is one token."),
            (
                "refused",
                "Nothing: the account has expired too.",
                "The server refused the login.",
            ),
        ),
        (Learner.log_in,),
    ),
)

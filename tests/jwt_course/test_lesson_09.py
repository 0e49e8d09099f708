"""Lesson 09: what its exercises say of answers."""

from __future__ import annotations

from typing import Any

import pytest
from jwt_course import Wrong
from jwt_course.lesson_09 import exercises
from jwt_course.lesson_09.candidates import check_candidate, check_work
from jwt_course.lesson_09.faulty_auths import DoorAuth, FlagAuth
from jwt_course.lesson_09.grader import find_fault
from jwt_course.lesson_09.mutants import MUTANTS, SERVER_MUTANTS

from client_widget.protocol.auth_flow import AuthFlow, Request, with_bearer
from demo_server import ServerConfig

from .learner import cell


def verdict(number: int, answer: Any, capsys: pytest.CaptureFixture[str]) -> str:
    exercises({f"fixed_{number}": answer})[number - 1].check()
    return capsys.readouterr().out


def test_there_is_an_exercise_for_each_client_and_one_for_the_servers() -> None:
    assert [q.name for q in exercises({})] == [f"q{n}" for n in range(1, len(MUTANTS) + 2)]
    for exercise in exercises({}):
        exercise.assert_check_unattempted()


def test_the_fault_itself_is_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict(1, FlagAuth, capsys) == (
        'q1 is not right yet: the scenario "five in a row" fails.\n'
        "   seen:   expiry 2: the caller got 403 token_expired, after 1 refused access token.\n"
        "   wanted: after each expiry one refresh and one retry, and the caller sees 200.\n"
    )


def test_a_fix_that_breaks_something_else_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    class NeverOn403(DoorAuth):
        def auth_flow(self, request: Request) -> AuthFlow:
            response = yield with_bearer(request, self._store.get())
            assert response is not None
            return response

    assert verdict(6, NeverOn403, capsys).startswith(
        'q6 is not right yet: the symptom is gone, but the scenario "five in a row" fails.\n'
        "   seen:   expiry 1: the caller got 403 token_expired, after 1 refused access token.\n"
    )


# A solution of solutions.md is the first right way; these are two more for each exercise.

NAMES = """
    import threading
    import time
    from demo_server import ServerConfig
    from jwt_course.lesson_09 import *
"""

FLOW = """
    class Fixed(BearerAuth):
        def auth_flow(self, request):
            pair = self._store.get()
            response = yield with_bearer(request, pair)
            if pair is None or response.status_code not in (401, 403):
                return response
            if response.json().get("error") == "insufficient_scope":
                return response
            pair = yield from self._refreshed(pair)
            return (yield with_bearer(replace(request, purpose="retry"), pair))
"""

WHOLE = """
    class Fixed:
        def __init__(self, store, *, clock):
            self.store = store

        def auth_flow(self, request):
            pair = self.store.get()
            response = yield with_bearer(request, pair)
            if pair is None or not may_have_expired(response):
                return response
            answer = yield refresh_request(pair)
            if answer is not None and answer.status_code in (429, 502, 503, 504):
                raise ServerUnreachable("not now")
            if answer is not None and answer.status_code != 200:
                self.store.replace(pair, None)
                raise LoginRequired("log in")
            if answer is not None:
                said = answer.json()
                fresh = pair.refreshed(said["accessToken"], said.get("refreshToken"))
                self.store.replace(pair, fresh)
            now = self.store.get()
            if now is None or now.session != pair.session:
                raise LoginRequired("another session")
            return (yield with_bearer(replace(request, purpose="retry"), now))
"""

ONE_LOCK = """
    class Fixed(AuthClient):
        def _refresh_once(self, flow, message, call):
            with self.__dict__.setdefault("mine", threading.Lock()):
                if self.store.get() is not message.replaces:
                    return flow.send(None)
                return self._advance(flow, message, call)
"""

EVENT = """
    class Fixed(AuthClient):
        under_way = None

        def _refresh_once(self, flow, message, call):
            with self._refreshes.lock:
                if self.store.get() is not message.replaces:
                    return flow.send(None)
                first, done = self.under_way is None, self.under_way or threading.Event()
                self.under_way = done
            if not first:
                done.wait()
                return flow.send(None)
            try:
                return self._advance(flow, message, call)
            finally:
                with self._refreshes.lock:
                    self.under_way = None
                done.set()
"""

SAME_CALL = """
    class Fixed(AuthClient):
        def _advance(self, flow, message, call):
            following = super()._advance(flow, message, call)
            return following
"""

FACTORY = """
    class Whole(AuthClient):
        def _advance(self, flow, message, call):
            return super()._advance(flow, message, call)

    def Fixed(url, **given):
        return Whole(url, **given)
"""

ARRIVAL = """
    class Fixed(BearerAuth):
        def _nearly_over(self, pair):
            if pair.received_at is None or pair.lifetime is None:
                return False
            return self._clock() - pair.received_at > 0.9 * pair.lifetime
"""

NEVER_AHEAD = """
    class Fixed(BearerAuth):
        def _nearly_over(self, pair):
            return False
"""

BOTH_TOKENS = """
    class Fixed(BearerAuth):
        def _store_refreshed(self, pair, answer):
            if not 200 <= answer.status_code < 300:
                return super()._store_refreshed(pair, answer)
            said = answer.json()
            refresh = said["refreshToken"] if "refreshToken" in said else pair.refresh
            self._store.replace(
                pair, pair.refreshed(said["accessToken"], refresh, self._clock())
            )
"""

NOT_NOW = """
    class Fixed(BearerAuth):
        def _store_refreshed(self, pair, answer):
            if answer.status_code >= 500 or answer.status_code == 429:
                raise ServerUnreachable("not now")
            super()._store_refreshed(pair, answer)
"""

SESSION = """
    class Fixed(BearerAuth):
        def _refreshed(self, pair):
            answer = yield refresh_request(pair)
            if answer is not None:
                self._store_refreshed(pair, answer)
            fresh = self._store.get()
            if fresh is not None and fresh.session is pair.session:
                return fresh
            raise LoginRequired("not this session")
"""

RIGHT = {
    "flag": (FLOW, WHOLE),
    "rush": (ONE_LOCK, EVENT),
    "silence": (ONE_LOCK, EVENT),
    "mirror": (FLOW, WHOLE),
    "parcel": (SAME_CALL, FACTORY),
    "door": (FLOW, WHOLE),
    "watch": (ARRIVAL, NEVER_AHEAD),
    "keepsake": (BOTH_TOKENS, WHOLE),
    "mule": (FLOW, WHOLE),
    "latecomer": (ONE_LOCK, EVENT),
    "optimist": (NOT_NOW, WHOLE),
    "stranger": (SESSION, WHOLE),
}


def fixed(source: str) -> Any:
    return cell(source, cell(NAMES))["Fixed"]


@pytest.mark.parametrize("source", dict.fromkeys(s for both in RIGHT.values() for s in both))
def test_two_other_right_ways_pass_every_scenario(source: str) -> None:
    candidate = fixed(source)
    check_candidate("fixed", candidate)
    assert find_fault(candidate, "four together", patience=5) is None


@pytest.mark.parametrize("name", MUTANTS)
def test_and_are_the_learners_own_fix(name: str) -> None:
    for source in RIGHT[name]:
        check_work("fixed", fixed(source), MUTANTS[name])


# Nobody's own work: each passes every scenario.

REFERENCES = {
    "the scheme": "Fixed = BearerAuth",
    "the client": "Fixed = AuthClient",
    "a rename": """
        class Fixed(BearerAuth):
            """ + '"""My fix."""' + """
            mine = True
    """,
    "a client's rename": """
        class Fixed(AuthClient):
            pass
    """,
    "handed on": """
        class Fixed(BearerAuth):
            def auth_flow(self, request):
                return (yield from super().auth_flow(request))

            def _refreshed(self, pair):
                return (yield from super()._refreshed(pair))

            def _store_refreshed(self, pair, answer):
                super()._store_refreshed(pair, answer)

            def _nearly_over(self, pair):
                return super()._nearly_over(pair)
    """,
    "inside": """
        class Fixed:
            def __init__(self, store, *, clock):
                self.inner = BearerAuth(store, clock=clock)

            def auth_flow(self, request):
                return self.inner.auth_flow(request)
    """,
    "made by a function": """
        def Fixed(url, **given):
            return AuthClient(url, **given)
    """,
    "under its own name": """
        class Fixed(BearerAuth):
            auth_flow = BearerAuth.auth_flow
    """,
}  # fmt: skip


@pytest.mark.parametrize("cheat", REFERENCES)
def test_the_reference_is_nobodys_fix(cheat: str, capsys: pytest.CaptureFixture[str]) -> None:
    candidate = fixed(REFERENCES[cheat])
    for number, mutant in enumerate(MUTANTS.values(), 1):
        if number in (1, 5, 11) or cheat == "handed on":  # each kind of fault, and all for one
            if mutant.name == "parcel":
                continue
            with pytest.raises(Wrong, match="every scenario passes, but with the inherited"):
                check_work("fixed", candidate, mutant)
    if cheat == "a rename":
        assert verdict(1, candidate, capsys) == (
            "q1 is not right yet: every scenario passes, but with the inherited `auth_flow`: the "
            "reference did the work. Copy the faulty class, and fix its `auth_flow`.\n"
        )


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("Fixed = None", "`fixed_1` is None. It should be your fixed class: its name, and"),
        ("Fixed = 'FlagAuth'", "`fixed_1` is a str. It should be your fixed class."),
        (
            "Fixed = AuthClient('http://127.0.0.1:9')",
            "`fixed_1` is an instance of AuthClient. Hand in the class itself: its name, without",
        ),
        ("class Fixed: pass", "`fixed_1` has neither `auth_flow`, as an auth scheme has, nor"),
        (
            "def Fixed(url, **given): return 1",
            "`fixed_1` is a function, and it returned a value of type int. It should be your",
        ),
        (
            """
            class Fixed(BearerAuth):
                def auth_flow(self, request):
                    yield missing
            """,
            'the scenario "five in a row" fails.\n   seen:   expiry 1: the caller got NameError: '
            "name 'missing' is not defined, at line 3 of your cell: `yield missing`. Which cell",
        ),
    ],
)
def test_what_is_no_client_is_told_what_is_wanted(
    source: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = verdict(1, fixed(source), capsys).partition("q1 is not right yet: ")[2]
    assert said.startswith(words)


@pytest.mark.parametrize("grace", [3, 10, 60])
def test_a_short_grace_is_right(grace: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict(13, ServerConfig(policy="rfc", refresh_grace=grace), capsys) == (
        "q13 is right. The grace is long enough for a lost answer, and too short for a thief.\n"
    )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (10, "`fixed_13` is an int. It should be a `ServerConfig(...)`."),
        (None, "`fixed_13` is None. It should be a `ServerConfig(...)`."),
        (ServerConfig, "`fixed_13` is the class ServerConfig. Make one: `ServerConfig(...)`."),
        (ServerConfig(), "after the logout, the access token was still valid."),
        (ServerConfig(policy="rfc"), "2 s later, the same refresh token was answered with 400."),
        (
            ServerConfig(policy="rfc", refresh_grace=61),
            "60 s after its use, the refresh token brought the thief new tokens.",
        ),
    ],
)
def test_other_settings_are_wrong(
    answer: Any, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in verdict(13, answer, capsys)


class Agrees(ServerConfig):
    """Claims to be the right settings."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Agrees(policy="rfc", refresh_grace=61), "60 s after its use, the refresh token brought"),
        *[(mutant.candidate, f"{mutant.scenario}") for mutant in SERVER_MUTANTS.values()],
    ],
)
def test_neither_a_disguise_nor_a_faulty_server_is_an_answer(
    answer: Any, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = verdict(13, answer, capsys)
    assert said.startswith("q13 is not right yet: ")
    assert words in said


@pytest.mark.parametrize("name", SERVER_MUTANTS)
def test_a_faulty_server_fails_where_it_should(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mutant = SERVER_MUTANTS[name]
    mutant.watch()
    assert f"FAILED  {mutant.scenario}" in capsys.readouterr().out
    config = mutant.candidate
    assert isinstance(config, ServerConfig)
    assert mutant.source == (
        f"ServerConfig(policy={config.policy!r}, refresh_grace={config.refresh_grace})"
    )

"""Each weakness of the weak server lets an attack in, and none of the others does."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import pytest
from jwt_course.lesson_08.attack_lab import MALLORY, WeakTarget
from jwt_course.lesson_08.attacks import (
    active_markup,
    find_secret,
    forge_none,
    forge_signed,
    guess,
    password_checks,
    weak_secrets,
)
from jwt_course.lesson_08.weak_server import WeakServer
from jwt_course.lesson_08.weak_service import Weaknesses

from client_widget import EventLog
from demo_server import DemoClock, DemoServer

SCRIPT = '<img src=x onerror="steal()">'
NAMES = [field.name for field in dataclasses.fields(Weaknesses)]


@pytest.fixture
def weak(clock: DemoClock) -> Iterator[WeakTarget]:
    target = WeakTarget(clock)
    yield target
    target.server.stop()


def alg_none(weak: WeakTarget, clock: DemoClock) -> bool:
    answer = weak.home(forge_none(weak.tokens().access, "admin"))
    return answer.text.count("Welcome admin") == 1


def refresh_as_access(weak: WeakTarget, clock: DemoClock) -> bool:
    return weak.home(weak.tokens().refresh).status_code == 200


def access_as_refresh(weak: WeakTarget, clock: DemoClock) -> bool:
    return weak.refresh(weak.tokens().access).status_code == 200


def word_list(weak: WeakTarget, clock: DemoClock) -> bool:
    token = weak.tokens().access
    secret = find_secret(token, weak_secrets())
    if secret is None:
        return False
    return weak.home(forge_signed(token, "admin", secret)).json() == {"message": "Welcome admin"}


def names_by_text(weak: WeakTarget, clock: DemoClock) -> bool:
    return weak.log_in("ada", "wrong").json() != weak.log_in("nobody", "wrong").json()


def names_by_time(weak: WeakTarget, clock: DemoClock) -> bool:
    work = []
    for username in ("ada", "nobody"):
        with password_checks() as costs:
            weak.log_in(username, "wrong")
        work.append(list(costs))
    return work[0] != work[1]


def guesses(weak: WeakTarget, clock: DemoClock) -> bool:
    return guess(lambda word: weak.log_in("admin", word), weak_secrets()).password is not None


def operator(weak: WeakTarget, clock: DemoClock) -> bool:
    return weak.log_in({"$in": ["mallory"]}, MALLORY).status_code == 201


def markup(weak: WeakTarget, clock: DemoClock) -> bool:
    weak.register(SCRIPT, "a pass phrase")
    return active_markup(weak.page("/members")) == ["img onerror"]


def old_token(weak: WeakTarget, clock: DemoClock) -> bool:
    token = weak.tokens().access
    clock.advance(3600)
    return weak.home(token).status_code == 200


Attack = Callable[[WeakTarget, DemoClock], bool]

ATTACKS: list[tuple[Attack, str]] = [
    (alg_none, "accepts_alg_none"),
    (refresh_as_access, "one_secret"),
    (access_as_refresh, "one_secret"),
    (word_list, "guessable_secret"),
    (names_by_text, "tells_unknown_users"),
    (names_by_time, "skips_unknown_users"),
    (guesses, "no_backoff"),
    (operator, "takes_operators"),
    (markup, "raw_markup"),
    (old_token, "long_lived_tokens"),
]


def test_each_weakness_has_an_attack() -> None:
    assert {weakness for _, weakness in ATTACKS} == set(NAMES)


@pytest.mark.parametrize(("attack", "weakness"), ATTACKS)
def test_a_weakness_lets_its_attack_in(
    attack: Attack, weakness: str, weak: WeakTarget, clock: DemoClock
) -> None:
    weak.weaken(weakness)
    assert attack(weak, clock)


@pytest.mark.parametrize(("attack", "weakness"), ATTACKS)
def test_with_all_others_the_attack_fails(
    attack: Attack, weakness: str, weak: WeakTarget, clock: DemoClock
) -> None:
    weak.weaken(*(name for name in NAMES if name != weakness))
    assert not attack(weak, clock)


def test_a_good_session_passes_with_and_without_weaknesses(
    weak: WeakTarget, clock: DemoClock
) -> None:
    for weaknesses in ([], NAMES):
        weak.weaken(*weaknesses)
        pair = weak.tokens()
        assert weak.home(pair.access).json() == {"message": "Welcome mallory"}
        assert weak.refresh(pair.refresh).status_code == 200


def test_without_weaknesses_tokens_end_in_the_second_of_their_exp(
    weak: WeakTarget, clock: DemoClock
) -> None:
    pair = weak.tokens()
    clock.advance(59)
    assert weak.home(pair.access).status_code == 200
    clock.advance(1)
    assert weak.home(pair.access).status_code == 401
    clock.advance(239)
    assert weak.refresh(pair.refresh).status_code == 200
    clock.advance(1)
    assert weak.refresh(pair.refresh).status_code == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "e30.e30.", "bnVsbA.bnVsbA.x", "W10.W10.x"])
def test_what_is_no_token_is_refused(token: str, weak: WeakTarget) -> None:
    for weaknesses in ([], NAMES):
        weak.weaken(*weaknesses)
        assert weak.home(token).status_code == 401
        assert weak.refresh(token).status_code == 401


@pytest.mark.parametrize(
    "body",
    [{}, [], None, {"username": "ada"}, {"username": "ada", "password": {"$ne": None}}],
)
def test_what_is_no_login_is_refused(body: object, weak: WeakTarget) -> None:
    weak.weaken(*NAMES)
    for path in ("/users/login", "/users/register"):
        assert weak.client().request("POST", path, json=body).status_code == 400


def test_a_taken_name_and_an_operator_cannot_be_registered(weak: WeakTarget) -> None:
    weak.weaken(*NAMES)
    assert weak.register("ada", "another pass phrase").status_code == 409
    body = {"username": {"$gt": ""}, "password": "a pass phrase"}
    assert weak.client().request("POST", "/users/register", json=body).status_code == 400


def test_the_backoff_doubles_and_a_success_ends_it(weak: WeakTarget, clock: DemoClock) -> None:
    waits = []
    for _ in range(16):
        answer = weak.log_in("mallory", "wrong")
        while answer.status_code == 429:
            waits.append(int(answer.headers["Retry-After"]))
            clock.advance(waits[-1])
            answer = weak.log_in("mallory", "wrong")
        assert answer.status_code == 401
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    clock.advance(300)
    weak.tokens()
    assert [weak.log_in("mallory", "wrong").status_code for _ in range(6)] == [401] * 5 + [429]


def test_an_attack_is_seen_as_events_of_one_action(weak: WeakTarget) -> None:
    pair = weak.tokens()
    forged = forge_none(pair.access, "admin")
    weak.weaken("accepts_alg_none")
    weak.home(forged)
    told = [(e.source, e.name, e.fields.get("username")) for e in weak.log.action()]
    assert told == [
        ("client", "request.sent", None),
        ("server", "token.accepted", "admin"),
        ("client", "response.received", None),
    ]
    weak.weaken()
    weak.home(forged)
    told = [(e.source, e.name, e.fields.get("detail")) for e in weak.log.action()]
    assert told == [
        ("client", "request.sent", None),
        ("server", "token.rejected", "its algorithm is not HS256"),
        ("client", "response.received", None),
    ]


def test_no_event_holds_a_token_a_password_or_a_hash(weak: WeakTarget) -> None:
    weak.weaken(*NAMES)
    pair = weak.tokens()
    for token in (pair.access, pair.refresh, "x" + pair.access):
        weak.home(token)
        weak.refresh(token)
    weak.log_in("mallory", "a wrong pass phrase")
    told = weak.log.to_jsonl() + repr(weak.server) + str(weak)
    assert "login.refused" in told
    secrets = [pair.access, pair.refresh, MALLORY, "a wrong pass phrase", "$2b$"]
    assert [secret for secret in secrets if secret in told] == []


def test_it_listens_on_loopback_and_one_of_a_name_runs(clock: DemoClock, log: EventLog) -> None:
    first = WeakServer(clock=clock)
    with pytest.raises(RuntimeError):
        _ = first.url
    first.start()
    assert first.url.startswith("http://127.0.0.1:")
    second = WeakServer(clock=clock).start()
    assert (repr(first), repr(second)) == (
        "<WeakServer 'weak', stopped>",
        "<WeakServer 'weak', running>",
    )
    second.stop()
    second.stop()
    assert repr(second) == "<WeakServer 'weak', stopped>"


def test_an_unknown_weakness_is_an_error(weak: WeakTarget) -> None:
    with pytest.raises(TypeError):
        weak.weaken("accepts_everything")


def test_a_demo_server_of_the_same_name_keeps_running(clock: DemoClock) -> None:
    with DemoServer(clock=clock, name="same") as server:
        weak = WeakServer(clock=clock, name="same").start()
        assert server.running
        weak.stop()
        assert server.running

"""Lesson 08: the attacks on our own servers, and the judges of its exercises."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import bcrypt
import jwt
import nbformat
import pytest
from jwt.warnings import InsecureKeyLengthWarning
from jwt_course import Exercise
from jwt_course.lesson_08 import exercises
from jwt_course.lesson_08.attack_lab import ADMIN_WORD, AttackLab, Target, verdict
from jwt_course.lesson_08.attacks import (
    active_markup,
    find_secret,
    forge_none,
    forge_signed,
    grep_tokens,
    guess,
    notebook_with,
    password_checks,
    shown,
    weak_secrets,
)
from jwt_course.lesson_08.judges import captured_token
from jwt_course.lesson_08.weak_server import WeakServer
from jwt_course.solutions import right_answers

from client_widget import read_claims
from client_widget.protocol.jwt_by_hand import sign
from demo_server import DemoClock, ServerConfig

from ..conftest import START
from .learner import AnyText, cell

ADA = "a pass phrase of ada's"


@pytest.fixture
def lab(clock: DemoClock) -> Iterator[AttackLab]:
    lab = AttackLab(clock)
    yield lab
    lab.stop()


@pytest.fixture(params=["article", "rfc"])
def ours(request: pytest.FixtureRequest, lab: AttackLab) -> Target:
    return lab[request.param]


# What our own servers make of the attacks


def test_neither_policy_takes_a_forged_token(ours: Target) -> None:
    pair = ours.tokens()
    refusal = {"article": "403 token_invalid", "rfc": "401 invalid_token"}[ours.name]
    assert ours.home(pair.access).json() == {"message": "Welcome mallory"}
    for token in [
        forge_none(pair.access, "admin"),
        forge_signed(pair.access, "admin", "secret"),
        pair.refresh,
    ]:
        assert verdict(ours.home(token)) == refusal
    assert find_secret(pair.access, weak_secrets()) is None
    assert ours.refresh(pair.access).status_code in (400, 403)


def test_neither_policy_takes_an_operator_for_a_name(ours: Target) -> None:
    password = weak_secrets()[ADMIN_WORD]
    assert ours.log_in("admin", password).status_code == 201
    for username in ({"$gt": ""}, {"$ne": None}, {"$in": ["admin"]}, ["admin"], None):
        assert ours.log_in(username, password).status_code == 400


def test_the_articles_login_tells_names_and_that_of_the_rfcs_does_not(lab: AttackLab) -> None:
    def seen(target: Target, username: str) -> tuple[str, list[int]]:
        with password_checks() as costs:
            answer = target.log_in(username, "wrong")
        return verdict(answer), costs

    article, rfc = lab["article"], lab["rfc"]
    assert seen(article, "admin") == ("400 password_wrong", [4])
    assert seen(article, "nobody") == ("401 user_unknown", [])
    assert seen(rfc, "admin") == seen(rfc, "nobody") == ("401 invalid_credentials", [4])


def test_the_article_lets_a_stranger_guess_and_the_rfcs_policy_slows_them(
    lab: AttackLab, clock: DemoClock
) -> None:
    def attack(target: Target, patience: float) -> str:
        clock.advance(2 * 86_400)
        return str(
            guess(
                lambda word: target.log_in("admin", word),
                weak_secrets(),
                wait=clock.advance,
                patience=patience,
            )
        )

    found = ADMIN_WORD + 1
    assert attack(lab["article"], 0) == f"{found} passwords tried, 0 s waited: found"
    assert attack(lab["rfc"], 0) == "5 passwords tried, 0 s waited: not found"
    assert attack(lab["rfc"], 3600) == "24 passwords tried, 3511 s waited: not found"
    waited = 511 + (found - 14) * 300
    assert attack(lab["rfc"], 86_400) == f"{found} passwords tried, {waited} s waited: found"


def test_a_lost_token_ends_by_time_and_with_the_rfcs_by_logout(
    lab: AttackLab, clock: DemoClock
) -> None:
    after_logout = {}
    for target in lab:
        pair = target.tokens("ada", ADA)
        target.log_out(pair.access)
        after_logout[target.name] = target.home(pair.access).status_code
        clock.advance(60)
        assert target.home(pair.access).status_code in (401, 403)
    assert after_logout == {"weak": 200, "article": 200, "rfc": 401}


# The tools


def test_the_word_list_is_some_hundred_words_without_repetition() -> None:
    words = weak_secrets()
    assert 300 <= len(words) <= 600
    assert len(set(words)) == len(words)
    assert all(word == word.strip() and word for word in words)
    long_enough = [word for word in words if len(word) >= 32]
    assert "a-string-secret-at-least-256-bits-long" in long_enough
    ServerConfig(access_token_secret=long_enough[0])  # length is all that a server can check


@pytest.mark.parametrize("subject", ["sub", "username"])
def test_a_forgery_names_another_user_and_keeps_the_rest(subject: str) -> None:
    token = jwt.encode({subject: "mallory", "exp": 5, "jti": "x"}, "k" * 32)
    none = forge_none(token, "admin")
    assert read_claims(none) == {subject: "admin", "exp": 5, "jti": "x"}
    assert none.endswith(".")
    signed = forge_signed(token, "admin", "k" * 32)
    claims = jwt.decode(signed, "k" * 32, algorithms=["HS256"], options={"verify_exp": False})
    assert claims == read_claims(none)


def test_the_secret_of_another_librarys_token_is_found() -> None:
    word = "a-string-secret-at-least-256-bits-long"
    assert find_secret(jwt.encode({"a": 1}, word), weak_secrets()) == word
    assert find_secret(jwt.encode({"a": 1}, "k" * 32), weak_secrets()) is None


def test_active_markup_is_what_a_browser_would_run() -> None:
    assert active_markup("<b>hi</b><p class=one>") == []
    assert active_markup("&lt;img onerror=x&gt;") == []
    assert active_markup("<IMG SRC=x ONERROR=y><svg/onload=z><script>") == [
        "img onerror",
        "svg onload",
        "script",
    ]


def test_a_made_notebook_is_valid_and_shows_a_repr() -> None:
    notebook = nbformat.reads(json.dumps(notebook_with(shown({"a": 1}))), 4)
    nbformat.validate(notebook)
    assert notebook.cells[0].outputs[0].data == {"text/plain": "{'a': 1}"}


def test_bcrypt_is_itself_again_after_the_count() -> None:
    before = bcrypt.checkpw, bcrypt.hashpw
    with password_checks() as costs:
        hashed = bcrypt.hashpw(b"x", bcrypt.gensalt(5))
        assert bcrypt.checkpw(b"x", hashed)
    assert costs == [5, 5]
    assert (bcrypt.checkpw, bcrypt.hashpw) == before


# The judges


def outcome(number: int, answer: object) -> tuple[Exercise, str]:
    """The exercise with an answer, and what its check says."""
    name = ["forged", "verify", "check_login", "find_tokens"][number - 1]
    exercise = exercises({name: answer})[number - 1]
    with redirect_stdout(StringIO()) as said:
        exercise.check()
    return exercise, said.getvalue()


def assert_right(number: int, answer: object) -> None:
    exercise, words = outcome(number, answer)
    exercise.assert_check_passed()
    assert grep_tokens(words) == []


def assert_wrong(number: int, answer: object, *words: str) -> None:
    exercise, said = outcome(number, answer)
    exercise.assert_check_failed()
    assert grep_tokens(said) == []
    for word in words:
        assert word in said


def from_solution(exercise: str, name: str) -> Any:
    names: dict[str, Any] = {}
    exec(right_answers("jwt_course.lesson_08")[exercise], names)
    return names[name]


def test_nothing_is_answered_yet() -> None:
    for exercise in exercises({}):
        exercise.assert_check_unattempted()


@pytest.fixture(scope="module")
def harbours_secret() -> str:
    """A word of the list and two digits, as the exercise's hints say."""
    words = (f"{word}{number:02}" for word in weak_secrets() for number in range(100))
    secret = find_secret(captured_token(), words)
    assert secret is not None
    return secret


def by_hand_for_longer(stolen: str, secret: str) -> str:
    claims = {"username": "admin", "exp": read_claims(stolen)["exp"] + 9999}
    return sign('{"alg": "HS256"}', json.dumps(claims), secret)


def with_pyjwt(stolen: str, secret: str) -> str:
    with pytest.warns(InsecureKeyLengthWarning):
        return jwt.encode({**read_claims(stolen), "username": "admin"}, secret, "HS256")


@pytest.mark.parametrize(
    "forge",
    [
        lambda stolen, secret: forge_signed(stolen, "admin", secret),
        by_hand_for_longer,
        with_pyjwt,
    ],
    ids=["the lesson's tool", "by hand", "PyJWT"],
)
def test_q1_takes_any_token_that_the_server_takes_for_admins(
    forge: Callable[[str, str], str], harbours_secret: str
) -> None:
    assert_right(1, forge(captured_token(), harbours_secret))


def of_another_server() -> str:
    """A genuine token of admin, of a server with another secret."""
    return WeakServer(clock=DemoClock(start=START, rate=0)).issue("access", "admin")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (of_another_server, "its signature is not that"),
        (lambda: AnyText("x"), "does not have the form of a token"),
    ],
    ids=["another server's", "claims to be any token"],
)
def test_q1_sees_a_trick(make: Callable[[], str], words: str) -> None:
    assert_wrong(1, make(), words)


@pytest.mark.parametrize(
    ("forged", "words"),
    [
        (captured_token(), "welcomes mallory, and not admin"),
        (forge_none(captured_token(), "admin"), "its algorithm is not HS256"),
        (forge_signed(captured_token(), "admin", "dragon"), "its signature is not that"),
        ("admin", "does not have the form of a token"),
        ("", "carried no token"),
        ("\n", "no header can hold"),
        (42, "`forged` is an int. It should be a token"),
    ],
    ids=range(7),
)
def test_q1_says_what_the_server_makes_of_a_wrong_answer(forged: object, words: str) -> None:
    assert_wrong(1, forged, words)


def by_pyjwt(token: str, secret: str, now: float) -> Any:
    """Raises PyJWT's own errors, and does not mind a missing typ."""
    options: Any = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(token, secret, algorithms=["HS256"], options=options)
    if now >= claims["exp"]:
        raise jwt.ExpiredSignatureError
    if claims["typ"] == "refresh":
        raise jwt.InvalidTokenError
    return claims


def by_hand(token: str, secret: str, now: float) -> Any:
    head, _, signature = token.rpartition(".")
    digest = hmac.new(secret.encode(), head.encode(), hashlib.sha256).digest()
    assert hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), signature), (
        "signature"
    )
    claims = read_claims(token)
    assert claims["typ"] == "access"
    assert claims["iat"] <= now < claims["exp"]
    return claims


@pytest.mark.parametrize("verify", [by_pyjwt, by_hand, from_solution("q2", "verify")])
def test_q2_takes_any_way_to_check_a_token(verify: object) -> None:
    assert_right(2, verify)


UNTIMED: Any = {"verify_exp": False, "verify_iat": False}


def no_signature(token: str, secret: str, now: float) -> Any:
    return jwt.decode(token, options={"verify_signature": False})


def as_the_token_says(token: str, secret: str, now: float) -> Any:
    if jwt.get_unverified_header(token)["alg"] == "none":
        return no_signature(token, secret, now)
    return by_pyjwt(token, secret, now)


def no_type(token: str, secret: str, now: float) -> Any:
    claims = jwt.decode(token, secret, algorithms=["HS256"], options=UNTIMED)
    if claims["exp"] <= now:
        raise ValueError
    return claims


def one_second_late(token: str, secret: str, now: float) -> Any:
    return by_pyjwt(token, secret, now - 1)


def wall_clock(token: str, secret: str, now: float) -> Any:
    return jwt.decode(token, secret, algorithms=["HS256"])


def wall_clock_for_exp(token: str, secret: str, now: float) -> Any:
    claims = jwt.decode(token, secret, algorithms=["HS256"], options={"verify_iat": False})
    assert claims["typ"] == "access"
    return claims


def as_the_header_says(token: str, secret: str, now: float) -> Any:
    algorithm = jwt.get_unverified_header(token)["alg"]
    claims = jwt.decode(token, secret, algorithms=[algorithm], options=UNTIMED)
    if claims["typ"] != "access" or claims["exp"] <= now:
        raise ValueError("not valid")
    return claims


def all_of_the_family(token: str, secret: str, now: float) -> Any:
    algorithms = ["HS256", "HS384", "HS512"]
    claims = jwt.decode(token, secret, algorithms=algorithms, options=UNTIMED)
    if claims["typ"] != "access" or claims["exp"] <= now:
        raise ValueError("not valid")
    return claims


def gives_nothing(token: str, secret: str, now: float) -> Any:
    by_pyjwt(token, secret, now)


@pytest.mark.parametrize(
    ("verify", "words"),
    [
        (no_signature, ["a token with alg none;", "a token signed with another secret"]),
        (as_the_token_says, ["but so do these: a token with alg none;"]),
        (no_type, ["but so do these: a refresh token."]),
        (one_second_late, ["but so do these: a token in the second of its exp."]),
        (
            wall_clock,
            ["a valid access token of ada does not pass", "Which clock do you compare exp with?"],
        ),
        (wall_clock_for_exp, ["a token that has expired; a token in the second of its exp."]),
        (gives_nothing, ["a valid access token of ada does not pass", "TypeError"]),
        ("yes", ["`verify` is a str. It should be a function: `def verify(token, secret, now):`."]),
        (
            lambda token, secret: {},
            ["`verify` takes (token, secret), but it is called with (token"],
        ),
        (
            as_the_header_says,
            ["but so do these: a token signed with HS384; a token signed with HS5"],
        ),
        (
            all_of_the_family,
            ["but so do these: a token signed with HS384; a token signed with HS51"],
        ),
        (
            cell("def verify(token, secret, now):\n    return decode(token, secret)")["verify"],
            ["Your code raised NameError: name 'decode' is not defined, at line 2 of your cell: "],
        ),
    ],
)
def test_q2_says_what_got_through(verify: object, words: list[str]) -> None:
    assert_wrong(2, verify, *words)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            """
            def verify(token, secret, now):
                return {"username": "ada"}
            """,
            "valid access token of mallory",
        ),
        (
            """
            import jwt

            calls = []

            def verify(token, secret, now):
                calls.append(token)
                options = {"verify_signature": False}
                return jwt.decode(token, options=options) if len(calls) <= 2 else None
            """,
            "a valid access token of grace does not pass",
        ),
        (
            """
            from jwt_course.lesson_08.weak_server import WeakServer

            def verify(token, secret, now):
                return WeakServer(clock=lambda: now).verify(token, secret, now)
            """,
            "`verify` uses WeakServer of jwt_course.lesson_08.weak_server, which does the work",
        ),
    ],
    ids=["always ada", "the first two", "our server"],
)
def test_q2_sees_a_trick(source: str, words: str) -> None:
    assert_wrong(2, cell(source)["verify"], words)


NOBODY = bcrypt.hashpw(b"nobody's", bcrypt.gensalt(4))


IMPORTED_BY_NAME = """
    from bcrypt import checkpw, gensalt, hashpw

    NOBODY = hashpw(b"nobody", gensalt(4))

    def check_login(users, body):
        name, password = body["username"], body["password"]
        if not (isinstance(name, str) and isinstance(password, str)):
            return None
        user = users.find_one({"username": name})
        stored = user["password"].encode() if user else NOBODY
        if not checkpw(password.encode(), stored) or user is None:
            return None
        return name
"""

HASHED = """
    import bcrypt, hmac

    NOBODY = bcrypt.hashpw(b"nobody", bcrypt.gensalt(4))

    def check_login(users, body):
        match body:
            case {"username": str(name), "password": str(password)}:
                user = users.find_one({"username": name})
                stored = user["password"].encode() if user else NOBODY
                hashed = bcrypt.hashpw(password.encode(), stored)
                return name if hmac.compare_digest(hashed, stored) and user else None
"""


def as_an_exception(users: Any, body: Any) -> str:
    """Refuses by raising, and asks the database for the equal name only."""
    user = users.find_one({"username": {"$eq": str(body["username"])}})
    try:
        right = bcrypt.checkpw(body["password"].encode(), (user or FALLBACK)["password"].encode())
    except AttributeError:
        right = False
    if not (user and right):
        raise PermissionError("wrong username or password")
    return str(user["username"])


FALLBACK = {"password": NOBODY.decode()}


@pytest.mark.parametrize(
    "check_login",
    [
        as_an_exception,
        from_solution("q3", "check_login"),
        cell(IMPORTED_BY_NAME)["check_login"],
        cell(HASHED)["check_login"],
    ],
)
def test_q3_takes_any_way_to_check_a_login(check_login: object) -> None:
    assert_right(3, check_login)


def login(
    *, unknown: Callable[[str], object], text_only: bool = True, check: bool = True
) -> Callable[[Any, Any], object]:
    """A login with faults to choose."""

    def check_login(users: Any, body: Any) -> object:
        if text_only and not isinstance(body["username"], str):
            return None
        user = users.find_one({"username": body["username"]})
        if user is None:
            return unknown(str(body["password"]))
        if check and not bcrypt.checkpw(body["password"].encode(), user["password"].encode()):
            return None
        return user["username"]

    return check_login


def believes_the_dummy(users: Any, body: Any) -> object:
    """An unknown name gets in with the password that the second hash was made of."""
    if not isinstance(body["username"], str) or not isinstance(body["password"], str):
        return None
    user = users.find_one({"username": body["username"]})
    stored = user["password"].encode() if user else NOBODY
    return body["username"] if bcrypt.checkpw(body["password"].encode(), stored) else None


def raise_unknown(password: str) -> None:
    raise ValueError("user unknown")


def cheap(password: str) -> None:
    bcrypt.checkpw(password.encode(), NOBODY)


def expensive(password: str) -> None:
    bcrypt.hashpw(password.encode(), bcrypt.gensalt(5))


@pytest.mark.parametrize(
    ("check_login", "words"),
    [
        (login(unknown=cheap, text_only=False), ['but so do these: the username {"$ne": null};']),
        (login(unknown=cheap, check=False), ["but so do these: a wrong password;"]),
        (
            login(unknown=raise_unknown),
            ["it returned None, for an unknown name it raised ValueError"],
        ),
        (login(unknown=lambda _: None), ["the time reveals", "16 rounds, an unknown name 0."]),
        (login(unknown=expensive), ["the time reveals", "16 rounds, an unknown name 32."]),
        (
            lambda users, body: None,
            ["right password should return 'admin', but it returned None"],
        ),
        (lambda users, body: True, ["it returned True"]),
        (believes_the_dummy, ["an unknown name gets in, if its password is the one of the hash"]),
        (lambda body: None, ["`check_login` takes (body), but it is called with (users, body)."]),
        (
            cell("def check_login(users, body):\n    raise KeyError(body['password'])")[
                "check_login"
            ],
            ["but it raised KeyError: '***', at line 2 of your cell: `raise KeyError(body['passwo"],
        ),
        (None, ["`check_login` is None. It should be a function"]),
    ],
)
def test_q3_says_what_got_in(check_login: object, words: list[str]) -> None:
    assert_wrong(3, check_login, *words)


@pytest.mark.parametrize(
    ("check_login", "words"),
    [
        (lambda users, body: AnyText("x"), "should return 'admin', but it returned 'x'"),
        (
            cell(
                "from jwt_course.lesson_08 import judges\n"
                "def check_login(users, body):\n"
                "    return judges.captured_token()"
            )["check_login"],
            "`check_login` uses jwt_course.lesson_08.judges, which does the work of this exerci",
        ),
    ],
)
def test_q3_sees_a_trick(check_login: object, words: str) -> None:
    assert_wrong(3, check_login, words)


def test_q3_wants_bcrypt_where_it_can_be_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    original = bcrypt.checkpw

    def check_login(users: Any, body: Any) -> object:
        if not isinstance(body["username"], str):
            return None
        user = users.find_one({"username": body["username"]})
        stored = user["password"].encode() if user else NOBODY
        right = original(body["password"].encode(), stored)
        return body["username"] if user and right else None

    assert_wrong(3, check_login, "bcrypt.checkpw was not called")


def by_walking(notebook: Any) -> list[str]:
    """Walks through all that an output holds; lists a token as often as it finds it."""

    def texts(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            for inner in value.values():
                yield from texts(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from texts(inner)

    outputs = [cell.get("outputs", []) for cell in notebook["cells"]]
    return [token for text in texts(outputs) for token in grep_tokens(text)] * 2


def by_joining(notebook: Any) -> Iterator[str]:
    """Yields what it finds in the text of each output."""
    for part in notebook["cells"]:
        if part["cell_type"] == "code":
            yield from grep_tokens(json.dumps(part["outputs"]))


@pytest.mark.parametrize(
    "find_tokens", [by_walking, by_joining, from_solution("q4", "find_tokens")]
)
def test_q4_takes_any_way_to_search(find_tokens: object) -> None:
    assert_right(4, find_tokens)


def outputs_matching(pattern: str) -> Callable[[Any], list[str]]:
    def find_tokens(notebook: Any) -> list[str]:
        return re.findall(pattern, json.dumps(notebook["cells"]))

    return find_tokens


def printed_only(notebook: Any) -> list[str]:
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    return grep_tokens("".join("".join(output.get("text", "")) for output in outputs))


@pytest.mark.parametrize(
    ("find_tokens", "words"),
    [
        (printed_only, ["4 of 6 not found", "in a traceback"]),
        (outputs_matching(r"eyJ[\w-]+\.[\w-]+\.[\w-]+"), ["with an empty signature"]),
        (outputs_matching(r"eyJ[\w-]*(?:\.[\w-]+\.[\w-]*)?"), ["not one: words about tokens;"]),
        (
            outputs_matching(r"[\w-]+\.[\w-]+\.[\w-]*"),
            ["not one: a version number; a file's name"],
        ),
        (outputs_matching(r'"[^"]*eyJ[\w-]+\.[\w-]+\.[\w-]*'), ["not found"]),
        (lambda notebook: [], ["6 of 6 not found"]),
        (lambda notebook: None, ["find_tokens returned None. It should"]),
        (lambda notebook: "eyJ", ["find_tokens returned a value of type str. It should return"]),
        (
            outputs_matching(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*"),
            ["not one: the one in the source of a"],
        ),
        ([], ["`find_tokens` is a list. It should be a function: `def find_tokens(notebook):`."]),
    ],
)
def test_q4_says_what_is_missing_or_too_much(find_tokens: object, words: list[str]) -> None:
    assert_wrong(4, find_tokens, *words)


@pytest.mark.parametrize(
    ("find_tokens", "words"),
    [
        (lambda notebook: [AnyText("x")] * 6, "6 of 6 not found"),
        (
            cell(
                "from jwt_course.lesson_08 import judges\n"
                "def find_tokens(notebook):\n"
                "    return [judges.captured_token()]"
            )["find_tokens"],
            "`find_tokens` uses jwt_course.lesson_08.judges, which does the work of this exercise",
        ),
    ],
)
def test_q4_sees_a_trick(find_tokens: object, words: str) -> None:
    assert_wrong(4, find_tokens, words)

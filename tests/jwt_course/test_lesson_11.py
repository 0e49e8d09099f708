"""Lesson 11: keys, their rotation, attacks on verifiers, and the judges of its exercises."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt_course.lesson_11 import (
    CarefulVerifier,
    Issuer,
    JwksCache,
    JwksService,
    KeyLab,
    OrdersService,
    Schedule,
    SigningKey,
    attacks_picture,
    exercises,
    fetch_jwks,
    forge,
    forge_hmac,
    rotation_picture,
    try_rotation,
    verdict,
)
from jwt_course.lesson_11.verifiers import BadToken
from jwt_course.solutions import right_answers

from demo_server import DemoClock

from .learner import cell

# Keys and the services


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_a_key_publishes_what_verifies_and_nothing_that_signs(
    algorithm: str, clock: DemoClock
) -> None:
    key = SigningKey.generate("key-1", algorithm)
    jwk = key.jwk()
    assert {"kid": "key-1", "use": "sig", "alg": algorithm}.items() <= jwk.items()
    assert not {"d", "p", "q", "dp", "dq", "qi", "key_ops"} & set(jwk)
    token = Issuer(key, clock=clock).issue("ada")
    untimed: Any = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(token, jwt.PyJWK(jwk), audience="orders", options=untimed)
    assert claims["sub"] == "ada"
    assert repr(key) == f"SigningKey(kid='key-1', algorithm='{algorithm}')"


def test_an_issuer_signs_only_with_a_published_key(clock: DemoClock) -> None:
    issuer = Issuer(SigningKey.generate("old"), clock=clock)
    with pytest.raises(KeyError):
        issuer.sign_with("new")
    with pytest.raises(ValueError, match="still signs with old"):
        issuer.retire("old")
    issuer.publish(SigningKey.generate("new"))
    issuer.sign_with("new")
    issuer.retire("old")
    assert repr(issuer) == "<Issuer, publishes new, signs with new>"


def test_a_service_verifies_over_http_without_a_secret(clock: DemoClock) -> None:
    issuer = Issuer(SigningKey.generate("key-1"), clock=clock)
    published = JwksService(issuer).start()
    cache = JwksCache(lambda: fetch_jwks(published.jwks_url), clock)
    orders = OrdersService(CarefulVerifier(cache, clock).verify).start()
    try:
        token = issuer.issue("ada")
        assert verdict(orders.ask(token)) == "200 Orders of ada"
        clock.advance(60)
        refused = orders.ask(token)
        assert verdict(refused) == "401 invalid_token"
        assert refused.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
        assert verdict(orders.ask(issuer.issue("ada", "payments"))) == "401 invalid_token"
        assert [verdict(orders.ask(junk)) for junk in ("", "a.b.c", "W10.W10.")] == [
            "401 invalid_token"
        ] * 3
        assert cache.fetches == 1
    finally:
        orders.stop()
        published.stop()
    assert not orders.running
    with pytest.raises(requests.ConnectionError):
        orders.ask("a.b.c")


# What a verifier remembers


class Jwks:
    """An issuer's set, which can fail."""

    def __init__(self, *kids: str) -> None:
        self.kids = kids
        self.down = False

    def __call__(self) -> dict[str, Any]:
        if self.down:
            raise OSError("no answer")
        return {"keys": [*({"kid": kid} for kid in self.kids), {"kty": "without a kid"}]}


def test_the_set_is_fetched_when_it_is_needed_and_when_it_is_old(clock: DemoClock) -> None:
    cache = JwksCache(Jwks("a"), clock, max_age=300)
    assert cache.fetches == 0
    for advance, fetches in ((0, 1), (150, 1), (149, 1), (1, 2), (299, 2), (1, 3)):
        clock.advance(advance)
        assert cache.key("a") == {"kid": "a"}
        assert cache.fetches == fetches


@pytest.mark.parametrize(("cooldown", "fetches"), [(None, 1), (30, 2), (0, 101)])
def test_an_unknown_kid_leads_to_as_many_fetches_as_allowed(
    cooldown: float | None, fetches: int, clock: DemoClock
) -> None:
    cache = JwksCache(Jwks("a"), clock, cooldown=cooldown)
    cache.key("a")
    clock.advance(30)
    assert {cache.key(f"nobody-{number}") is None for number in range(100)} == {True}
    assert cache.fetches == fetches


def test_a_new_key_is_found_and_any_kid_may_come(clock: DemoClock) -> None:
    jwks = Jwks("a")
    cache = JwksCache(jwks, clock)
    assert [cache.key(kid) for kid in (["a"], {}, None, 1)] == [None] * 4
    jwks.kids = ("a", "b")
    assert cache.key("b") is None
    clock.advance(30)
    assert cache.key("b") == {"kid": "b"}


def test_an_issuer_that_is_down_costs_no_known_key(clock: DemoClock) -> None:
    jwks = Jwks("a")
    cache = JwksCache(jwks, clock, cooldown=30)
    cache.key("a")
    jwks.down = True
    clock.advance(30)
    with pytest.raises(OSError, match="no answer"):
        cache.key("b")
    assert cache.key("a") == {"kid": "a"}
    assert cache.key("b") is None  # asked again only after the cooldown


# Rotation


@pytest.mark.parametrize(
    ("times", "unknown", "gone"),
    [
        ((0, 0, 0), (0, 280), (0, 40)),
        ((0, 0, 60), (0, 280), ()),
        ((0, 200, 360), (200, 280), ()),
        ((0, 300, 300), (), (300, 340)),
        ((0, 300, 360), (), ()),
    ],
)
def test_a_rotation_refuses_tokens_for_as_long_as_the_schedule_is_wrong(
    times: tuple[int, int, int], unknown: tuple[int, ...], gone: tuple[int, ...]
) -> None:
    trial = try_rotation(Schedule(*times))
    for seconds, span in ((trial.unknown, unknown), (trial.gone, gone)):
        assert (min(seconds), max(seconds)) == span if span else not seconds
    assert (trial.refused == 0) == (not unknown and not gone)
    assert trial.asked > 8000


def test_the_pictures_say_in_words_what_they_show() -> None:
    trials = [try_rotation(Schedule(0, 0, 0)), try_rotation(Schedule(0, 300, 360))]
    assert repr(rotation_picture(trials)).splitlines() == ["Key rotation", *map(str, trials)]
    picture = attacks_picture(
        {"jwk": {"weak": True, "rfc": False}, "jku": {"weak": False, "rfc": False}}
    )
    assert repr(picture) == "The attacks that work\njwk: weak\njku: nowhere"


# The attacks


@pytest.fixture(scope="module")
def lab() -> Iterator[KeyLab]:
    lab = KeyLab(DemoClock(start=1_800_000_000, rate=0))
    yield lab
    lab.stop()


MINE = SigningKey.generate("mallory-1")
INJECTED = f"x' UNION SELECT '{json.dumps(MINE.jwk())}' --"

#: The weakness that each attack needs.
ATTACKS: dict[str, Callable[[str, KeyLab, str], str]] = {
    "trusts_jwk": lambda token, lab, site: forge(token, "admin", MINE, jwk=MINE.jwk()),
    "follows_jku": lambda token, lab, site: forge(token, "admin", MINE, jku=site),
    "kid_is_path": lambda token, lab, site: forge_hmac(
        token, "admin", lab.style, kid="../static/style.css"
    ),
    "kid_in_query": lambda token, lab, site: forge(token, "admin", MINE, kid=INJECTED),
    "alg_from_token": lambda token, lab, site: forge_hmac(
        token, "admin", lab.key.pem(), kid="key-1"
    ),
}


@pytest.mark.parametrize("weakness", ATTACKS)
def test_an_attack_works_with_its_weakness_only_and_never_on_ours(
    weakness: str, lab: KeyLab, clock: DemoClock
) -> None:
    site = JwksService(Issuer(MINE, clock=clock), "mallory's site").start()
    try:
        tokens = {
            target.name: ATTACKS[weakness](target.token("mallory"), lab, site.jwks_url)
            for target in lab
        }
        works = []
        for switch in ATTACKS:
            lab.weaken(switch)
            if verdict(lab["weak"].ask(tokens["weak"])) == "200 Orders of admin":
                works.append(switch)
        assert works == [weakness]
        lab.weaken()
        assert {
            name: verdict(lab[name].ask(token)) for name, token in tokens.items()
        } == dict.fromkeys(("weak", "careful", "rfc"), "401 invalid_token")
    finally:
        site.stop()


@pytest.mark.parametrize("weakness", ["", *ATTACKS])
def test_a_weak_verifier_takes_valid_tokens(weakness: str, lab: KeyLab) -> None:
    lab.weaken(*filter(None, [weakness]))
    assert [verdict(target.ask(target.token("mallory"))) for target in lab] == [
        "200 Orders of mallory",
        "200 Orders of mallory",
        "200 Welcome mallory",
    ]


def test_a_refusal_contains_nothing_of_the_token(clock: DemoClock) -> None:
    issuer = Issuer(SigningKey.generate("key-1"), clock=clock)
    verifier = CarefulVerifier(JwksCache(issuer.jwks, clock), clock)
    token = issuer.issue("ada")
    for bad in (token[:-8], forge(token, "admin", MINE, kid="key-1"), "a.b.c"):
        with pytest.raises(BadToken) as raised:
            verifier.verify(bad)
        assert not [part for part in bad.split(".") if len(part) > 3 and part in str(raised.value)]


# The judges

NAMES = ("public_jwks", "schedule", "choose_key", "verify")


def said(number: int, source: str) -> str:
    """What the check of an exercise prints about a cell."""
    namespace = cell(
        source, {"__name__": "__main__", "jwt": jwt, "json": json, "Schedule": Schedule}
    )
    name = NAMES[number - 1]
    with redirect_stdout(StringIO()) as out:
        exercises({name: namespace[name]})[number - 1].check()
    return out.getvalue()


SOLUTIONS = right_answers("jwt_course.lesson_11")


def test_without_answers_nothing_is_judged() -> None:
    for exercise in exercises(dict.fromkeys(NAMES, ...)):
        exercise.assert_check_unattempted()


RIGHT = {
    "q1 solution": (1, SOLUTIONS["q1"]),
    "q1 by removing": (
        1,
        """
        def public_jwks(keys):
            found = []
            for kid, algorithm, key in keys:
                jwk = jwt.get_algorithm_by_name(algorithm).to_jwk(key, as_dict=True)
                found.append({n: v for n, v in jwk.items() if n in ("kty", "crv", "x", "y")})
                found[-1].update(kid=kid, alg=algorithm)
            return {"keys": found}
        """,
    ),
    "q1 by JSON, in another order": (
        1,
        """
        from jwt.algorithms import ECAlgorithm, OKPAlgorithm

        def public_jwks(keys):
            kinds = {"ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}
            jwks = []
            for kid, algorithm, key in reversed(keys):
                jwk = json.loads(kinds[algorithm].to_jwk(key.public_key()))
                jwks.append(dict(jwk, kid=kid, alg=algorithm, use="sig"))
            return {"keys": tuple(jwks)}
        """,
    ),
    "q2 solution": (2, SOLUTIONS["q2"]),
    "q2 with a minute to spare": (
        2,
        """
        def schedule(now, lifetime, max_age):
            return Schedule(now, now + max_age + 30, now + max_age + 30 + lifetime + 30)
        """,
    ),
    "q2 in floats": (
        2,
        """
        schedule = lambda now, lifetime, max_age: Schedule(
            publish=float(now), sign=float(now + max_age), retire=float(now + max_age + lifetime))
        """,
    ),
    "q3 solution": (3, SOLUTIONS["q3"]),
    "q3 with next": (
        3,
        """
        def choose_key(header, jwks):
            wanted = header.get("kid"), header.get("alg"), "sig"
            return next((jwk for jwk in jwks["keys"]
                         if (jwk["kid"], jwk["alg"], jwk["use"]) == wanted), None)
        """,
    ),
    "q3 refuses what it does not need": (
        3,
        """
        def choose_key(header, jwks):
            if {"jwk", "jku", "x5u", "x5c"} & set(header) or not isinstance(header.get("kid"), str):
                return None
            keys = {jwk["kid"]: jwk for jwk in jwks["keys"] if jwk["use"] == "sig"}
            jwk = keys.get(header["kid"])
            return jwk if jwk and jwk["alg"] == header.get("alg") else None
        """,
    ),
    "q4 solution": (4, SOLUTIONS["q4"]),
    "q4 with a fixed list": (
        4,
        """
        def verify(token, jwks, now):
            keys = jwt.PyJWKSet.from_dict(jwks)
            try:
                key = keys[jwt.get_unverified_header(token)["kid"]]
                claims = jwt.decode(token, key, algorithms=["ES256", "EdDSA"],
                                    options={"verify_aud": False, "verify_exp": False,
                                             "verify_iat": False})
                if claims["aud"] == "orders" and claims["exp"] > now:
                    return claims
            except (jwt.PyJWTError, KeyError):
                pass
            return None
        """,
    ),
    "q4 with cryptography's keys": (
        4,
        """
        def verify(token, jwks, now):
            try:
                header = jwt.get_unverified_header(token)
                [jwk] = [k for k in jwks["keys"] if k["kid"] == header.get("kid")]
                algorithm = jwt.get_algorithm_by_name(jwk["alg"])
                claims = jwt.decode(token, algorithm.from_jwk(jwk), [jwk["alg"]],
                                    audience="orders",
                                    options={"require": ["exp"], "verify_exp": False,
                                             "verify_iat": False})
            except (jwt.PyJWTError, ValueError):
                return None
            return claims if claims["exp"] > now else None
        """,
    ),
}


@pytest.mark.parametrize("which", RIGHT)
def test_each_right_way_passes(which: str) -> None:
    number, source = RIGHT[which]
    assert said(number, source).startswith(f"q{number} is right. "), said(number, source)


def jwks_with(members: str, private: str = "key.public_key()") -> str:
    return f"""
        def public_jwks(keys):
            return {{"keys": [
                {{**jwt.get_algorithm_by_name(algorithm).to_jwk({private}, as_dict=True),
                  {members}}}
                for kid, algorithm, key in keys]}}
    """


def plan(publish: str, sign: str, retire: str) -> str:
    return f"""
        def schedule(now, lifetime, max_age):
            return Schedule(publish={publish}, sign={sign}, retire={retire})
    """


def chooses(condition: str, before: str = "pass") -> str:
    return f"""
        def choose_key(header, jwks):
            {before}
            for jwk in jwks["keys"]:
                if {condition}:
                    return jwk
    """


def verifies(decode: str, after: str = "claims['exp'] > now") -> str:
    return f"""
        UNTIMED = {{"require": ["exp", "aud"], "verify_exp": False, "verify_iat": False}}

        def verify(token, jwks, now):
            try:
                header = jwt.get_unverified_header(token)
                jwk = next((k for k in jwks["keys"] if k["kid"] == header.get("kid")), None)
                if jwk is None:
                    return None
                claims = {decode}
            except jwt.PyJWTError:
                return None
            return claims if {after} else None
    """


BY_KEY = 'jwt.decode(token, jwt.PyJWK(jwk), [jwk["alg"]], audience="orders", options=UNTIMED)'

WRONG = {
    "the private key": (1, jwks_with('"kid": kid, "alg": algorithm', "key"), "the member `d`"),
    "no kid": (1, jwks_with('"alg": algorithm'), "0 keys in the set have the kid 'key-1'"),
    "one kid": (1, jwks_with('"kid": "key-1", "alg": algorithm'), "3 keys in the set have the kid"),
    "no alg": (1, jwks_with('"kid": kid'), "does not have `alg` 'ES256'"),
    "one alg": (1, jwks_with('"kid": kid, "alg": "ES256"'), "'key-2' does not have `alg` 'EdDSA'"),
    "use enc": (1, jwks_with('"kid": kid, "alg": algorithm, "use": "enc"'), "another `use`"),
    "a list": (1, "public_jwks = lambda keys: []", "without a list in its member `keys`"),
    "text": (1, "public_jwks = lambda keys: json.dumps({'keys': []})", "Return the dict"),
    "keys as they are": (
        1,
        "public_jwks = lambda keys: {'keys': [key.public_key() for _, _, key in keys]}",
        "a key in the set is not a dict",
    ),
    "only the first": (1, SOLUTIONS["q1"].replace("in keys]", "in keys[:1]]"), "has 1 keys for"),
    "sign at once": (2, plan("now", "now", "now + lifetime"), "refuses the new key until then"),
    "retire at once": (
        2,
        plan("now", "now + max_age", "now + max_age"),
        "is valid until 360 s, and nobody could verify it",
    ),
    "the longer": (2, plan("now", "now + max_age", "now + max(lifetime, max_age)"), "valid until"),
    "swapped": (2, plan("now", "now + lifetime", "now + lifetime + max_age"), "until 300 s"),
    "from zero": (2, plan("0", "max_age", "max_age + lifetime"), "before now, which is 1000 s"),
    "too late": (
        2,
        plan("now", "now + max_age", "now + max_age + lifetime + 3600"),
        "is safe, but late: `retire` is 3960 s, and 360 s would do",
    ),
    "a tuple": (2, "schedule = lambda now, lifetime, max_age: (1, 2, 3)", "type tuple instead"),
    "no number": (2, plan("now", "'soon'", "now"), "`sign` of schedule(0, 60, 300) is the text"),
    "the token's key": (
        3,
        chooses("jwk['kid'] == header.get('kid') and jwk['alg'] == header.get('alg')",
                "if 'jwk' in header: return header['jwk']"),
        "for a header with its own `jwk` you returned a key that is not in the set",
    ),
    "no alg looked at": (3, chooses("jwk['kid'] == header.get('kid')"), "alg HS256 with the kid"),
    "no use looked at": (
        3,
        chooses("jwk['kid'] == header.get('kid') and jwk['alg'] == header.get('alg')"),
        "a key for encryption (`use` is enc) you returned the key 'key-4'",
    ),
    "the first with that alg": (
        3,
        chooses("jwk['alg'] == header.get('alg')"),
        "a token of key-3 you returned the key 'key-1'",
    ),
    "any case": (
        3,
        chooses("jwk['kid'] == str(header.get('kid')).lower() and jwk['alg'] == header.get('alg')"
                " and jwk['use'] == 'sig'"),
        "because a kid is case-sensitive",
    ),
    "a kid must be there": (
        3, chooses("jwk['kid'] == header['kid']"), "KeyError: 'kid', at line",
    ),
    "a dict's key": (
        3,
        """
        def choose_key(header, jwks):
            return {jwk["kid"]: jwk for jwk in jwks["keys"]}.get(header.get("kid"))
        """,
        "your code raised an error for a kid that is a list",
    ),
    "the algorithm of the header": (
        4,
        verifies("jwt.decode(token, jwt.PyJWK(jwk).key, [header['alg']], audience='orders', "
                 "options=UNTIMED)"),
        "your code raised an error for ",
    ),
    "no audience": (
        4,
        verifies("jwt.decode(token, jwt.PyJWK(jwk), [jwk['alg']], options={'verify_aud': False, "
                 "'require': ['exp', 'aud'], 'verify_exp': False, 'verify_iat': False})"),
        "you accepted a token for another service",
    ),
    "the wall clock": (
        4,
        verifies(BY_KEY.replace("options=UNTIMED", "options={'require': ['exp', 'aud']}")),
        "was refused: you returned None instead of its claims. Which clock",
    ),
    "one second late": (4, verifies(BY_KEY, "claims['exp'] >= now"), "in the second of its exp"),
    "no time": (4, verifies(BY_KEY, "True"), "you accepted a token "),
    "reads only": (
        4,
        """
        def verify(token, jwks, now):
            try:
                return jwt.decode(token, options={"verify_signature": False})
            except jwt.PyJWTError:
                return None
        """,
        "you accepted ",
    ),
    "the key in the header": (
        4,
        """
        def verify(token, jwks, now):
            options = {"require": ["exp", "aud"], "verify_exp": False, "verify_iat": False}
            try:
                header = jwt.get_unverified_header(token)
                keys = [k for k in jwks["keys"] if k["kid"] == header.get("kid")]
                jwk = header.get("jwk") or (keys[0] if keys else None)
                if jwk is None:
                    return None
                claims = jwt.decode(token, jwt.PyJWK(jwk), [jwk["alg"]], audience="orders",
                                    options=options)
            except jwt.PyJWTError:
                return None
            return claims if claims["exp"] > now else None
        """,
        "you accepted a key in the token's header (`jwk`). Return None.",
    ),
    "raises": (4, verifies(BY_KEY).replace("except jwt.PyJWTError", "except ZeroDivisionError"),
               "your code raised an error for "),
    "always": (4, "verify = lambda token, jwks, now: {}", "was refused: you returned a value of"),
    "never": (4, "verify = lambda token, jwks, now: None", "was refused: you returned None"),
}  # fmt: skip


@pytest.mark.parametrize("which", WRONG)
def test_each_wrong_way_is_told_what_is_wrong(which: str) -> None:
    number, source, words = WRONG[which]
    printed = said(number, source)
    assert printed.startswith(f"q{number} is not right yet: ")
    assert words in printed


CHEATS = {
    "q1 with our key": (
        1,
        """
        from jwt_course.lesson_11 import SigningKey

        def public_jwks(keys):
            return {"keys": [SigningKey(*key).jwk() for key in keys]}
        """,
        "`public_jwks` uses SigningKey of jwt_course.lesson_11.issuer",
    ),
    "q1 hides the private key": (
        1,
        """
        def public_jwks(keys):
            jwks = []
            for kid, algorithm, key in keys:
                jwk = jwt.get_algorithm_by_name(algorithm).to_jwk(key, as_dict=True)
                jwk["note"] = jwk.pop("d")
                jwks.append(dict(jwk, kid=kid, alg=algorithm))
            return {"keys": jwks}
        """,
        "the private key of 'key-1' is in the set, under another name",
    ),
    "q2 knows the first case": (2, plan("0", "300", "360"), "before now, which is 1000 s"),
    "q2 with the judge": (
        2,
        """
        def schedule(now, lifetime, max_age):
            from jwt_course.lesson_11.judges import _LATEST
            return Schedule(now, now + max_age, now + max_age + lifetime + _LATEST)
        """,
        "`schedule` uses jwt_course.lesson_11.judges",
    ),
    "q3 empties the set": (
        3,
        """
        def choose_key(header, jwks):
            found = [k for k in jwks["keys"] if k["kid"] == header.get("kid")]
            jwks["keys"].clear()
            return found[0] if found else None
        """,
        "instead of None",
    ),
    "q3 with our cache": (
        3,
        """
        from jwt_course.lesson_11 import JwksCache

        def choose_key(header, jwks):
            return JwksCache(lambda: jwks, lambda: 0).key(header.get("kid"))
        """,
        "`choose_key` uses JwksCache of jwt_course.lesson_11.jwks_cache",
    ),
    "q4 with our verifier": (
        4,
        """
        from jwt_course.lesson_11 import CarefulVerifier

        def verify(token, jwks, now):
            return CarefulVerifier(jwks, lambda: now).verify(token)
        """,
        "`verify` uses CarefulVerifier of jwt_course.lesson_11.verifiers",
    ),
    "q4 counts the calls": (
        4,
        """
        calls = []

        def verify(token, jwks, now):
            calls.append(token)
            if len(calls) <= 3:
                return jwt.decode(token, options={"verify_signature": False})
        """,
        "q4 is not right yet: ",  # which token is in the first places differs
    ),
}


@pytest.mark.parametrize("which", CHEATS)
def test_a_trick_is_seen(which: str) -> None:
    number, source, words = CHEATS[which]
    assert words in said(number, source)


def test_a_judge_shows_no_key(capsys: pytest.CaptureFixture[str]) -> None:
    shown: list[str] = []

    def public_jwks(keys: Any) -> Any:
        for _, _, key in keys:
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
            shown.extend(pem.splitlines()[1:-1])
        raise ValueError("".join(shown))

    exercises({"public_jwks": public_jwks})[0].check()
    printed = capsys.readouterr().out
    assert "ValueError" in printed
    assert shown
    assert not [part for part in shown if part in printed]

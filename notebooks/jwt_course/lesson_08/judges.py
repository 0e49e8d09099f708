"""The judges of lesson 08: each attacks the learner's answer, and raises `Wrong` on success."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import BuiltinFunctionType
from typing import Any
from unittest.mock import patch

import bcrypt
import mongomock

from client_widget import EventLog, describe
from client_widget.protocol.jwt_by_hand import sign, unsigned, with_payload
from demo_server import DemoClock

from ..exercise import Wrong
from ..judging.answers import a, article, check_function, plain
from ..judging.learners_code import masked, told
from .attacks import notebook_with, password_checks, shown
from .weak_server import WeakServer
from .weak_service import Verify, Weaknesses

#: When the exercises' tokens are issued, in seconds since the epoch: so far ahead that a check
#: by the wall clock stays wrong for decades.
_AHEAD = 4_000_000_000

#: A word of the list, and two digits.
_HARBOUR_WORD = "dragon42"

# q1


def _harbour() -> tuple[WeakServer, EventLog]:
    """A server whose only weakness is its secret, with the events of what comes to it."""
    clock = DemoClock(start=_AHEAD, rate=0)
    log = EventLog(clock=clock)
    weaknesses = Weaknesses(guessable_secret=True)
    return (
        WeakServer(weaknesses, clock=clock, emit=log.emitter("server"), word=_HARBOUR_WORD),
        log,
    )


def captured_token() -> str:
    """mallory's access token from the harbour's server, valid now."""
    return _harbour()[0].issue("access", "mallory")


def judge_forged(forged: object) -> str:
    """The harbour's server takes the token for admin's."""
    if not isinstance(forged, str):
        raise Wrong(f"`forged` is {article(forged)}. It should be a token, which is a str.")
    server, log = _harbour()
    event = _ask_home(server, log, forged)
    if event.name != "token.accepted":
        raise Wrong(f"the harbour's server says: {describe(event)}.")
    if event.fields["username"] != "admin":
        raise Wrong(f"the harbour's server welcomes {event.fields['username']}, and not admin.")
    return "The harbour's server welcomes admin, who never logged in."


def _ask_home(server: WeakServer, log: EventLog, token: str) -> Any:
    """The server's event about a token that is sent to `/home`."""
    try:
        header = {"Authorization": f"Bearer {token}"}
        server.app.test_client().get("/home", headers=header)
    except ValueError:
        raise Wrong("forged holds characters that no header can hold.") from None
    return list(log)[-1]


# q2


def judge_verify(verify: Verify) -> str:
    """Valid tokens pass and forged ones do not, in a server that calls `verify`."""
    check_function("verify", verify, "token, secret, now")
    raised: list[Exception] = []

    def watched(token: str, secret: str, now: float) -> Any:
        try:
            return verify(token, secret, now)
        except Exception as error:
            raised.append(error)
            raise

    clock = DemoClock(start=_AHEAD, rate=0)
    log = EventLog(clock=clock)
    emit = log.emitter("server")
    server = WeakServer(Weaknesses(one_secret=True), clock=clock, emit=emit, verify=watched)

    def check_valid(username: str) -> None:
        event = _ask_home(server, log, server.issue("access", username))
        if event.name != "token.accepted" or event.fields["username"] != username:
            why = told(raised[-1], server.secret("access")) if raised else ""
            raise Wrong(
                f"a valid access token of {username} does not pass. The server says: "
                f"{describe(event)}. {f'Your code raised {why}. ' if why else ''}"
                "Which clock do you compare exp with?"
            )

    check_valid("ada")
    check_valid("mallory")
    forgeries = _forgeries(server, _AHEAD)
    passed = [
        name
        for name, token in forgeries.items()
        if _ask_home(server, log, token).name == "token.accepted"
    ]
    if passed:
        raise Wrong(f"valid tokens pass, but so do these: {'; '.join(passed)}.")
    check_valid("grace")  # not only the first name
    return f"Valid tokens pass, and none of {len(forgeries)} others does."


def _forgeries(server: WeakServer, now: int) -> dict[str, str]:
    """What must not pass for an access token, by what it is."""
    good, secret = server.issue("access", "mallory"), server.secret("access")
    hs256 = '{"alg":"HS256","typ":"JWT"}'
    header, payload, signature = good.split(".")
    none = unsigned(with_payload(good, _claims("admin", now)))
    return {
        "a token with alg none": none,
        "a token with alg NONE": sign('{"alg":"NONE"}', _claims("admin", now), "")
        .rpartition(".")[0] + ".",
        "alg none with a signature that was left in place": none + signature,
        "a token with its signature cut off": f"{header}.{payload}.",
        "mallory's token with admin's name in it": with_payload(good, _claims("admin", now)),
        "a token signed with another secret": sign(hs256, _claims("admin", now), "x" * 32),
        "a token signed with the empty secret": sign(hs256, _claims("admin", now), ""),
        "a token signed with HS384": _signed("HS384", hashlib.sha384, now, secret),
        "a token signed with HS512": _signed("HS512", hashlib.sha512, now, secret),
        "a token without exp": sign(hs256, '{"username":"admin","typ":"access"}', secret),
        "a refresh token": server.issue("refresh", "mallory"),
        "a token that has expired": sign(hs256, _claims("mallory", now - 61), secret),
        "a token in the second of its exp": sign(hs256, _claims("mallory", now - 60), secret),
        "something that is no token": "admin",
    }  # fmt: skip


def _signed(algorithm: str, digest: Any, now: int, secret: str) -> str:
    """A token whose header and signature agree on another algorithm."""
    head = sign(json.dumps({"alg": algorithm}), _claims("admin", now), secret).rpartition(".")[0]
    mac = hmac.new(secret.encode(), head.encode(), digest).digest()
    return f"{head}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _claims(username: str, issued_at: int) -> str:
    times = {"iat": issued_at, "exp": issued_at + 60}
    return json.dumps({"username": username, "typ": "access", **times})


# q3

#: A login as the judge sees it: what came back, and the work that bcrypt did for it.
_Outcome = tuple[object, int]


def judge_check_login(check_login: Callable[[Any, dict[str, Any]], object]) -> str:
    """Right logins pass, no other does, and an unknown name looks like a wrong password."""
    check_function("check_login", check_login, "users, body")
    passwords = {name: f"the pass phrase of {name}, {secrets.token_hex(4)}" for name in _NAMES}
    users = _users(passwords)

    def attempt(username: object, password: object) -> _Outcome:
        with password_checks() as costs, _counted_in(check_login):
            try:
                result = check_login(users, {"username": username, "password": password})
            except Exception as error:
                return error, sum(1 << cost for cost in costs)
        return result, sum(1 << cost for cost in costs)

    for username, password in passwords.items():
        result, _ = attempt(username, password)
        if plain(result) != username:
            raise Wrong(
                f"{username} with the right password should return {username!r}, but "
                f"{_said(result, password)}."
            )
    bad = _bad_logins(passwords)
    passed = [name for name, given in bad.items() if _is_let_in(attempt(*given)[0])]
    if passed:
        raise Wrong(f"right logins pass, but so do these: {'; '.join(passed)}.")

    (known, work), (unknown, early) = attempt("ada", "wrong"), attempt("nobody", "wrong")
    if _look(known) != _look(unknown):
        raise Wrong(
            "the response reveals which names exist: for a wrong password "
            f"{_said(known, *passwords.values())}, for an unknown name "
            f"{_said(unknown, *passwords.values())}."
        )
    if not work:
        raise Wrong(
            "bcrypt.checkpw was not called: call it by that name, so that its work can be counted."
        )
    if early != work:
        raise Wrong(
            "the time reveals which names exist: a wrong password costs bcrypt "
            f"{work} rounds, an unknown name {early}."
        )
    with patch.object(bcrypt, "checkpw", return_value=True):
        result, _ = attempt("nobody", "whatever the hash was made of")
    if _is_let_in(result):
        raise Wrong(
            "an unknown name gets in, if its password is the one of the hash that you check it "
            "against. Which two things must be true before you return a name?"
        )
    return f"Right logins pass, none of {len(bad)} others does, and no name is revealed."


_NAMES = ("admin", "ada")


def _bad_logins(passwords: dict[str, str]) -> dict[str, tuple[object, object]]:
    return {
        'the username {"$ne": null}': ({"$ne": None}, passwords["admin"]),
        'the username {"$gt": ""}': ({"$gt": ""}, passwords["admin"]),
        'the username {"$regex": "^a"}': ({"$regex": "^a"}, passwords["admin"]),
        'the username {"$in": ["ada"]}': ({"$in": ["ada"]}, passwords["ada"]),
        "a wrong password": ("ada", passwords["admin"]),
        "an unknown name": ("nobody", passwords["ada"]),
        'the password {"$ne": null}': ("ada", {"$ne": None}),
        "no password": ("ada", None),
        "no username": (None, passwords["ada"]),
    }


def _users(passwords: dict[str, str]) -> Any:
    users: Any = mongomock.MongoClient()["q3"]["users"]
    for username, password in passwords.items():
        hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
        users.insert_one({"username": username, "password": hashed})
    return users


#: bcrypt's own functions, before anything counts them.
_BCRYPT = {bcrypt.checkpw: "checkpw", bcrypt.hashpw: "hashpw"}


@contextmanager
def _counted_in(function: Any) -> Iterator[None]:
    """Let a cell that imported bcrypt's functions by name use those of the module."""
    names = getattr(function, "__globals__", {})
    imported = {
        name: getattr(bcrypt, _BCRYPT[value])
        for name, value in names.items()
        if isinstance(value, BuiltinFunctionType) and value in _BCRYPT
    }
    with patch.dict(names, imported):
        yield


def _is_let_in(result: object) -> bool:
    """An exception, None and False refuse."""
    return bool(result) and not isinstance(result, Exception)


def _look(result: object) -> object:
    """What a caller can distinguish."""
    return (type(result), str(result)) if isinstance(result, Exception) else plain(result)


def _said(result: object, *passwords: str) -> str:
    if isinstance(result, Exception):
        return f"it raised {told(result, *passwords)}"
    return f"it returned {masked(repr(plain(result)), *passwords)}"


# q4


def judge_find_tokens(find_tokens: Callable[[Any], Iterable[str]]) -> str:
    """Each token of the outputs is found, and nothing else."""
    check_function("find_tokens", find_tokens, "notebook")
    notebook, where, decoys = _leaky_notebook()
    given = find_tokens(notebook)
    if given is None or isinstance(given, str) or not isinstance(given, Iterable):
        raise Wrong(f"find_tokens returned {a(given)}. It should return the tokens, as a set.")
    found = [plain(one) for one in given]
    missed = [place for place, token in where.items() if token not in found]
    if missed:
        raise Wrong(f"{len(missed)} of {len(where)} not found: {'; '.join(missed)}.")
    taken = [name for name, text in decoys.items() if any(one and one in text for one in found)]
    if taken:
        raise Wrong(f"each token was found, but this is not one: {'; '.join(taken)}.")
    if set(found) != set(where.values()):
        raise Wrong("each token was found, but something else too.")
    return f"All {len(where)} tokens were found, and nothing else."


def _leaky_notebook() -> tuple[dict[str, Any], dict[str, str], dict[str, str]]:
    """A notebook, its tokens by where they stand, and what only looks like one."""
    server = WeakServer(clock=DemoClock(start=_AHEAD, rate=0))
    where = {
        place: server.issue("access", f"user{number}")
        for number, place in enumerate(
            [
                "the one that was printed",
                "the one in a value that was shown (text/plain)",
                "the one in a table (text/html)",
                "the one in JSON (application/json)",
                "the one in a traceback",
            ]
        )
    }
    where["the one with an empty signature"] = unsigned(server.issue("access", "admin"))
    printed, value, table, inside, trace, bare = where.values()
    decoys = {
        "words about tokens": "eyJ is how each of them begins",
        "a version number": "1.26.4",
        "a file's name": "notes.old.txt",
    }
    hidden = {
        "the one in the source of a cell, which is no output": server.issue("access", "eve"),
        "the one in a text cell, which has no outputs": server.issue("access", "mallory"),
    }
    outputs = [
        _printed("".join(f"{line}\n" for line in decoys.values())),
        _printed(f"Authorization: Bearer {printed}\n"),
        shown({"accessToken": value}),
        _displayed("text/html", f"<td>{table}</td>"),
        _displayed("application/json", {"tokens": [{"first": inside}]}),
        {
            "output_type": "error",
            "ename": "KeyError",
            "evalue": "x",
            "traceback": [f"\x1b[31mKeyError\x1b[0m: '{trace}'"],
        },
        _printed(bare),
    ]
    notebook = notebook_with(*outputs)
    in_source, in_text = hidden.values()
    notebook["cells"][0]["source"] = f"token = '{in_source}'"
    text = {"id": "text", "cell_type": "markdown", "source": in_text, "metadata": {}}
    notebook["cells"].insert(1, text)
    return notebook, where, decoys | hidden


def _printed(text: str) -> dict[str, Any]:
    # Jupyter saves a text as a list of its lines.
    return {"output_type": "stream", "name": "stdout", "text": text.splitlines(keepends=True)}


def _displayed(kind: str, data: object) -> dict[str, Any]:
    return {"output_type": "display_data", "metadata": {}, "data": {kind: data}}

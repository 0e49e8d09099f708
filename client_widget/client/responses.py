"""What a response means to the caller: its JSON object, or why there is none."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import requests

from ..errors import Rejected, ServerUnreachable
from ..log.masking import mask_echoes, mask_text, secrets_in
from ..protocol.answers import json_of, redirected_to, retry_after, text_of

#: A class server's time in seconds since the epoch, on each of its responses.
TIME_HEADER = "X-Server-Time"

#: Characters of a refusal's error and message to keep.
MAX_TOLD = 200

_TIME = re.compile(r"\d{1,12}(\.\d{1,6})?", re.ASCII)


class JsonAnswer(dict[str, Any]):
    """The JSON object of a response. `repr` hides its tokens."""

    def __repr__(self) -> str:
        shown = {
            name: "<token>" if name.lower().endswith("token") else value
            for name, value in self.items()
        }
        return repr(shown)


def accepted(response: requests.Response) -> JsonAnswer:
    """The JSON object of a success.

    Raises:
        Rejected: the response is a refusal.
        ServerUnreachable: the body is not a JSON object, so this is another server.
    """
    if response.status_code >= 400:
        refusal = refusal_of(response)
        elsewhere = redirected_to(response)
        message = refusal["message"]
        raise Rejected(
            response.status_code,
            refusal["error"],
            f"{message} (redirected to {elsewhere})" if elsewhere else message,
            retry_after(response),
        )
    answer = json_of(response)
    if not isinstance(answer, dict):
        raise ServerUnreachable(
            "The response is not a JSON object. Is base_url the demo server's address?"
        )
    return JsonAnswer(answer)


def refusal_of(response: requests.Response) -> dict[str, str]:
    """`error` and `message` of a refusal. The article's server sends plain text."""
    body = json_of(response)
    if body is None:
        body = text_of(response)
    if not isinstance(body, dict):
        body = {"message": body}
    secrets = secrets_of(response.request)
    return {
        "error": told(body.get("error"), secrets),
        "message": told(body.get("message"), secrets) or told(response.reason, secrets),
    }


def secrets_of(request: requests.PreparedRequest | None) -> list[str]:
    """The credentials of a request. A careless server repeats them in its response."""
    if request is None:
        return []
    _, _, token = str(request.headers.get("Authorization", "")).partition(" ")
    return [token, *secrets_in(request.body, str(request.headers.get("Content-Type", "")))]


def told(text: object, secrets: Iterable[str]) -> str:
    """A text of a server as an event and an error may hold it; "" if it is no text."""
    if not isinstance(text, str):
        return ""
    # JSON can spell half of a surrogate pair, which nothing can print.
    clean = text.encode(errors="replace").decode()
    return mask_echoes(mask_text(clean), secrets)[:MAX_TOLD]


def server_time(response: requests.Response) -> float | None:
    """The time of a class server in seconds since the epoch; None if the response has none."""
    text = response.headers.get(TIME_HEADER, "")
    return float(text) if _TIME.fullmatch(text) else None

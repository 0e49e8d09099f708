"""What is in the body of a request, checked for the database and bcrypt."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Request

from ..config import MAX_PASSWORD_BYTES
from ..errors import malformed
from ..usernames import fault_in


def credentials_in(request: Request) -> tuple[str, str]:
    """The username and password in the body, checked for the database and bcrypt.

    Raises:
        Refusal: `request_malformed`.
    """
    body = body_of(request)
    username, password = text_in(body, "username"), text_in(body, "password")
    fault = fault_in(username)
    if fault is not None:
        raise malformed(fault)
    if len(password.encode()) > MAX_PASSWORD_BYTES or "\0" in password:
        raise malformed(
            f"The password must have at most {MAX_PASSWORD_BYTES} bytes (UTF-8) and no NUL."
        )
    return username, password


def text_in(body: dict[str, Any], name: str) -> str:
    """A text that is not empty.

    Raises:
        Refusal: `request_malformed`. The same for the functions below.
    """
    value = body.get(name)
    if value is None or value == "":
        raise malformed(f"Enter a {name}.")
    if not isinstance(value, str):
        raise malformed(f"The {name} must be a string.")
    try:
        value.encode()
    except UnicodeEncodeError:  # JSON can spell half of a surrogate pair
        raise malformed(f"The {name} is not valid Unicode.") from None
    return value


def number_in(body: dict[str, Any], name: str, low: int, high: int) -> int:
    """A whole number; a form sends it as text."""
    value = body.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 15:
        value = int(value)
    if type(value) is not int or not low <= value <= high:
        raise malformed(f"The field {name} must be a whole number from {low} to {high}.")
    return value


def optional_text_in(body: dict[str, Any], name: str) -> str | None:
    """A text, which may be empty; None if there is none."""
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise malformed(f"The field {name} must be a string")
    return value


def body_of(request: Request) -> dict[str, Any]:
    """The body as an object, from JSON or a form."""
    if request.is_json:
        try:
            body = json.loads(request.get_data(), object_pairs_hook=_with_each_name_once)
        except (ValueError, RecursionError):
            raise malformed("The body is not valid JSON") from None
        if not isinstance(body, dict):
            raise malformed("The body is not a JSON object")
        return body
    if request.mimetype == "application/x-www-form-urlencoded":
        try:  # werkzeug would store another text than the client has sent
            unquote_to_bytes(request.get_data()).decode()
        except UnicodeDecodeError:
            raise malformed("The body is not valid UTF-8") from None
    if not request.form and request.content_length:
        raise malformed("Send the body as application/json or as a form")
    # A repeated field becomes a list, which the checks above refuse.
    fields = request.form.to_dict(flat=False)
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


def _with_each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. Which of two values counts differs between programs (RFC 8259, section 4)."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise malformed("The body contains a field twice")
    return fields

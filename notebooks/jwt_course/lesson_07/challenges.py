"""The header `WWW-Authenticate`, read (RFC 9110, sections 11.3 and 11.6.1)."""

from __future__ import annotations

import re

# name = token, or name = "quoted string", in which a backslash escapes the next character
# (RFC 9110, sections 11.2 and 5.6.4).
_PARAMETER = re.compile(r'([\w!#$%&\'*+.^`|~-]+)[ \t]*=[ \t]*(?:"((?:\\.|[^"\\])*)"|([^\s,"]+))')


def scheme_of(challenge: str) -> str:
    """The scheme of a challenge, in lower case: "bearer"."""
    return challenge.partition(" ")[0].lower()


def parameters_of(challenge: str) -> dict[str, str]:
    """The parameters of a challenge, their names in lower case; {} if it has none.

    One challenge only: a header may hold several, but not this server's.
    """
    found = _PARAMETER.findall(challenge.partition(" ")[2])
    return {name.lower(): re.sub(r"\\(.)", r"\1", quoted) or bare for name, quoted, bare in found}

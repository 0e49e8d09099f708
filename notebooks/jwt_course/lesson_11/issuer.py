"""Signing keys, and an issuer that signs with one of them and publishes the public halves.

A private key signs, and its public key verifies. The public keys are published as a JWK Set
(RFC 7517, section 5), so a service can verify tokens that it cannot issue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from demo_server.clock import Clock

#: The seconds that an access token is valid, as on `demo_server`.
LIFETIME = 60

#: A new private key for each algorithm (RFC 7518, sections 3.3 and 3.4; RFC 8037, section 3.1).
_GENERATE: dict[str, Callable[[], Any]] = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
}


@dataclass(frozen=True)
class SigningKey:
    """A private key with its name.

    Attributes:
        kid (str): the key id, in the header of each token and in the JWK.
        algorithm (str): "ES256", "EdDSA" or "RS256". A key is used with one algorithm only
            (RFC 8725, section 3.1).
        private: the private key, of `cryptography`.
    """

    kid: str
    algorithm: str
    private: Any = field(repr=False)

    @classmethod
    def generate(cls, kid: str, algorithm: str = "ES256") -> SigningKey:
        """A new random key.

        Raises:
            KeyError: the algorithm is not one of the three.
        """
        return cls(kid, algorithm, _GENERATE[algorithm]())

    def jwk(self) -> dict[str, str]:
        """The public key as a JWK, with `kid`, `use` and `alg` (RFC 7517, section 4)."""
        public = self.private.public_key()
        members: dict[str, Any] = jwt.get_algorithm_by_name(self.algorithm).to_jwk(
            public, as_dict=True
        )
        members.pop("key_ops", None)  # `use` says the same; RFC 7517, section 4.3, wants one
        return {**members, "kid": self.kid, "use": "sig", "alg": self.algorithm}

    def pem(self) -> bytes:
        """The public key as PEM, the form in which many servers publish it."""
        public = self.private.public_key()
        return bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


class Issuer:
    """Issues tokens for the orders service, and publishes the keys that verify them.

    Args:
        key (SigningKey): published, and used to sign.
        clock (Clock): returns seconds since the epoch.
        lifetime (int): of a token, in seconds.
    """

    def __init__(self, key: SigningKey, *, clock: Clock, lifetime: int = LIFETIME) -> None:
        self._clock, self._lifetime = clock, lifetime
        self._published = {key.kid: key}
        self._kid = key.kid

    def publish(self, key: SigningKey) -> None:
        """Add a key to the JWK Set. It signs nothing yet."""
        self._published[key.kid] = key

    def sign_with(self, kid: str) -> None:
        """Sign with a published key from now on.

        Raises:
            KeyError: the key is not published, so nobody could verify its tokens.
        """
        self._kid = self._published[kid].kid

    def retire(self, kid: str) -> None:
        """Remove a key from the JWK Set.

        Raises:
            ValueError: the issuer still signs with it.
        """
        if kid == self._kid:
            raise ValueError(f"The issuer still signs with {kid}: call sign_with first")
        del self._published[kid]

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public keys as a JWK Set."""
        return {"keys": [key.jwk() for key in self._published.values()]}

    def issue(self, username: str, audience: str = "orders") -> str:
        """A new token."""
        key, now = self._published[self._kid], int(self._clock())
        claims = {"sub": username, "aud": audience, "iat": now, "exp": now + self._lifetime}
        return jwt.encode(claims, key.private, key.algorithm, headers={"kid": key.kid})

    def __repr__(self) -> str:
        return f"<Issuer, publishes {', '.join(self._published)}, signs with {self._kid}>"

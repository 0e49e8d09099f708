"""Lesson 11, keys.

`issuer` signs and publishes, `services` has the two services, `jwks_cache` what a verifier
remembers, and `rotation` tries schedules. `key_attacks` has the attacks, `key_lab` their targets,
and `verifiers` how these verify. `judges` runs the learner's answers.
"""

from importlib.util import find_spec

if find_spec("cryptography") is None:
    raise ImportError(
        "This lesson needs the installed lab: it signs with the package cryptography, which is not "
        "here. The lab in a browser tab does not have it."
    )

from ..outputs import attacks_picture
from .exercises import exercises
from .guesses import guesses
from .issuer import Issuer, SigningKey
from .jwks_cache import JwksCache
from .key_attacks import forge, forge_hmac
from .key_lab import KeyLab, verdict
from .rotation import Schedule, rotation_picture, try_rotation
from .services import JwksService, OrdersService, fetch_jwks
from .verifiers import CarefulVerifier

__all__ = [
    "CarefulVerifier",
    "Issuer",
    "JwksCache",
    "JwksService",
    "KeyLab",
    "OrdersService",
    "Schedule",
    "SigningKey",
    "attacks_picture",
    "exercises",
    "fetch_jwks",
    "forge",
    "forge_hmac",
    "guesses",
    "rotation_picture",
    "try_rotation",
    "verdict",
]

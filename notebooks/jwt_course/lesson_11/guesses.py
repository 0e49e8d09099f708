"""What lesson 11 asks before it shows it. The services' responses decide."""

from __future__ import annotations

from collections.abc import Mapping

from ..guess import Guess, guess, in_order
from .rotation import Rotation


def _where(accepted: Mapping[str, bool]) -> list[str]:
    return [name for name, yes in accepted.items() if yes]


def _blamed(trial: Rotation) -> tuple[bool, bool]:
    return bool(trial.unknown), bool(trial.gone)


def guesses() -> tuple[Guess, ...]:
    """g1 to g8: g1, g2, g7 and g8 take what was accepted, g3 and g6 a number of fetches, and g4
    and g5 a `Rotation`."""
    return in_order(
        __package__,
        guess(
            "The orders service has the secret of HS256, only to verify. Its owner signs a token "
            "for admin with it. Does the login server accept the token?",
            (True, "Yes", "the secret that verifies is the secret that signs"),
            (False, "No", "the server knows which tokens it issued"),
        ),
        guess(
            "Now the orders service has a public key. What can it do with it?",
            (
                (True, False),
                "Verify tokens, and not sign them",
                "a signature needs the private key, which the issuer keeps",
            ),
            ((True, True), "Verify and sign", "the public key is a secret like any other"),
            ((False, False), "Neither", "a public key is only a name"),
        ),
        guess(
            "The orders service starts without a key. ada calls it five times within a minute. "
            "How often does it fetch the JWK Set?",
            number={
                1: "it fetched the set at the first call and kept it",
                5: "it kept nothing",
            },
        ),
        guess(
            "The issuer replaces the old key by the new one, all in one second. Whose tokens are "
            "refused?",
            (
                (True, True),
                "Old and new ones",
                "a verifier with an old copy does not know the new key, and one with a new copy "
                "does not know the old one",
            ),
            ((False, True), "Only those of the old key", "every verifier knew the new key"),
            ((True, False), "Only those of the new key", "every verifier still knew the old key"),
            ((False, False), "None", "nobody noticed the change"),
            judge=_blamed,
        ),
        guess(
            "Next time the old key stays in the set for another 60 s, the lifetime of a token. "
            "Whose tokens are refused now?",
            (
                (True, False),
                "Only those of the new key",
                "verifiers keep their copy for up to 300 s, and it does not have the new key",
            ),
            ((False, True), "Only those of the old key", "it left too early"),
            ((False, False), "None", "every verifier knew both keys in time"),
            ((True, True), "Old and new ones", "the overlap was too short for both"),
            judge=_blamed,
        ),
        guess(
            "mallory sends 100 tokens, each with another kid that nobody has. How often does the "
            "careful service fetch the JWK Set?",
            number={
                0: "an unknown kid never leads to a fetch",
                1: "the first unknown kid leads to a fetch, and then there is a pause of 30 s",
                100: "each unknown kid leads to a fetch",
            },
        ),
        guess(
            "The token brings its own public key in its header. The signature fits that key. "
            "Which services accept it?",
            (
                ["weak"],
                "Only the weak one",
                "it asks the token for the key, and the others use keys that they had before",
            ),
            ([], "None of them", "none of them reads the key in a token"),
            (
                ["weak", "careful"],
                "The weak and the careful one",
                "the signature is valid, and that is all they check",
            ),
            judge=_where,
        ),
        guess(
            "mallory signs with HS256. As the secret she takes the issuer's public key, which "
            "everyone can download. Which services accept it?",
            (
                ["weak"],
                "Only the weak one",
                "the token told it to use the public key as a secret",
            ),
            ([], "None of them", "a public key is never taken for a secret"),
            (
                ["weak", "careful"],
                "The weak and the careful one",
                "both know that public key",
            ),
            judge=_where,
        ),
    )

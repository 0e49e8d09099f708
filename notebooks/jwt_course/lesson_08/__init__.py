"""Lesson 08, attacks.

`attacks` has the attacks and `attack_lab` their three targets, one of which is a `weak_server`
(`weak_service`: its weaknesses; `weak_routes`: its routes); `judges` attacks the learner's answers.
"""

from .attack_lab import AttackLab, verdict
from .attacks import (
    active_markup,
    find_secret,
    forge_none,
    forge_signed,
    grep_tokens,
    guess,
    notebook_with,
    password_checks,
    shortest,
    shown,
    weak_secrets,
)
from .exercises import exercises
from .guesses import guesses
from .judges import captured_token

__all__ = [
    "AttackLab",
    "active_markup",
    "captured_token",
    "exercises",
    "find_secret",
    "forge_none",
    "forge_signed",
    "grep_tokens",
    "guess",
    "guesses",
    "notebook_with",
    "password_checks",
    "shortest",
    "shown",
    "verdict",
    "weak_secrets",
]

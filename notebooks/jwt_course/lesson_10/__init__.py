"""Lesson 10, where tokens live.

`victim` is ada's browser as a model, whose requests go to a real server; `cookies` has the rules
for its cookies. `checks` measures what a logout costs a service that verifies tokens. `pictures`
draws, and `judges` checks the learner's answers; `request` has what exercise 2 looks at.
"""

from .checks import WAYS, costs_picture, lookups_of_home, session_length, try_check
from .cookies import BLOG, EVIL, SHOP, CookieJar
from .exercises import exercises
from .guesses import guesses
from .pictures import attacks_picture, bff_picture
from .victim import PASSWORD, Victim, stays_logged_in, verdict

__all__ = [
    "BLOG",
    "EVIL",
    "PASSWORD",
    "SHOP",
    "WAYS",
    "CookieJar",
    "Victim",
    "attacks_picture",
    "bff_picture",
    "costs_picture",
    "exercises",
    "guesses",
    "lookups_of_home",
    "session_length",
    "stays_logged_in",
    "try_check",
    "verdict",
]

"""Lesson 10, where tokens live.

`token_lab` has two sites and a browser: `victim_site` is a page with a hole next to the demo
server, `attacker_site` another site with a script and a form, `model_browser` what a browser does
with cookies. `pages` has what runs in a real browser; `board_page` does the same in Python.

`checks` measures what a logout costs, and `pictures` draws. `judges` checks the learner's answers,
with the rules for cookies in `cookies`.
"""

from ..outputs import attacks_picture
from .checks import (
    WAYS,
    costs_picture,
    lookups_of_home,
    session_length,
    stays_logged_in,
    try_check,
)
from .exercises import exercises
from .guesses import guesses
from .model_browser import ModelBrowser, site_of
from .pictures import bff_picture
from .token_lab import TokenLab, verdict
from .victim_site import page_named

__all__ = [
    "WAYS",
    "ModelBrowser",
    "TokenLab",
    "attacks_picture",
    "bff_picture",
    "costs_picture",
    "exercises",
    "guesses",
    "lookups_of_home",
    "page_named",
    "session_length",
    "site_of",
    "stays_logged_in",
    "try_check",
    "verdict",
]

"""Lesson 10, where tokens live.

`token_lab` has two sites and a browser: `victim_site` is a page with a hole next to the demo
server, `attacker_site` another site with a script and a form, `model_browser` what a browser does
with cookies. `pages` has what runs in a real browser; `board_page` does the same in Python.
"""

from .model_browser import ModelBrowser
from .token_lab import TokenLab, verdict
from .victim_site import page_named

__all__ = ["ModelBrowser", "TokenLab", "page_named", "verdict"]

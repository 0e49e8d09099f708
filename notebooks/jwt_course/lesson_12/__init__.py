"""Lesson 12, two tabs.

`tabs` lets two tabs over one store meet one expiry, with one of the `ways`; `processes` does it
with real processes; `losses` has what no lock prevents. `results` shows and draws them, `judges`
checks the learner's answers. `web_locks.js` is the same in a browser.
"""

from . import ways
from .exercises import exercises
from .guesses import guesses
from .losses import handed_in
from .processes import crash_before_the_write, two_processes
from .results import compare, table, tabs_picture
from .tabs import try_tabs
from .web_locks import source

__all__ = [
    "compare",
    "crash_before_the_write",
    "exercises",
    "guesses",
    "handed_in",
    "source",
    "table",
    "tabs_picture",
    "try_tabs",
    "two_processes",
    "ways",
]

"""Lesson 06, rotation and theft.

`theft` plays thieves, lost responses and grace periods, `torn` is a database without the atomic
update. `family_tree` reads a family, `family_picture` and `grace_picture` draw, and `grace_view`
has the sliders. `judges` checks the learner's answers.
"""

from .exercises import exercises
from .family_picture import family_picture
from .family_tree import family_tree
from .grace_picture import grace_picture
from .grace_view import GraceView
from .guesses import guesses
from .theft import decides, family_of, lose_next_refresh, race, steal, try_grace
from .torn import TornDatabase

__all__ = [
    "GraceView",
    "TornDatabase",
    "decides",
    "exercises",
    "family_of",
    "family_picture",
    "family_tree",
    "grace_picture",
    "guesses",
    "lose_next_refresh",
    "race",
    "steal",
    "try_grace",
]

"""Lesson 06, rotation and theft.

`theft` plays thieves, lost responses and grace periods, `torn` is a database without the atomic
update, `family_tree` and `grace_view` draw; `judges` checks the learner's answers.
"""

from .exercises import exercises
from .family_tree import family_tree, tree_mermaid, tree_text
from .grace_view import GraceView
from .guesses import guesses
from .theft import decides, family_of, grace_table, lose_next_refresh, race, steal, try_grace
from .torn import TornDatabase

__all__ = [
    "GraceView",
    "TornDatabase",
    "decides",
    "exercises",
    "family_of",
    "family_tree",
    "grace_table",
    "guesses",
    "lose_next_refresh",
    "race",
    "steal",
    "tree_mermaid",
    "tree_text",
    "try_grace",
]

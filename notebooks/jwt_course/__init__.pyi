from .exercise import Exercise, Wrong
from .seat import CannotJoin, Seat, join

__all__ = ["CannotJoin", "Exercise", "Seat", "Wrong", "join"]

"""What the notebooks of the course use: their exercises, labs and faults on purpose.

A lesson begins with `from jwt_course.lesson_02 import exercises`. Here, as in the notebooks,
the server and the client are wired together; neither of them knows the course.
"""

from .exercise import Exercise, Wrong

__all__ = ["Exercise", "Wrong"]

"""The code behind the course's notebooks.

A lesson's code is one package, and its notebook imports everything from there:
`from jwt_course.lesson_06 import exercises`. In it, `exercises.py` has the hints, `judges.py`
(`grader.py` in lesson 09) decides whether an answer is right, and `solutions.md` has the solutions.
Lessons do not import each other. What they share is here:

- `exercise`: what `check`, `hint` and `solution` do;
- `solutions`: reads `solutions.md`;
- `lab`: a server and a client for a judge;
- `concurrency`: calls that race in the same order every time;
- `front_end`: displays the front end's JavaScript, the code that the browser runs.

The server and the client meet here and in the notebooks; neither imports the course.
"""

from .exercise import Exercise, Wrong

__all__ = ["Exercise", "Wrong"]

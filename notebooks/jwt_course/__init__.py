"""The code behind the course's notebooks.

A lesson's code is one package, and its notebook imports everything from there:
`from jwt_course.lesson_06 import exercises`. In it, `exercises.py` has the hints, `judges.py`
(`grader.py` in lesson 09) decides whether an answer is right, `guesses.py` has the questions that
are asked before a result, and `solutions.md` has the solutions.
Lessons do not import each other. What they share is here:

- `exercise`: what `check`, `hint` and `solution` do; `guess`: a question before a result;
- `solutions`: reads `solutions.md`;
- `attempt`: runs a judge with a time limit;
- `judging`: is an answer of the right kind and the learner's own, where did it fail, and how are
  its threads ended;
- `lab`: a server and a client for a judge;
- `concurrency`: calls that race in the same order every time;
- `copies`: a learner's own copy of the lessons; `progress`: what they did in it;
- `seat`: `join`, a student's place in a class on one server;
- `outputs`: what a cell displays: pictures, and the front end's JavaScript.

The server and the client meet here and in the notebooks; neither imports the course.

`__init__.pyi` lists the names that the package itself has. They are loaded at their first use, so
`python -m jwt_course` loads neither widgets nor a server.
"""

import lazy_loader

import client_widget  # noqa: F401 - first: in a browser tab it replaces the locks of what comes next

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

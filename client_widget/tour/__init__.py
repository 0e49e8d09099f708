"""The tour: the article's story as questions that the events of a run answer.

Begin with `tour.py`; `story.py` has the questions.
"""

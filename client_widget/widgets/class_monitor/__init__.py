"""A live view of the class, for a teacher.

Begin with `class_state.py`, which knows no widgets; `class_view.py` shows it.
"""

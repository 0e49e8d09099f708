"""Events as SVG pictures. Each is a pure function: the same events give the same text.

Begin with `sequence.py`; `shapes.py` has what all of them are made of.
"""

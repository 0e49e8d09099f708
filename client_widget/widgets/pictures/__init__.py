"""The views that show a picture of the log.

Begin with `picture.py`, which both views share.
"""

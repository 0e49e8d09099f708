"""The event log: the only record of what happened, its sentences and its exports.

Begin with `event.py` and `event_log.py`; `story.py` turns events into what the pictures show.
"""

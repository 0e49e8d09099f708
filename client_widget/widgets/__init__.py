"""The widgets: the panel, its tabs, and what each can show alone.

Begin with `view.py`, which all views share, then `panel.py`.
"""

"""The widgets: the panel, its tabs, and what each can show alone."""

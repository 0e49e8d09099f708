"""The views that show a picture of the log."""

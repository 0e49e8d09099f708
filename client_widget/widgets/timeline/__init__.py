"""The timeline: tokens as bars, requests as marks."""

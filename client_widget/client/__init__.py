"""The client: drives the protocol over HTTP, shares refreshes, and records."""

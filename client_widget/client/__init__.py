"""The client: drives the protocol over HTTP, shares refreshes, and records.

Begin with `auth_client.py`, then `outgoing_call.py`.
"""

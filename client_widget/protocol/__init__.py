"""The protocol: what is sent, what follows from each answer, and the tokens. No HTTP.

Begin with `auth_flow.py`, then `tokens.py` and `store.py`.
"""

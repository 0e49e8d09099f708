"""Who may do what: login, tokens, rotation, and the back-off after failed logins. No HTTP.

Begin with `auth_service.py`, then `tokens.py` and `token_families.py`.
"""

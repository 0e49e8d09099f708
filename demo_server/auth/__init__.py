"""Who may do what: login, tokens, rotation, and the back-off after failed logins. No HTTP."""

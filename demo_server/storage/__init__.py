"""What is kept: the database, its indexes in this process, and the users.

Begin with `database.py`.
"""

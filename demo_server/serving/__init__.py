"""How the app is reached: by a socket, in this process, or behind Jupyter and granian.

Begin with `local_server.py`.
"""

"""What is spoken over HTTP: routes, cookies, the description, and the page in the browser.

Begin with `routes.py`.
"""

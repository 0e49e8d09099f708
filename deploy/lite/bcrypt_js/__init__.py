"""The functions of the package bcrypt that the lab uses, for a browser tab.

The package itself is written in Rust, and its wheel for the browser is not on PyPI. This one calls
bcryptjs, whose hashes are the same: those of either verify with the other.
"""

from importlib.resources import files

from pyodide.code import run_js

# The file sets `globalThis.bcrypt`.
run_js(files(__name__).joinpath("bcryptjs.js").read_text(encoding="utf-8"))
_js = run_js("globalThis.bcrypt")


def gensalt(rounds: int = 12, prefix: bytes = b"2b") -> bytes:
    """A new salt, with the cost of a hash in it."""
    return _js.genSaltSync(rounds).encode().replace(b"$2b$", b"$" + prefix + b"$", 1)


def hashpw(password: bytes, salt: bytes) -> bytes:
    """The hash of a password, which contains its salt."""
    return _js.hashSync(_text(password), salt.decode()).encode()


def checkpw(password: bytes, hashed_password: bytes) -> bool:
    """Does the password belong to the hash?"""
    return bool(_js.compareSync(_text(password), hashed_password.decode()))


def _text(password: bytes) -> str:
    if len(password) > 72:
        raise ValueError("password cannot be longer than 72 bytes")
    return password.decode()

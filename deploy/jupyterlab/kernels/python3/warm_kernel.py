"""An IPython kernel that imports the lab's libraries before it answers, while the learner reads.

    python warm_kernel.py -f CONNECTION_FILE

A lesson's first cell then imports only the lab's own modules. They are left to the cell because a
learner may edit them before it runs.
"""

import gc
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

#: What the wiring in README imports, and what its panel uses when it is first drawn.
LIBRARIES = (
    "anywidget", "apispec", "bcrypt", "dotenv", "filelock", "flask", "flask_cors", "ipywidgets",
    "jwt", "lazy_loader", "mongomock", "requests", "svg", "waitress",
)  # fmt: skip

if __name__ == "__main__":
    if Path(sys.path[0]) == Path(__file__).resolve().parent:
        del sys.path[0]  # a kernel imports nothing from there
    for name in LIBRARIES:
        with suppress(Exception):  # the cell that imports it shows the error
            import_module(name)

    from ipykernel import kernelapp

    # All of it stays, and the garbage collector need not examine it again: that takes 0.1 s each
    # time, and the first time would be in the first cell.
    gc.freeze()
    kernelapp.launch_new_instance()

"""The classroom page as `make classroom` serves it: each visitor has a kernel, and may reload.

The page adds its kernel's id to its address (`?session=<id>`). A reload asks for the same kernel,
so the session, its log and its clock are still there; it then only shows the panel again. Kernel
ids are random and no one else learns them. A kernel that no page shows ends after `KEPT` seconds.
"""

import os
from pathlib import Path
from urllib.parse import parse_qs

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from nbformat.v4 import new_code_cell

#: Seconds for which a kernel that no page shows waits for a reload.
KEPT = 180


class SessionKernels(AsyncMappingKernelManager):
    """Returns the kernel that a page asks for while it runs, and starts one otherwise."""

    async def start_kernel(self, *, env, **kwargs):
        asked = session_of(env["QUERY_STRING"])
        return await super().start_kernel(
            kernel_id=asked if asked in self else None, env=env, **kwargs
        )


def session_of(query):
    """The session in a query string, or ""."""
    return parse_qs(query).get("session", [""])[0]


def prepare(handler, notebook, cwd):
    """Leave out what is written for readers of the notebook; after a reload, keep the session."""
    if session_of(handler.request.query) in handler.kernel_manager:
        notebook.cells = [new_code_cell("panel")]
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return notebook


HERE = Path(__file__).parent.resolve()
# Where Voilà looks for the page's template.
os.environ["JUPYTER_PATH"] = os.pathsep.join(
    filter(None, [str(HERE), os.environ.get("JUPYTER_PATH")])
)

c = get_config()  # noqa: F821
c.Voila.ip = "127.0.0.1"
c.VoilaConfiguration.template = "classroom"
c.VoilaConfiguration.allow_template_override = "NO"
c.VoilaConfiguration.multi_kernel_manager_class = SessionKernels
c.VoilaConfiguration.prelaunch_hook = prepare
# Other extensions are made for JupyterLab, and some fail on Voilà's page.
c.VoilaConfiguration.extension_allowlist = [
    "@jupyter-widgets/jupyterlab-manager",
    "@voila-dashboards/widgets-manager8",
    "anywidget",
]
c.MappingKernelManager.cull_idle_timeout = KEPT
c.MappingKernelManager.cull_interval = 15

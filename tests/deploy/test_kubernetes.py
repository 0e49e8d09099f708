"""The values for Kubernetes have the names and the types that the chart takes.

Only the part of the chart that the values use is written down here, from the reference of its
version 4.4.0. Helm itself checks the whole before it installs.
"""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import yaml
from jwt_course.copies import lessons

from .hub import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
TEXT = (FOLDER / "values.yaml").read_text()
VALUES = yaml.safe_load(TEXT)


def table(**entries: Any) -> dict[str, Any]:
    """A mapping with these entries and no others."""
    return {"type": "object", "properties": entries, "additionalProperties": False}


YES_OR_NO, WHOLE, NUMBER, NAME = (
    {"type": kind} for kind in ("boolean", "integer", "number", "string")
)
NAMES = {"type": "array", "items": NAME}
MEMORY = {"type": "string", "pattern": r"^\d+[KMGT]$"}  # as the spawner reads it

PROFILE = table(
    display_name=NAME,
    description=NAME,
    default=YES_OR_NO,
    kubespawner_override=table(
        mem_guarantee=MEMORY, mem_limit=MEMORY, cpu_guarantee=NUMBER, cpu_limit=NUMBER
    ),
)
CHART = table(
    hub=table(
        activeServerLimit=WHOLE,
        # By the name of a class, then of its trait.
        config={
            "type": "object",
            "additionalProperties": False,
            "patternProperties": {"^[A-Z]": {"type": "object"}},
        },
    ),
    proxy=table(https=table(enabled=YES_OR_NO, hosts=NAMES, letsencrypt=table(contactEmail=NAME))),
    singleuser=table(
        image=table(name=NAME, tag=NAME),
        defaultUrl=NAME,
        startTimeout=WHOLE,
        memory=table(guarantee=MEMORY, limit=MEMORY),
        cpu=table(guarantee=NUMBER, limit=NUMBER),
        storage=table(capacity=NAME),
        lifecycleHooks=table(postStart=table(exec=table(command=NAMES))),
        networkPolicy=table(egressAllowRules=table(nonPrivateIPs=YES_OR_NO)),
        profileList={"type": "array", "items": PROFILE},
    ),
    scheduling=table(podPriority=table(enabled=YES_OR_NO), userPlaceholder=table(replicas=WHOLE)),
    cull=table(enabled=YES_OR_NO, timeout=WHOLE, every=WHOLE, maxAge=WHOLE),
)


def test_the_values_are_the_charts() -> None:
    jsonschema.validate(VALUES, CHART)


def test_nobody_gets_in_before_an_authenticator_is_named() -> None:
    config = VALUES["hub"]["config"]
    assert config["JupyterHub"]["authenticator_class"] == "null"
    assert "allow_all" not in config["Authenticator"]


def test_the_values_hold_no_secret() -> None:
    words = re.findall(r"^\s*(?:- )?(\w+):", TEXT, re.MULTILINE)
    assert [word for word in words if re.search("secret|password|token|key", word, re.I)] == []


def test_the_learner_begins_at_a_lesson_of_their_copy() -> None:
    first = VALUES["singleuser"]["defaultUrl"].removeprefix("/lab/tree/")
    hook = VALUES["singleuser"]["lifecycleHooks"]["postStart"]["exec"]["command"][-1]
    home = VALUES["hub"]["config"]["Spawner"]["notebook_dir"]
    assert hook == f"python -m jwt_course start {home}/{first.rpartition('/')[0]} || true"
    assert first.rpartition("/")[2] == lessons()["01"].name


def test_the_readme_and_the_values_name_the_same_chart_and_folders() -> None:
    readme = (FOLDER / "README.md").read_text()
    [chart] = set(re.findall(r"chart (\d+\.\d+\.\d+)", TEXT + readme))
    assert f"--version {chart} " in readme
    image = "{name}:{tag}".format(**VALUES["singleuser"]["image"])
    assert f"--target-repo-dir /srv/lab --image-name {image} ." in readme

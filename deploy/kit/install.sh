#!/bin/sh
# Installs the lab from this folder, without a network: sh install.sh [FOLDER]
set -eu
kit=$(cd "$(dirname "$0")" && pwd)
target=${1:-$HOME/jwt-refresh-lab}
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || {
  echo "Python 3.11, 3.12 or 3.13 is needed: PYTHON=/path/to/python3.12 sh install.sh" >&2
  exit 1
}
"$python" -m venv "$target/.venv"
"$target/.venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  --no-index --find-links "$kit/wheels" jwt-refresh-lab
"$target/.venv/bin/python" -m jwt_course start "$target/my-course"
echo "Installed. To start the lab:"
echo "cd \"$target\" && .venv/bin/python -m jupyterlab my-course/01_walkthrough.ipynb"

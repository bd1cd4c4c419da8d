#!/usr/bin/env bash
# install.sh run|dev: a .venv with the pinned packages, for running the page or for testing too.
# Does nothing, and needs no network, where a stamp in .venv says that these requirements are in.
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-}" in
    run) list=requirements.txt; files=(requirements.txt) ;;
    dev) list=requirements-dev.txt; files=(requirements.txt requirements-dev.txt) ;;
    *) echo "usage: tools/install.sh run|dev" >&2; exit 2 ;;
esac
stamp=".venv/installed-$1"
wanted="$(cat "${files[@]}" | cksum)"
if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ]; then exit 0; fi

if [ ! -x .venv/bin/python ]; then
    python="$(tools/find_python.sh)"
    echo "Making .venv with $("$python" --version) ..."
    "$python" -m venv .venv
fi
echo "Installing $list into .venv (the first time takes minutes) ..."
.venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$list" || {
    echo "Installing $list failed; the lines above say why." >&2
    exit 1
}
echo "$wanted" > "$stamp"
if [ "$1" = dev ]; then cksum < requirements.txt > .venv/installed-run; fi
echo "Installed."

#!/usr/bin/env bash
# Prints the path of a Python 3.11 that can make virtual environments, or says plainly what is missing.
# PYTHON=/path/to/python names another one (3.11 or newer; only 3.11 is tested).
set -euo pipefail

version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true; }
can_make_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }
fail() { printf '%s\n' "$1" >&2; exit 1; }

found=""
if [ -n "${PYTHON:-}" ]; then
    case "$(version "$PYTHON")" in
        3.11 | 3.1[2-9]) found="$PYTHON" ;;
        *) fail "PYTHON=$PYTHON is '$(version "$PYTHON")', not Python 3.11 or newer; name another one." ;;
    esac
else
    for candidate in python3.11 python3 python; do
        if [ "$(version "$candidate")" = 3.11 ]; then found="$(command -v "$candidate")"; break; fi
    done
fi
[ -n "$found" ] || fail "Python 3.11 is missing: install it (Debian 12: apt-get install python3.11 python3.11-venv;
macOS: brew install python@3.11; Windows: use WSL), or name one with PYTHON=/path/to/python3.11."
can_make_venv "$found" || fail "$found cannot make virtual environments: install its venv module (Debian: apt-get install python3.11-venv)."
printf '%s\n' "$found"

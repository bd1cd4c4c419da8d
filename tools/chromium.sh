#!/usr/bin/env bash
# Prints the path of a Chromium that runs: $CHROMIUM, one on the PATH, or Playwright's own.
# With --install it gets one where there is none: Debian's package where apt-get may be used, else
# Playwright's. Everything but the path goes to stderr.
set -euo pipefail
cd "$(dirname "$0")/.."

runs() { [ -n "$1" ] && "$1" --version > /dev/null 2>&1; }

find_one() {
    local path
    for path in "$(command -v chromium || true)" \
        "$(command -v chromium-browser || true)" "$(command -v google-chrome || true)" \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" "$(of_playwright)"; do
        if runs "$path"; then printf '%s\n' "$path"; return 0; fi
    done
    return 1
}

of_playwright() {
    [ -x .venv/bin/python ] || return 0
    .venv/bin/python - 2> /dev/null <<'PY' || true
from playwright.sync_api import sync_playwright
with sync_playwright() as p:
    print(p.chromium.executable_path)
PY
}

by_apt() {
    [ -e /etc/debian_version ] && command -v apt-get > /dev/null || return 1
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo > /dev/null && sudo -n true 2> /dev/null || return 1
        as_root=(sudo -n)
    fi
    echo "Installing Debian's chromium for the browser tests ..."
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends chromium
}

by_playwright() {
    echo "Installing Playwright's chromium for the browser tests ..."
    .venv/bin/python -m playwright install chromium
}

if [ -n "${CHROMIUM:-}" ]; then
    if runs "$CHROMIUM"; then printf '%s\n' "$CHROMIUM"; exit 0; fi
    echo "CHROMIUM=$CHROMIUM does not run: mend the path, or unset it." >&2
    exit 1
fi
if find_one; then exit 0; fi
if [ "${1:-}" = --install ]; then
    by_apt >&2 < /dev/null || true
    if find_one; then exit 0; fi
    by_playwright >&2 < /dev/null || true
    if find_one; then exit 0; fi
fi
echo "No Chromium that runs: install one, or name it with CHROMIUM=/path/to/chromium." >&2
exit 1

#!/usr/bin/env bash
# Installs what the tests of the page and of its client need: Node 18.19 or newer with npm, Chromium, and the packages of package-lock.json.
# Programs that are missing come from Debian, if this runs as root on one; else it says what is missing.
set -euo pipefail
cd "$(dirname "$0")"

# need PROGRAM PACKAGE
need() {
    if command -v "$1" >/dev/null; then return; fi
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "missing, and not to be installed without root and apt-get: $2 ($1)" >&2
        exit 1
    fi
    # Lists that are old name packages that are no more; a new machine has none at all.
    install "$2" || { apt-get update -q >/dev/null && install "$2"; }
    command -v "$1" >/dev/null || { echo "$1 is not in Debian's package $2" >&2; exit 1; }
}
install() { DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$1" >/dev/null; }

# One after the other: other packages of Node than Debian's have npm in them, and bear no second one beside it.
need node nodejs
need npm npm
need "${CHROMIUM:-/usr/bin/chromium}" chromium

if ! node --eval 'const [major, minor] = process.versions.node.split("."); process.exit(major > 18 || (major == 18 && minor >= 19) ? 0 : 1)'; then
    echo "Node is too old: $(node --version); 18.19 or newer is needed" >&2
    exit 1
fi

# Again only if what is locked has changed: then there is no network needed for the next run.
if ! cmp -s package-lock.json node_modules/.installed-lock.json; then
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    cp package-lock.json node_modules/.installed-lock.json
fi

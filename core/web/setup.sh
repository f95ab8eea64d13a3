#!/usr/bin/env bash
# Installs what the tests of the page and of its client need: Node 20 or newer with npm, Chromium, and the packages of package-lock.json.
# Programs that are missing come from Debian, if this runs as root on one; else it says what is missing.
set -euo pipefail
cd "$(dirname "$0")"

browser=${CHROMIUM:-/usr/bin/chromium}
missing=()
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
[ -x "$browser" ] || missing+=(chromium)
if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "missing, and not to be installed without root and apt-get: ${missing[*]}" >&2
        exit 1
    fi
    install() { DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null; }
    install || { apt-get update -q >/dev/null && install; }
fi
major=$(node --print 'process.versions.node.split(".")[0]')
if [ "$major" -lt 20 ]; then
    echo "Node is too old: $(node --version); 20 or newer is needed" >&2
    exit 1
fi

# Again only if what is locked has changed: then there is no network needed for the next run.
if ! cmp -s package-lock.json node_modules/.installed-lock.json; then
    npm ci --no-audit --no-fund --loglevel=error
    cp package-lock.json node_modules/.installed-lock.json
fi

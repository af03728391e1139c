#!/bin/sh
# PostgreSQL, Chromium, Pango (PDF) and fonts, from the system's packages where that is allowed;
# else: what to do.
set -u

have_postgres() { command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; }
have_pango() { ldconfig -p 2>/dev/null | grep -q libpangoft2 || [ -e /usr/local/lib/libpango-1.0.dylib ] || [ -e /opt/homebrew/lib/libpango-1.0.dylib ]; }
have_chromium() { command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1; }

missing=""
have_postgres || missing="$missing postgresql"
have_chromium || missing="$missing chromium"
have_pango || missing="$missing libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing from the system's packages:$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && apt-get install -qq -y --no-install-recommends $missing fonts-dejavu-core fonts-noto-core >/dev/null
fi

missing=""
have_postgres || missing="$missing postgresql"
have_chromium || missing="$missing chromium"
have_pango || missing="$missing libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
if [ -n "$missing" ]; then
    echo "the tests need:$missing" >&2
    echo "on Debian or Ubuntu: sudo apt-get install$missing" >&2
    exit 1
fi

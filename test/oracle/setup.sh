#!/usr/bin/env bash
# What `npm run oracle` needs: SPIN and a C compiler, from Debian when they are not there yet.
set -euo pipefail
command -v spin >/dev/null && command -v gcc >/dev/null && exit 0
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends spin gcc libc6-dev >/dev/null

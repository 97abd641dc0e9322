#!/usr/bin/env bash
# Runs every example as somebody elsewhere would: copied away, with the packed package installed by npm.
# Prints how long that takes from `npm install` to the end, and how many lines each has.
# TARBALL: a package that was packed already. Names of examples: only these.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
tarball=${TARBALL:-$place/$(npm pack --silent --pack-destination "$place" | tail -1)}
[ $# -gt 0 ] || set -- settings transfer browser model testing inspect

seconds_since() { node -p "((Date.now() - $1) / 1000).toFixed(1)"; }
now() { date +%s%3N; }

for name in "$@"; do
  cp -r "examples/$name" "$place/$name"
  cd "$place/$name"
  lines=$(cat ./*.mjs | grep -c '[^[:space:]]')
  printf '\n--- %s: %s lines\n' "$name" "$lines"
  begun=$(now)
  npm install --silent --no-audit --no-fund --prefer-offline "$tarball"
  installed=$(seconds_since "$begun")
  npm start --silent
  printf -- '--- %s: installed after %s s, done after %s s\n' \
    "$name" "$installed" "$(seconds_since "$begun")"
  cd "$root"
done

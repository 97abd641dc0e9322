#!/usr/bin/env bash
# The documentation, held to what it says: built, its links followed, looked at in Chromium, its code
# typed and run against the package as npm would install it. TARBALL: one that was packed already.
set -euo pipefail
cd "$(dirname "$0")/../.."
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
before=$(git status --porcelain)
tarball=${TARBALL:-$place/$(npm pack --silent --pack-destination "$place" | tail -1)}
(cd "$place" && npm init --yes > /dev/null && npm install --silent --no-audit --no-fund "$tarball")
npm run --silent docs
node docs/site/links.mjs dist/docs "$place/node_modules/tahoe-mutable"
node docs/site/look.mjs dist/docs
node docs/site/blocks.mjs "$place"
if [ "$(git status --porcelain)" != "$before" ]; then
  echo "something was left behind in the checkout:" >&2
  git status --porcelain >&2
  exit 1
fi

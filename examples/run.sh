#!/usr/bin/env bash
# Runs the examples against the package as it would be published: packed, and unpacked beside them in
# a folder of its own. Its dependencies are those that `npm ci` installed; nothing is downloaded.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
package=$place/node_modules/tahoe-mutable
npm pack --silent --pack-destination "$place" > /dev/null
mkdir -p "$package"
tar -xzf "$place"/tahoe-mutable-*.tgz -C "$package" --strip-components=1
for name in $(node -p "Object.keys(require('$package/package.json').dependencies).join(' ')"); do
  mkdir -p "$(dirname "$place/node_modules/$name")"
  ln -s "$root/node_modules/$name" "$place/node_modules/$name"
done
cp -r examples/testing "$place"
cd "$place/testing"
node main.mjs

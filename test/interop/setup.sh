#!/usr/bin/env bash
# Makes the Python environment of the interop suite: the real Tahoe-LAFS 1.20.0 in .venv/tahoe/.
# Idempotent and quick when nothing changed; says what is missing otherwise. No root needed.
set -euo pipefail
cd "$(dirname "$0")/../.."

requirements=test/interop/requirements.txt
venv=.venv/tahoe

missing() {
  echo "test:interop: $1" >&2
  exit 1
}

python=
for candidate in python3 python3.13 python3.12 python3.11; do
  if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
    2>/dev/null; then
    python=$candidate
    break
  fi
done
[ -n "$python" ] ||
  missing "needs Python 3.11, 3.12 or 3.13 (on Debian 12 or 13: apt-get install python3 python3-venv)"

# The stamp names all that the environment was made from; a broken install never gets one.
stamp="$("$python" --version) at $PWD, $(sha256sum "$requirements")"
if [ -x "$venv/bin/python" ] && [ "$(cat "$venv/stamp" 2>/dev/null)" = "$stamp" ]; then
  exit 0
fi

"$python" -c 'import ensurepip, venv' 2>/dev/null ||
  missing "$python has no venv module (on Debian: apt-get install python3-venv)"

echo "test:interop: installing Tahoe-LAFS 1.20.0 into $venv (once)" >&2
rm -rf "$venv"
"$python" -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
  --requirement "$requirements" ||
  missing "pip could not install $requirements (is a Python package index reachable?)"
"$venv/bin/python" -c 'import allmydata.client' ||
  missing "Tahoe-LAFS was installed but cannot be imported"
echo "$stamp" > "$venv/stamp"

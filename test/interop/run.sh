#!/usr/bin/env bash
# The interop suite, and then a look through all that it printed: no swissnum, no write enabler, no lease
# secret and no write cap may be in it. Arguments go to vitest.
set -uo pipefail
cd "$(dirname "$0")/../.."
bash test/interop/setup.sh || exit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export INTEROP_SECRETS=$work/secrets
npx vitest run --config vitest.interop.config.ts "$@" 2>&1 | tee "$work/output"
code=$?
if [ ! -s "$INTEROP_SECRETS" ]; then
  echo "test:interop: no grid has left its secrets to be searched for" >&2
  exit 1
fi
if grep -qaFf "$INTEROP_SECRETS" "$work/output"; then
  echo "test:interop: a swissnum, a write enabler or a lease secret was printed" >&2
  exit 1
fi
if grep -qaE 'URI:(SSK|MDMF|DIR2|DIR2-MDMF):[a-z2-7]{26}:[a-z2-7]{52}' "$work/output"; then
  echo "test:interop: a write cap was printed" >&2
  exit 1
fi
echo "test:interop: no secret in $(wc -l < "$work/output") lines of output"
exit "$code"

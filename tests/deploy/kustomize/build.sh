#!/usr/bin/env bash
# Builds kustomize into the directory of programs that is named, unless the machine has it or kubectl: the tests of
# deploy/ render with either. Its sources are held by go.sum, the Go toolchain by requirements/kustomize.txt, which
# goes again when it has done its work. Without a network there is no kustomize, and those tests skip.
set -euo pipefail
programs=$(cd "$1" && pwd)
if [ -x "$programs/kustomize" ] || command -v kubectl kustomize >/dev/null; then exit 0; fi
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
export GOPATH=$scratch/path GOCACHE=$scratch/cache GOTOOLCHAIN=local GOFLAGS=-mod=readonly CGO_ENABLED=0

echo "Building kustomize for the tests of deploy/ (a minute or two, once) ..."
build() {
  "$programs/python" -m pip install --quiet --disable-pip-version-check --require-hashes --target "$scratch/go" \
    -r ../../../requirements/kustomize.txt &&
    "$scratch/go/go/bin/go" build -o "$scratch/kustomize" sigs.k8s.io/kustomize/kustomize/v5
}
if build >"$scratch/log" 2>&1; then
  mv "$scratch/kustomize" "$programs/kustomize"
else
  cat "$scratch/log" >&2
  echo "kustomize could not be built; the tests that need it or kubectl will skip." >&2
fi

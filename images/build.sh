#!/usr/bin/env bash
# Builds images: DOCKER=... TAG=... images/build.sh TARGET...   (make images calls it)
# PYTHON_BASE names another base, best by digest. Where PIP_CONFIG_FILE names pip's configuration (an index of
# one's own, say), the builds use it, as a secret that no image keeps. BUILD_FLAGS are handed to docker build.
# What is installed in each image is written to build/sbom/TARGET.json; a label of the image has that file's digest.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DOCKER:?}" "${TAG:?}"
base=${PYTHON_BASE:-$(sed -n 's/^ARG PYTHON_BASE=//p' images/Dockerfile)}
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
flags=(--file images/Dockerfile --build-arg "PYTHON_BASE=$base" --build-arg "VERSION=$TAG" --build-arg "REVISION=$revision")
# Newer engines take an image's own time from it; that of its files is always the same.
flags+=(--build-arg "SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 0)")
flags+=(--label "org.opencontainers.image.base.name=${base%@*}")
[ "$base" = "${base%@*}" ] || flags+=(--label "org.opencontainers.image.base.digest=${base#*@}")
[ ! -f "${PIP_CONFIG_FILE:-}" ] || flags+=(--secret "id=pip,src=$PIP_CONFIG_FILE")

"$DOCKER" version >/dev/null 2>&1 || {
  echo "error: no Docker engine answers to '$DOCKER'; start one, or name the command with make images DOCKER=..." >&2
  exit 1
}
export DOCKER_BUILDKIT=1
mkdir -p build/sbom
for target in "$@"; do
  name="quillflow/$target" sbom="build/sbom/$target.json"
  echo "Building $name:$TAG ..."
  # shellcheck disable=SC2086 -- BUILD_FLAGS are several words
  "$DOCKER" build --quiet "${flags[@]}" ${BUILD_FLAGS:-} --target "$target" --tag "$name:$TAG" . >/dev/null
  "$DOCKER" run --rm --interactive --network none --entrypoint python3 "$name:$TAG" - "$name" "$TAG" \
    <images/sbom.py >"$sbom"
  digest=$({ sha256sum "$sbom" 2>/dev/null || shasum -a 256 "$sbom"; } | cut -d ' ' -f 1)
  echo "FROM $name:$TAG" |
    "$DOCKER" build --quiet --label "quillflow.sbom.digest=sha256:$digest" --tag "$name:$TAG" - >/dev/null
done

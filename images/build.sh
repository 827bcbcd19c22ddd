#!/usr/bin/env bash
# Builds images: DOCKER=... TAG=... images/build.sh TARGET...   (make images calls it)
# PYTHON_BASE names another base, best by digest. Where PIP_CONFIG_FILE names pip's configuration (an index of
# one's own, say), the builds use it, as a secret that no image keeps. BUILD_FLAGS are handed to docker build.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DOCKER:?}" "${TAG:?}"
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
flags=(--file images/Dockerfile --build-arg "VERSION=$TAG" --build-arg "REVISION=$revision")
[ -z "${PYTHON_BASE:-}" ] || flags+=(--build-arg "PYTHON_BASE=$PYTHON_BASE")
[ ! -f "${PIP_CONFIG_FILE:-}" ] || flags+=(--secret "id=pip,src=$PIP_CONFIG_FILE")

"$DOCKER" version >/dev/null 2>&1 || {
  echo "error: no Docker engine answers to '$DOCKER'; start one, or name the command with make images DOCKER=..." >&2
  exit 1
}
for target in "$@"; do
  echo "Building quillflow/$target:$TAG ..."
  # shellcheck disable=SC2086 -- BUILD_FLAGS are several words
  DOCKER_BUILDKIT=1 "$DOCKER" build --quiet "${flags[@]}" ${BUILD_FLAGS:-} \
    --target "$target" --tag "quillflow/$target:$TAG" . >/dev/null
done

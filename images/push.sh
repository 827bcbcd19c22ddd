#!/usr/bin/env bash
# Pushes images to a registry: DOCKER=... TAG=... images/push.sh REGISTRY TARGET...   (make push calls it)
# A tag means one thing for ever: it is pushed from a clean checkout only, and never over one that is there.
# The base is fetched and named by its digest. Beside TAG goes TAG-sbom, whose only file says what is installed.
# INSECURE=yes asks a registry whose certificate nobody signed, too.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DOCKER:?}" "${TAG:?}"
registry=${1%/}
shift
[ -n "$registry" ] || { echo "error: name the registry: make push REGISTRY=registry.example/team" >&2; exit 2; }
[ -d .git ] || [ -f .git ] || { echo "error: this is no git checkout, so the images have no commit to be named by" >&2; exit 1; }
[ -z "$(git status --porcelain)" ] || {
  echo "error: the working tree has changes, so its images are no commit's; commit or stash them (git status)" >&2
  exit 1
}
for target in "$@"; do
  name="$registry/quillflow/$target:$TAG"
  # An older docker can't read the manifests that a newer one writes, but then there is one.
  if said=$("$DOCKER" manifest inspect ${INSECURE:+--insecure} "$name" 2>&1) ||
    grep -q 'unsupported manifest format' <<<"$said"; then
    echo "error: $name is there already; a tag is never pushed twice, commit a change first" >&2
    exit 1
  elif ! grep -qiE 'no such manifest|manifest unknown|name unknown|not found' <<<"$said"; then
    echo "warning: can't see whether $name is there already: $(head -1 <<<"$said")" >&2
  fi
done
PYTHON_BASE=${PYTHON_BASE:-$(sed -n 's/^ARG PYTHON_BASE=//p' images/Dockerfile)}
if [ "$PYTHON_BASE" = "${PYTHON_BASE%@*}" ]; then
  said=$("$DOCKER" pull "$PYTHON_BASE" 2>&1) && digest=$(sed -n 's/^Digest: //p' <<<"$said") && [ -n "$digest" ] || {
    echo "error: can't fetch the base $PYTHON_BASE to name it by its digest: $(tail -1 <<<"$said")" >&2
    exit 1
  }
  PYTHON_BASE=$PYTHON_BASE@$digest
fi
export PYTHON_BASE
images/build.sh "$@"
for target in "$@"; do
  name="$registry/quillflow/$target:$TAG"
  tar -c -C build/sbom "$target.json" | "$DOCKER" import - "$name-sbom" >/dev/null
  "$DOCKER" push --quiet "$name-sbom" >/dev/null
  "$DOCKER" tag "quillflow/$target:$TAG" "$name"
  "$DOCKER" push "$name" | sed -n "s|.* digest: \\(sha256:[0-9a-f]*\\) .*|$name@\\1|p"
done

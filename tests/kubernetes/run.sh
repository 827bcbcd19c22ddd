#!/usr/bin/env bash
# Runs the tests of a real Kubernetes: DOCKER=... TAG=... tests/kubernetes/run.sh PYTHON   (make test-cluster calls it)
# QUILLFLOW_KUBECONFIG leads to a cluster: QUILLFLOW_HOST is this machine as its pods see it, and QUILLFLOW_REGISTRY
# where its nodes fetch the images that `make push` put there. Without, the script CLUSTER_UP brings up a cluster on
# this machine, which is given the images and goes again unless it was up before.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${DOCKER:?}" "${TAG:?}"

if [ -z "${QUILLFLOW_KUBECONFIG:-}" ]; then
  up=${CLUSTER_UP:-../shared/cluster/up.sh} home=${CLUSTER_HOME:-/var/tmp/cluster}
  [ -f "$up" ] || {
    echo "error: no cluster; name its kubeconfig in QUILLFLOW_KUBECONFIG, or in CLUSTER_UP a script that starts one" >&2
    exit 2
  }
  export QUILLFLOW_KUBECONFIG=$home/kubeconfig PATH=$home/bin:$PATH
  answers() { kubectl --kubeconfig "$QUILLFLOW_KUBECONFIG" get --raw=/readyz >/dev/null 2>&1; }
  answers || trap 'bash "$(dirname "$up")/down.sh"' EXIT
  bash "$up" >/dev/null
  images=()
  for stage in ingest vectorize train sample tensorboard; do images+=("quillflow/$stage:$TAG"); done
  echo "Handing the images to the cluster ..."
  "$DOCKER" save "${images[@]}" | ctr -n k8s.io images import - >/dev/null
fi
"$1" -m pytest --durations=10 tests/kubernetes

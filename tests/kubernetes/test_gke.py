"""The overlay for GKE goes into a real cluster; what it opens to Google's addresses leads nowhere here."""

from tests.kubernetes.kubectl import DEPLOY, NAMESPACE, get, kubectl, refusal


def test_the_overlay_its_jobs_and_tensorboard_are_taken() -> None:
    overlay = str(DEPLOY / "overlays/gke")
    try:
        kubectl("apply", "--kustomize", overlay)
        policies = {policy["metadata"]["name"] for policy in get("networkpolicies")["items"]}
        assert {"default-deny", "dns", "kubernetes-api"} < policies
        for option in ("jobs", "tensorboard"):
            reported = kubectl("apply", "--dry-run=server", "--kustomize", f"{overlay}/{option}")
            assert "would violate PodSecurity" not in reported
        # Applied again, nothing changes.
        assert set(kubectl("apply", "--kustomize", overlay).split()) & {"created", "configured"} == set()
    finally:
        kubectl("delete", "namespace", NAMESPACE, "--wait")
    assert "not found" in refusal("get", "namespace", NAMESPACE)

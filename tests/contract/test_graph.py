"""The compiled pipeline of a cluster: what a step depends on, what is compared with the champion, and the exit task."""

import json

import pytest

from pipelines.build.environment import environment
from tests.contract.test_compiled import CLUSTERS, WHOLE, specification, tasks


@pytest.mark.parametrize("place", CLUSTERS)
def test_ingest_compares_with_the_environments_champion_by_the_environments_gates(place: str) -> None:
    for name, parameter in ((WHOLE, "ingest"), ("ingest", "settings")):
        spec, _ = specification(place, name)
        champion = dict(tasks(spec))["ingest"]["inputs"]["parameters"]["champion"]
        assert champion == {"runtimeValue": {"constant": environment(place).cluster.champion}}
        defaults = spec["root"]["inputDefinitions"]["parameters"][parameter]["defaultValue"]
        assert defaults == environment(place).settings["ingest"]


@pytest.mark.parametrize("place", CLUSTERS)
def test_what_comes_after_ingest_depends_on_whether_anything_changed(place: str) -> None:
    spec, _ = specification(place)
    steps = spec["components"]["comp-exit-handler-1"]["dag"]["tasks"]
    assert steps.keys() == {"ingest", "unchanged", "condition-2"}
    assert steps["condition-2"]["triggerPolicy"]["condition"].endswith("'skip'")
    assert not steps["unchanged"]["cachingOptions"].get("enableCache")  # the champion may have moved
    default = spec["root"]["inputDefinitions"]["parameters"]["on_unchanged"]["defaultValue"]
    assert default == "train"  # a schedule sets it


@pytest.mark.parametrize("place", CLUSTERS)
def test_a_run_s_end_is_reported_by_a_secret_that_need_not_exist(place: str) -> None:
    spec, platform = specification(place)
    notify = spec["root"]["dag"]["tasks"]["notify"]
    assert notify["triggerPolicy"] == {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}
    assert notify["inputs"]["parameters"]["status"] == {"taskFinalStatus": {"producerTask": "exit-handler-1"}}
    assert not notify["cachingOptions"].get("enableCache")
    assert "train" not in spec["deploymentSpec"]["executors"]["exec-notify"]["container"]["image"]
    pod = platform["deploymentSpec"]["executors"]["exec-notify"]
    (urls,) = (one for one in pod["secretAsEnv"] if one["secretName"] == "notifications")
    assert urls["optional"] is True
    assert {one["secretKey"] for one in urls["keyToEnv"]} == {"webhook", "heartbeat"}
    assert "QUILLFLOW_WEBHOOK_URL" not in json.dumps(spec["root"])

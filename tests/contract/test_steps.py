"""The table of steps says what the pipeline's tasks, their components and their images are."""

import importlib
import re
from typing import Any

import pytest

from components.steps import HERE, MADE_BY, STAGES, STEPS
from pipelines.build.environment import environment
from pipelines.single_stages import ALONE
from pipelines.text_generation import Artifacts, build
from tests.contract.test_imports import ROOT


def component(step: str) -> Any:
    return getattr(importlib.import_module(f"components.{step}.component"), step).component_spec


@pytest.mark.parametrize("step", STEPS)
def test_a_steps_component_takes_and_makes_what_its_row_says(step: str) -> None:
    spec, row = component(step), STEPS[step]
    inputs = {name for name, value in spec.inputs.items() if value.type != "String" or name == "source"}
    outputs = {name for name in spec.outputs or {} if name not in {"page", "card", "summary", "metrics", "Output"}}
    assert inputs - {"settings", "status", *STAGES} == row.inputs.keys()
    assert outputs == row.outputs.keys()
    assert ("page" in (spec.outputs or {})) == bool(row.page)
    assert not row.page or row.page in row.outputs
    assert f"quillflow/{row.host}:" in spec.implementation.container.image


def test_the_pipeline_has_the_tables_steps_in_its_order() -> None:
    gke = environment("gke")
    one_pod = gke.model_copy(update={"sample": gke.sample.model_copy(update={"shards": 1})})
    spec = build(one_pod).pipeline_spec
    dags = [spec.root.dag, *(component.dag for component in spec.components.values())]
    assert {
        name for dag in dags for name in dag.tasks if not re.match("condition-|exit-handler-", name)
    } == STEPS.keys()
    assert {*build(one_pod, here=True).pipeline_spec.root.dag.tasks} == {*HERE}
    assert Artifacts._fields == tuple(MADE_BY)


def test_every_stage_has_a_pipeline_and_a_command_of_its_own() -> None:
    assert ALONE.keys() == STAGES.keys()
    for stage in STAGES:
        assert importlib.import_module(f"components.{stage}.__main__").STAGE is STAGES[stage]


def test_every_step_is_in_the_table() -> None:
    assert {path.parent.name for path in (ROOT / "components").glob("*/component.py")} == STEPS.keys()

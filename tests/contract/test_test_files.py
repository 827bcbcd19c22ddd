"""Tests can be found: each module has a test file of its name; each file is short, and says what it shows."""

import ast
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAXIMUM_LINES = 300
TESTS = ROOT / "tests"
TEST_FILES = sorted(path.relative_to(TESTS) for path in TESTS.rglob("*.py"))
MODULES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("components", "pipelines")
    for path in (ROOT / folder).rglob("*.py")
    if path.name not in {"__init__.py", "version.py"}
)

ELSEWHERE = {
    # By every kind of store, on loopback.
    "components/artifacts/storage/*": "storage",
    "components/train/ownership.py": "storage/test_ownership.py",
    "components/train/showing.py": "unit/train/test_live.py",
    # Side by side with others of its kind.
    "components/generator/cells/*": "unit/generator/test_cells.py",
    "components/generator/ops/*": "unit/generator/test_ops.py",
    "components/generator/light/*": "unit/generator/test_light.py",
    "components/*/config.py": "unit/command/test_settings_flags.py",
    # By what it is there for.
    "components/*/component.py": "contract/test_compiled.py",
    "components/*/__main__.py": "unit/command/test_stage.py",
    "components/*/stage.py": "contract/test_steps.py",
    "components/steps.py": "contract/test_steps.py",
    "components/command/parser.py": "unit/command/test_stage.py",
    "components/artifacts/builtin.py": "unit/artifacts/test_source.py",
    "components/artifacts/champion.py": "cluster/test_champion.py",
    "components/artifacts/dataset.py": "unit/train/test_data.py",
    "components/artifacts/errors.py": "unit/command/test_stage.py",
    "components/artifacts/finding.py": "unit/pipelines/results/test_finding.py",
    "components/artifacts/lineage.py": "unit/ingest/test_gates.py",
    "components/artifacts/pace.py": "storage/test_progress.py",
    "components/artifacts/tensorflow.py": "unit/train/test_devices.py",
    "components/artifacts/typed.py": "integration/test_run.py",
    "components/generator/architecture.py": "unit/generator/test_network.py",
    "components/generator/files.py": "unit/generator/test_weights.py",
    "components/generator/next_token.py": "unit/generator/test_writing.py",
    "components/generator/rows.py": "unit/generator/test_writing.py",
    "components/generator/scoring.py": "unit/train/test_evaluation.py",
    "components/generator/temperature.py": "unit/sample/test_config.py",
    "components/ingest/doubts.py": "unit/ingest/test_kinds.py",
    "components/ingest/statistics.py": "unit/ingest/test_report.py",
    "components/judging/*": "unit/judging/test_evaluating.py",
    "components/notify/*": "unit/notify/test_notifying.py",
    "components/prune/*": "storage/test_prune_command.py",
    "components/report/*": "unit/report/test_reporting.py",
    "components/sample/views.py": "unit/command/test_views.py",
    "components/tensorboard/logs.py": "unit/tensorboard/test_mirroring.py",
    "components/vectorize/division.py": "unit/vectorize/test_documents.py",
    "pipelines/build/champion.py": "cluster/test_submit.py",
    "pipelines/build/forms.py": "unit/pipelines/build/test_environment.py",
    # On a Kubeflow server of the tests' own, and with a Docker engine.
    "pipelines/cluster/*": "cluster",
    "pipelines/commands/cluster.py": "cluster/test_refusals.py",
    "pipelines/commands/promote.py": "cluster/test_champion.py",
    "pipelines/commands/sweep.py": "integration/test_sweep.py",
    "pipelines/commands/rerun.py": "cluster/test_rerun.py",
    "pipelines/commands/runs.py": "cluster/test_runs.py",
    "pipelines/commands/schedule.py": "cluster/test_schedules.py",
    "pipelines/commands/submit.py": "cluster/test_submit.py",
    "pipelines/results/reruns.py": "cluster/test_rerun.py",
    # In whole runs through Kubeflow's engine.
    "pipelines/commands/run.py": "integration/test_run.py",
    "pipelines/local/running.py": "integration/test_run.py",
    "pipelines/local/engine_hooks.py": "integration/test_run.py",
    # By the command that they do the work of, or by their own.
    "pipelines/commands/compile.py": "unit/pipelines/build/test_compile.py",
    "pipelines/commands/artifacts.py": "unit/pipelines/results/test_fetching.py",
    "pipelines/commands/completion_script.py": "unit/pipelines/commands/test_completion.py",
    "pipelines/commands/doctor.py": "unit/pipelines/doctor/test_doctor.py",
    "pipelines/commands/inspect.py": "unit/vectorize/test_inspect.py",
    "pipelines/commands/output.py": "unit/pipelines/commands/test_printed.py",
    "pipelines/commands/recipes.py": "unit/pipelines/commands/test_printed.py",
    "pipelines/doctor/check.py": "unit/pipelines/doctor/test_doctor.py",
    "pipelines/results/comparison*.py": "unit/pipelines/commands/test_compare.py",
    "pipelines/results/completing.py": "unit/pipelines/commands/test_complete.py",
    # Compiled.
    "pipelines/build/placement.py": "contract/test_compiled.py",
    "pipelines/build/shards.py": "contract/test_compiled.py",
    "pipelines/single_stages.py": "contract/test_compiled.py",
    "pipelines/text_generation.py": "contract/test_compiled.py",
    # As part of a page.
    "components/artifacts/curves.py": "pages/test_markup.py",
    "components/artifacts/page.py": "pages/test_markup.py",
    "components/artifacts/plots.py": "pages/test_markup.py",
}
"""Where modules are tested that have no test file of their name: a file or folder, by the modules' paths."""


def own_test(module: str) -> Path:
    """Where a module's test file is, if it has one."""
    top, *folders, name = module.split("/")
    return TESTS.joinpath("unit", *([top] if top == "pipelines" else []), *folders, f"test_{name}")


def test_each_module_has_a_test_file_of_its_name_or_a_place_that_is_listed() -> None:
    untested = [module for module in MODULES if not own_test(module).exists()]
    assert [module for module in untested if not any(fnmatch(module, pattern) for pattern in ELSEWHERE)] == []


@pytest.mark.parametrize("pattern", ELSEWHERE)
def test_the_list_names_tests_that_exist_for_modules_that_need_it(pattern: str) -> None:
    assert (TESTS / ELSEWHERE[pattern]).exists()
    assert [module for module in MODULES if fnmatch(module, pattern) and not own_test(module).exists()]


def test_each_test_file_opens_with_what_it_shows() -> None:
    heads = {path: ast.get_docstring(ast.parse((TESTS / path).read_text(encoding="utf-8"))) for path in TEST_FILES}
    assert [str(path) for path, head in heads.items() if not head] == []


def test_no_test_file_is_long() -> None:
    lines = {path: len((TESTS / path).read_text(encoding="utf-8").splitlines()) for path in TEST_FILES}
    assert {str(path): count for path, count in lines.items() if count > MAXIMUM_LINES} == {}

# Every target sets itself up: the first one run on a machine makes .venv from the hash-locked requirements.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
IMAGES := ingest vectorize train train-gpu sample tensorboard
# Compiling all modules takes a minute, and Python compiles those that are imported itself. The lock is complete, so
# nothing is resolved.
PIP_OPTIONS := --quiet --disable-pip-version-check --no-compile --no-deps
# Where this is set Python keeps nothing of what it compiles, and TensorFlow takes 20 seconds to import every time.
unexport PYTHONDONTWRITEBYTECODE
DOCKER ?= $(or $(wildcard /usr/bin/docker),docker)

.PHONY: help setup demo images push test test-slow test-containers test-cluster soak bench bench-plots bench-ablations bench-circles bench-checkpoints bench-gpu check-gpu-kernels lint types format lock clean

help:  ## Show this list.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

setup: $(VENV)/.installed  ## Make .venv with everything the project needs.

$(VENV)/.requirements: requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "error: Quillflow needs Python 3.11 to 3.13; name one with: make PYTHON=/path/to/python3.11 ..." >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "error: this Python has no venv module; on Debian: apt-get install python3-venv" >&2; exit 2; }
	@echo "Setting up $(VENV) (a minute or two, once) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install $(PIP_OPTIONS) --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.installed: $(VENV)/.requirements pyproject.toml
	@$(BIN)/python -m pip install $(PIP_OPTIONS) --no-build-isolation --editable .
	@touch $@

demo: setup  ## Run the whole pipeline on the embedded corpus, in a minute or two.
	@$(BIN)/quillflow run --recipe quick

PYTEST = $(BIN)/python -m pytest --dist worksteal --numprocesses

# A third process computes while two of them wait, for a store or for a process to end.
test: setup  ## Test every part, in about six minutes; needs no network, Docker or GPU.
	@tests/deploy/kustomize/build.sh $(BIN)
	@$(PYTEST) 3 -m "not slow"

# Half of their time they wait, for a store that is away or for a process to end.
test-slow: setup  ## Run the tests that take long: random kills, whole recipes, documented commands.
	@$(PYTEST) 3 -m slow

# train-gpu takes several gigabytes: it is built where a GPU is, where it is named, and for every push.
LOCAL_IMAGES = $(or $(ONLY),$(if $(wildcard /dev/nvidiactl),$(IMAGES),$(filter-out train-gpu,$(IMAGES))))

images: setup  ## Build the images with Docker; train-gpu where a GPU is, or ONLY="train-gpu".
	@DOCKER="$(DOCKER)" TAG=$$($(BIN)/python -m pipelines.build.images) images/build.sh $(LOCAL_IMAGES)

push: setup  ## Build all images and push them: REGISTRY=registry.example/team, ONLY="ingest sample".
	@DOCKER="$(DOCKER)" TAG=$$($(BIN)/python -m pipelines.build.images) images/push.sh "$(REGISTRY)" $(or $(ONLY),$(IMAGES))

test-containers: images  ## Run every test that needs Docker: the images, and the pipeline in them.
	@$(BIN)/python -m pytest tests/containers

# Another's cluster fetches the images from where make push put them.
test-cluster: $(if $(QUILLFLOW_KUBECONFIG),setup,images)  ## Run the Jobs on a real Kubernetes.
	@DOCKER="$(DOCKER)" TAG=$$($(BIN)/python -m pipelines.build.images) tests/kubernetes/run.sh $(BIN)/python

soak: setup  ## Kill training 1,000 times and compare what it ends with (about an hour).
	@SOAK_KILLS=1000 $(BIN)/python -m pytest -s -m slow tests/durability/test_kills.py

bench: setup  ## Measure speed and overhead against their targets; BUDGET=short, ONLY="fidelity overhead".
	@BUDGET="$(or $(BUDGET),full)" ONLY="$(ONLY)" $(BIN)/python -m tests.benchmarks

bench-plots: setup  ## Draw loss against time as make bench ONLY=learning measured it.
	@$(BIN)/python -m tests.benchmarks.plots

bench-ablations: setup  ## Measure what each part of the recipe default is worth.
	@$(BIN)/python -m tests.benchmarks.ablations

bench-circles: setup  ## Measure which sampling keeps texts from going in circles; prints the table of docs/recipes.md.
	@$(BIN)/python -m tests.benchmarks.circles

bench-checkpoints:  ## Measure what a checkpoint costs training.
	@$(MAKE) --no-print-directory bench ONLY=checkpoints

# .venv has TensorFlow for CPUs, which sees no GPU.
GPU_HERE := $(wildcard /dev/nvidiactl)
bench-gpu: setup $(if $(GPU_HERE),build/gpu/.installed)  ## Measure training on a GPU; skips where TensorFlow sees none.
	@BUDGET="$(or $(BUDGET),full)" $(if $(GPU_HERE),build/gpu/.venv/bin,$(BIN))/python -m tests.benchmarks.gpu

check-gpu-kernels: setup build/gpu-kernels/.installed  ## Check what can be known of a GPU without one.
	@build/gpu-kernels/.venv/bin/python -m tests.gpu_kernels

# Environments with train-gpu's requirements and what reads recipes; gpu-kernels leaves out CUDA, most of the gigabytes.
build/gpu/.installed: LEFT_OUT := ^-
build/gpu-kernels/.installed: LEFT_OUT := ^nvidia-
build/gpu/.installed build/gpu-kernels/.installed: requirements/train-gpu.txt $(VENV)/.requirements
	@echo "Setting up $(@D)/.venv with TensorFlow for GPUs (a few minutes and gigabytes, once) ..."
	@$(BIN)/python -m venv --clear $(@D)/.venv
	@awk '/^[a-z]/ { wanted = FILENAME ~ /dev/ ? /^pyyaml==/ : !/$(LEFT_OUT)/ } wanted' \
		requirements/train-gpu.txt requirements/dev.txt > $(@D)/requirements.txt
	@$(@D)/.venv/bin/python -m pip install $(PIP_OPTIONS) --require-hashes \
		-r $(@D)/requirements.txt
	@touch $@

lint: setup  ## Check style.
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: setup  ## Check types.
	@$(BIN)/mypy

format: setup  ## Put the code in its standard form.
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

# The images' versions are held to dev's, so that what is tested is what runs.
lock: setup  ## Lock the requirements again from pyproject.toml.
	@$(BIN)/uv pip compile --quiet pyproject.toml --extra dev --output-file requirements/dev.txt $(LOCK)
	@for image in $(IMAGES); do \
		$(BIN)/uv pip compile --quiet pyproject.toml --extra $$image --constraint requirements/dev.txt \
			--output-file requirements/$$image.txt $(LOCK) || exit 1; done
	@$(BIN)/uv pip compile --quiet --group kustomize --output-file requirements/kustomize.txt $(LOCK)
	@echo kfp | $(BIN)/uv pip compile --quiet - --no-deps --constraint requirements/dev.txt \
		--output-file requirements/kfp.txt $(LOCK)

LOCK := --universal --generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 --custom-compile-command "make lock"

clean:  ## Remove .venv and caches; runs stay.
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis

# The two commands of the README are `make demo` and `make test`; both make the environments that they need.
#
#   make env      the three environments (see docs/environments.md)
#   make demo     a full-size ERNIE-M (FAMILY=ernie: ERNIE 3.0, FAMILY=uie: UIE): made with PaddleNLP, converted,
#                 verified, loaded, pushed to a local Hub
#   make test     style, types and the whole suite, in every environment
#   make test-quick   the tests without Paddle, network and slow processes, for the loop while one works (a few minutes)
#   make test-fleet   examples/fleet_ray.py with two workers, in an environment with Ray (0.3 GB of disk)
#   make check    style, types and the contracts of imports alone
#   make pythons  the built wheel in empty environments, on every Python from 3.9 to 3.13 that is here
#   make bench    speed and memory compared with other tools, some minutes (ONLY=convert); FULL=1: all sizes, docs/ (an hour)
#   make figures  every figure of docs/, measured anew and written (hours; the work tree must be a commit)
#   make fuzz     damaged and hostile checkpoints for SECONDS (600) with SEED (1)
#   make api      docs/api.md, from the docstrings
#   make clean    remove the demo's files        make distclean   and the environments

PYTHON ?= $(shell command -v python3.11 || command -v python3)
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

PRODUCT := .venv/bin/python
PADDLE := .venv-paddle/bin/python
TRANSFORMERS4 := .venv-transformers4/bin/python
# A file's tests run in one worker; the longest files come first, whatever the number of their tests.
DISTRIBUTION := --dist loadfile --no-loadscope-reorder
# Every run names its ten slowest tests.
SLOWEST := --durations 10 --durations-min 5

.PHONY: env demo test test-quick test-fleet test-product test-transformers4 check pythons bench fuzz figures api clean distclean

env: .venv/.ready .venv-paddle/.ready .venv-transformers4/.ready

# An environment is made anew when its pins change, and not looked at again while they do not.
define make-environment
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "Python 3.11 is needed, found: $(PYTHON). Name one: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@echo "== $(@D): $(1)"
	@"$(PYTHON)" -m venv --clear "$(@D)"
	@"$(@D)/bin/python" -m pip install -qq --disable-pip-version-check --upgrade pip
	@"$(@D)/bin/python" -m pip install -qq --disable-pip-version-check --progress-bar off $(2)
	@touch $@
	@echo "== $(@D) is ready"
endef

.venv/.ready: requirements/dev.txt pyproject.toml
	$(call make-environment,the product with torch and transformers 5 (1.3 GB of disk),-r requirements/dev.txt)
	@.venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --editable .

.venv-paddle/.ready: requirements/paddle.txt
	$(call make-environment,the reference: Paddle and PaddleNLP (1.8 GB of disk),-r requirements/paddle.txt)

.venv-transformers4/.ready: requirements/transformers4.txt pyproject.toml
	$(call make-environment,the product with transformers 4.57 (1.2 GB of disk),-r requirements/transformers4.txt)
	@.venv-transformers4/bin/python -m pip install -qq --disable-pip-version-check --no-deps --editable .

.venv-ray/.ready: requirements/ray.txt
	$(call make-environment,Ray for examples/fleet_ray.py (0.3 GB of disk),-r requirements/ray.txt)

define announce
	@if [ ! -e .venv/.ready ] || [ ! -e .venv-paddle/.ready ] || [ ! -e .venv-transformers4/.ready ]; then \
	  echo "The first run makes three Python environments in this folder: about 0.6 GB of downloads (more where pip"; \
	  echo "chooses a CUDA build of torch), 4.5 GB of disk, some minutes. Later runs use them as they are."; fi
endef

demo:
	$(announce)
	@echo "The demo needs 3.7 GB of disk in ./demo (2.5 GB when it is done; FAMILY=ernie and FAMILY=uie a third), 1.2 GB for temporary files and 7 GB of memory (FAMILY=uie: 12 GB). Its weights are random: no pretrained ones can be downloaded here."
	@$(MAKE) --no-print-directory .venv/.ready .venv-paddle/.ready
	@$(PRODUCT) benchmarks/demo.py --paddle-python $(PADDLE) $(if $(FAMILY),--family "$(FAMILY)") $(if $(TOKENIZER),--tokenizer "$(TOKENIZER)")

test:
	$(announce)
	@$(MAKE) --no-print-directory env
	@$(MAKE) --no-print-directory check test-product test-transformers4 pythons

check: .venv/.ready
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache

# Which tests these are: tests/support/quick.py.
test-quick: .venv/.ready
	$(PRODUCT) -m pytest -n 2 $(DISTRIBUTION) --quick $(SLOWEST) $(PYTEST_OPTIONS)

test-fleet: .venv/.ready .venv-ray/.ready
	$(PRODUCT) -m pytest -rs $(PYTEST_OPTIONS) tests/examples/test_fleet.py

test-product: env
	@echo "== the whole suite, transformers 5"
	$(PRODUCT) -m pytest -n 2 $(DISTRIBUTION) $(SLOWEST) $(PYTEST_OPTIONS)

# What depends on transformers and huggingface_hub. The run above loads saved variants, saved tokenizers and written
# vocabularies in both lines; what an objective teaches depends on neither. That faults are found in transformers' own
# classes is shown here by the self-test, which injects one of each kind.
test-transformers4: env
	@echo "== models, tokenizers, verification and the Hub, transformers 4.57 and huggingface_hub 0.36"
	$(TRANSFORMERS4) -m pytest -n 2 $(DISTRIBUTION) $(PYTEST_OPTIONS) tests/ernie tests/ernie_m tests/extraction tests/verify/ernie tests/ecosystem \
	  tests/end_to_end tests/transformers4 \
	  --ignore tests/end_to_end/test_saved_variants.py --ignore tests/end_to_end/test_tokenizer_variants.py \
	  --ignore tests/end_to_end/test_wordpiece.py --ignore tests/ernie_m/objectives/test_learning.py \
	  --ignore tests/verify/ernie/test_ernie_faults.py --deselect tests/verify/ernie/test_relatives.py::test_numbers_alone_find_the_fault \
	  tests/converter/locate/test_hub_snapshot.py tests/converter/hub tests/converter/publish tests/converter/write/test_card.py \
	  --ignore tests/converter/publish/test_evidence.py --ignore tests/converter/publish/test_belief.py

# Pythons of pyenv need not be on the PATH.
pythons: .venv/.ready
	@echo "== the wheel, on every Python from 3.9 to 3.13 that is here"
	PATH="$$PATH:$$(printf '%s:' "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.*/bin)" .venv/bin/nox

# Inputs are kept in demo/bench between runs.
bench: env
	$(PRODUCT) -m benchmarks.bench $(if $(FULL),--write) $(if $(ONLY),--only $(ONLY))

fuzz: .venv/.ready
	$(PRODUCT) -m tests.support.fuzz --seconds $(or $(SECONDS),600) --seed $(or $(SEED),1)

figures: env
	for name in parity_table token_table convert_speed bench verify_cost readme verify_stages self_test_counts family_table false_alarms start_up \
	  leak_table attention_picture camlm_learning evaluation_evidence; do \
	  $(PRODUCT) -m benchmarks.$$name --write; done

api: .venv/.ready
	$(PRODUCT) -m benchmarks.api_reference --write

clean:
	rm -rf demo build dist .test-cache .nox .pytest_cache .mypy_cache .ruff_cache .hypothesis

distclean: clean
	rm -rf .venv .venv-paddle .venv-transformers4 .venv-ray

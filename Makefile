# Everything is set up inside the checkout; see README.md. Works with make 3.81.
SHELL = /bin/sh
PY = .venv/bin/python
# Options for `make demo`, as in: make demo ARGS="--homes 3 --days 2"
ARGS =
# What `make demo` runs on: anvil (a development chain), or clique (Geth signers and Kubo)
NETWORK = anvil
# What `make test-contracts` runs, as in: make test-contracts T="tests/contracts/test_x.py -x"
T =

.PHONY: help setup demo test test-unit test-contracts abi lint format deep bench bench-billing \
    bench-credit bench-crypto bench-deviations bench-index bench-net bench-sealing bench-start soak \
    test-net test-prague net-up net-down prove slither mutate gas lock clean

help:
	@echo "make setup   set up what the project needs, inside this folder"
	@echo "make demo    run the whole mechanism on real households (ARGS=\"...\" passes options)"
	@echo "make demo NETWORK=clique   the same on real Geth signers and Kubo (needs Go, once)"
	@echo "make test    run all tests that need no network of nodes"
	@echo "make test-net   run the tests on real networks of Geth and Kubo (needs Go, once)"
	@echo "make net-up   start such a network here, in .cache/network; make net-down ends it"
	@echo "make prove   check the contracts by fuzzing, symbolic proofs and slither (alone: make slither)"
	@echo "make mutate  change the contracts in small ways that the tests must notice (long)"
	@echo "make gas     measure what each call of the contracts costs"
	@echo "make test-prague   run the contract tests with Prague's rules"
	@echo "make lint    check style and types"
	@echo "make deep    run the long checks: fuzzing of decoders and contracts, all proofs, Prague, the soak (up to 90 minutes)"
	@echo "make bench   measure the costly steps"
	@echo "make bench-crypto   measure the cryptography against its Python peers"
	@echo "make bench-billing   measure what a bill of a year takes, its audit, and what a node answers"
	@echo "make bench-index   measure the chain in tables beside plain web3.py"
	@echo "make bench-net   measure the main job on real signers and Kubo beside the paper"
	@echo "make bench-start   measure what starting a command costs"
	@echo "make bench-credit   simulate years of credit: who pays itself beside honest nodes"
	@echo "make bench-deviations   simulate who withholds, declines, disputes falsely, by base fee"
	@echo "make soak    put traffic and trouble on real signers for half an hour (needs Go, once)"
	@echo "make bench-sealing   simulate signers that could come to a halt, by rule"
	@echo "make clean   remove what set-up and runs have made"

setup:
	@sh toolchain/setup.sh

demo: setup
	@.venv/bin/dmsm demo --network $(NETWORK) $(ARGS)

test: setup
	@$(PY) toolchain/run_tests.py

test-unit: setup
	@$(PY) -m pytest -p no:pytest-brownie tests/unit $(T)

test-contracts: setup
	@$(PY) toolchain/brownie_test.py $(T)

# Foundry beside Brownie: invariants and fuzzing, proofs by halmos, what slither finds.
prove: setup
	@$(PY) toolchain/foundry.py test
	@$(PY) toolchain/coverage.py
	@$(PY) toolchain/halmos.py
	@$(PY) toolchain/slither.py

slither: setup
	@$(PY) toolchain/slither.py

# May be stopped and goes on where it was (ARGS="--only PrepaidLock" picks, --report compares only).
mutate: setup
	@$(PY) toolchain/mutate.py $(ARGS)

# Writes tests/snapshots/gas.json, gas-prague.json and docs/gas.md: what has changed shows in the diff.
gas: setup
	@DMSM_KEEP=1 $(PY) toolchain/brownie_test.py tests/contracts/gas/measure.py -q
	@DMSM_KEEP=1 $(PY) toolchain/brownie_test.py --hardfork prague tests/contracts/gas/measure.py -q
	@$(PY) -m bench.gas

test-prague: setup
	@$(PY) toolchain/brownie_test.py --hardfork prague $(T)

test-net: setup
	@$(PY) toolchain/run_network_tests.py $(if $(SHORT),--short) $(T)

# As in: make net-up ARGS="--signers 3 --period 1"
net-up: setup
	@.venv/bin/dmsm net up --dir .cache/network $(ARGS)

net-down:
	@.venv/bin/dmsm net down --dir .cache/network $(ARGS)

# Recompile and write the ABIs that offchain/ reads.
abi: setup
	@$(PY) toolchain/compile.py

lint: setup
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) toolchain/solidity_style.py

format: setup
	@$(PY) -m ruff check --fix --select I .
	@$(PY) -m ruff format .

# What is too long for every change: fuzzing and the like (PARTS="fuzz large-inputs" picks some).
deep: setup
	@$(PY) toolchain/run_deep.py $(PARTS)

bench: setup
	@if [ -f bench/run.py ]; then $(PY) bench/run.py $(ARGS); else echo "no benchmarks yet"; fi

# Peers are installed apart from the project, and only for this.
bench-crypto: setup
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --upgrade \
	    --target .cache/bench -r requirements/bench.txt
	@PYTHONPATH=.cache/bench $(PY) -m bench.crypto $(ARGS)

# A minute or two on an idle machine.
bench-index: setup
	@$(PY) -m bench.index

# The paper's Fig. 6 and Fig. 10 on a network of its own (25 minutes; ARGS=--quick: 2).
bench-net: setup
	@$(PY) -m bench.net $(ARGS)

# A year of quarter hours under the richest tariff.
bench-billing: setup
	@$(PY) -m bench.billing

bench-credit: setup
	@$(PY) -m bench.credit $(ARGS)

# What nodes, buyers and payers earn by deviating, at base fees from 0 to 1,000 gwei (seconds).
bench-deviations: setup
	@$(PY) -m bench.deviations

# What starting a command costs: CPU time and memory.
bench-start: setup
	@$(PY) -m bench.start

# Traffic on real signers while some are killed, frozen, starved, cut off or voted on (half an hour;
# ARGS="--minutes 3 --only killed": less; ARGS="--stock": the rules that halt).
soak: setup
	@$(PY) -m tests.network.soak $(ARGS)

# A model of Clique's rules, a million runs (10 minutes; ARGS="--runs 20000": fewer).
bench-sealing: setup
	@$(PY) -m bench.sealing $(ARGS)

# Recompute the Python locks; needs uv.
lock:
	@sh requirements/lock.sh

clean:
	rm -rf .venv node_modules .cache build out cache reports demo-report *.egg-info .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

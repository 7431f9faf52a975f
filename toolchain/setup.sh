#!/bin/sh
# Sets up everything inside the checkout: .venv, node_modules, .cache (solc, data) and build.
# Each step is skipped while its inputs are unchanged and its result stands. POSIX sh.
set -eu
cd "$(dirname "$0")/.."
ROOT=$(pwd)
STAMPS=.cache/stamps
PY=.venv/bin/python
DATASET=citylearn_challenge_2022_phase_all
SOLC_VERSION=0.8.28
MISSING=0

say() { printf 'set-up: %s\n' "$*"; }
missing() { printf 'set-up: %s\n' "$*" >&2; MISSING=1; }

# --- prerequisites: one line for each that is missing, with the package that brings it ----------

is_python311() {
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' >/dev/null 2>&1
}

find_python() {
    for candidate in ${PYTHON:-} python3.11 /usr/bin/python3.11 python3; do
        if is_python311 "$candidate"; then echo "$candidate"; return; fi
    done
}

check_platform() {
    if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]; then
        missing "needs Linux on x86_64, this is $(uname -s) on $(uname -m); see docs/known-limits.md"
        return
    fi
    glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed 's/^glibc //') || glibc=
    case $glibc in
        2.3[5-9]* | 2.[4-9][0-9]* | [3-9]*) ;;
        *) missing "needs glibc 2.35 or newer, found ${glibc:-none}: use Debian 12, Ubuntu 22.04 or newer" ;;
    esac
}

check_python() {
    PYTHON311=$(find_python)
    if [ -z "$PYTHON311" ]; then
        missing "python3.11 is missing: apt-get install python3.11"
    elif ! has_venv; then
        missing "python3.11 cannot make a virtual environment: apt-get install python3-venv (Ubuntu: python3.11-venv)"
    fi
}

has_venv() {
    if [ -x $PY ] && $PY -m pip --version >/dev/null 2>&1; then return 0; fi
    "$PYTHON311" -c 'import venv, ensurepip' >/dev/null 2>&1 || return 1
    rm -rf .venv $STAMPS/python
    "$PYTHON311" -m venv .venv >/dev/null 2>&1 && $PY -m pip --version >/dev/null 2>&1 && return 0
    rm -rf .venv
    return 1
}

check_node() {
    if ! command -v node >/dev/null 2>&1; then
        missing "node is missing: apt-get install nodejs"
        return
    fi
    major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null) || major=0
    if [ "$major" -lt 18 ]; then
        missing "node is $(node --version), 18 or newer is needed: apt-get install nodejs (Ubuntu 22.04: see README)"
    fi
}

check_program() { command -v "$1" >/dev/null 2>&1 || missing "$1 is missing: apt-get install $2"; }

check_prerequisites() {
    check_platform
    check_node
    check_program npm npm
    check_program git git
    check_python
    [ $MISSING -eq 0 ] || exit 1
}

# --- steps ---------------------------------------------------------------------------------------

# is_fresh NAME RESULT FILE...: true while RESULT exists and the FILEs are those of the last time.
is_fresh() {
    name=$1 result=$2
    shift 2
    sums=$(echo "$ROOT" && cksum "$@")
    [ -e "$result" ] && [ -f "$STAMPS/$name" ] && [ "$sums" = "$(cat "$STAMPS/$name")" ]
}
stamp() { printf '%s\n' "$sums" >"$STAMPS/$1"; }

PIP="$PY -m pip --disable-pip-version-check --no-input"
# Only these have no wheel, and they are pure Python: no compiler is needed.
SDISTS=pygments-lexer-solidity,python-baseconv,tailer,varint

install_python() {
    is_fresh python .venv/bin/dmsm requirements/build.txt requirements/dev.txt \
        requirements/pairing.txt pyproject.toml && return
    say "1/4 Python packages into .venv (about a minute) ..."
    $PIP install --quiet --no-cache-dir --require-hashes -r requirements/build.txt
    $PIP install --quiet --no-cache-dir --require-hashes --no-build-isolation \
        --only-binary :all: --no-binary $SDISTS -r requirements/dev.txt
    $PIP install --quiet --no-cache-dir --require-hashes --no-deps --only-binary :all: \
        -r requirements/pairing.txt || say "native pairings are left out; nothing needs them"
    PYTHONWARNINGS=ignore $PIP install --quiet --no-cache-dir --no-deps --no-build-isolation -e .
    stamp python
}

install_node() {
    is_fresh node ".cache/solcx/solc-v$SOLC_VERSION" package.json package-lock.json toolchain/solc.js \
        && [ -d node_modules/solc ] && return
    say "2/4 solc, anvil, forge and OpenZeppelin into node_modules ..."
    # No install scripts: anvil's would download when the lock lacks the platform.
    npm ci --loglevel=error --no-audit --no-fund --ignore-scripts --cache .cache/npm >/dev/null
    rm -rf .cache/npm
    mkdir -p .cache/solcx
    ln -sf ../../toolchain/solc.js ".cache/solcx/solc-v$SOLC_VERSION"
    ".cache/solcx/solc-v$SOLC_VERSION" --version | grep -q "Version: $SOLC_VERSION" ||
        { say "solc $SOLC_VERSION does not run"; exit 1; }
    "$(ls node_modules/@foundry-rs/anvil-*/bin/anvil)" --version >/dev/null ||
        { say "anvil does not run"; exit 1; }
    "$(ls node_modules/@foundry-rs/forge-*/bin/forge)" --version >/dev/null ||
        { say "forge does not run"; exit 1; }
    stamp node
}

install_data() {
    is_fresh data ".cache/data/$DATASET/Building_17.csv" requirements/data.txt && return
    say "3/4 household readings into .cache/data ..."
    rm -rf .cache/download ".cache/data/$DATASET"
    $PIP download --quiet --no-cache-dir --no-deps --only-binary :all: --require-hashes \
        -r requirements/data.txt -d .cache/download
    $PY toolchain/unpack_data.py .cache/download "$DATASET" .cache/data
    rm -rf .cache/download
    stamp data
}

compile_contracts() {
    [ -n "$(find contracts -name '*.sol' 2>/dev/null | head -n 1)" ] || return 0
    # shellcheck disable=SC2046 # no file here has a blank in its name
    is_fresh contracts build/contracts brownie-config.yaml package-lock.json toolchain/solc.js \
        $(ls scripts/export_abi.py 2>/dev/null) \
        $(find contracts interfaces -name '*.sol' | LC_ALL=C sort) && return
    say "4/4 compiling the contracts ..."
    $PY toolchain/compile.py
    stamp contracts
}

check_prerequisites
mkdir -p $STAMPS
install_python
install_node
install_data
compile_contracts
[ "${1:-}" = --quiet ] || say "ready"

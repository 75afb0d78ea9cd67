#!/bin/sh
# Installs the locked environment into the virtual environment .venv of the current folder.
#   scripts/install.sh dependencies    a new .venv with exactly the packages of envs/lock.txt
#   scripts/install.sh package         the project itself, in place, and a check of the whole
# Nothing is resolved and nothing newer is looked for: the same commit gives the same environment on
# any day. PYTHON names another Python.
set -eu

PYTHON=${PYTHON:-python3}
PIP=".venv/bin/python -m pip --disable-pip-version-check"

# Runs one command; says which one failed, and what to do.
run() {
    "$@" && return
    status=$?
    cat >&2 <<EOF

The installation broke off (exit status $status) at this command:
    $*
The reason is above. Mend it, then run the same command again. Finished downloads are kept in pip's
cache and not repeated. Common reasons:
  no network    pip reads proxies and mirrors from its own settings: pip config --help
  no space      .venv takes 7 GB, pip's cache 3.4 GB more; PIP_CACHE_DIR puts the cache elsewhere
EOF
    exit "$status"
}

# Ctrl-C ends the command that runs; this script goes on to say so.
trap : INT

# The commands that pip writes into .venv/bin give this folder's name to a shell.
case "$PWD" in
*[\"\\\`\$:]* | *"
"*)
    echo "The path of this folder has double quotes, backslashes, backquotes, dollar signs, colons," \
        "or line breaks, with which Python's commands do not work; rename the folder" >&2
    exit 1
    ;;
esac

case "${1-}" in
dependencies)
    echo "Installing the packages of envs/lock.txt into .venv: 3.4 GB to download, 7 GB on disk."
    echo "PyTorch with NVIDIA's libraries is most of it. Expect 5 minutes on a fast connection."
    run "$PYTHON" -m venv --clear .venv
    # pip itself, and setuptools for the packages that exist only as source.
    run $PIP install --quiet --no-deps --require-hashes -r envs/installer.txt
    run $PIP install --no-compile --no-deps --no-build-isolation --require-hashes -r envs/lock.txt
    # On all cores, where pip takes one, and without what hardly anyone imports. Some packages have
    # files for other versions of Python.
    .venv/bin/python -m compileall -qq -j 0 -x "/(tests|testing|transformers/models)/" .venv/lib \
        || true
    ;;
package)
    run $PIP install --quiet --no-deps --no-build-isolation --editable .
    run $PIP check
    ;;
*)
    sed -n 's/^#   //p' "$0" >&2
    exit 2
    ;;
esac

#!/bin/sh
# Checks for what the virtual environment cannot bring: Python with venv, a C compiler where a locked
# package has to be built, and EGL to render without a screen. Installs missing Debian packages where
# it may, else says how to. Without EGL it goes on: a login node that sends its jobs into a container
# renders nothing itself.
set -eu

PYTHON=${PYTHON:-python3}

"$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null || {
    echo "Python 3.11, 3.12, 3.13, or 3.14 is needed, but $PYTHON is" \
        "$("$PYTHON" --version 2>/dev/null || echo missing);" \
        "name another one: make PYTHON=/path/to/python3.13 ..." >&2
    exit 1
}

has_library() {
    { ldconfig -p 2>/dev/null || /sbin/ldconfig -p; } | grep -q "$1"
}

needed=
"$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || needed=" python3-venv"
# immutables, which Snakemake needs, has no wheels for Python 3.14.
"$PYTHON" -c 'import sys; sys.exit(sys.version_info >= (3, 14))' || {
    command -v cc >/dev/null || needed="$needed gcc libc6-dev"
    "$PYTHON" -c 'import sysconfig as s, os; os.stat(s.get_path("include") + "/Python.h")' \
        2>/dev/null || needed="$needed python3-dev"
}
rendering=
has_library 'libEGL\.so\.1' || rendering="$rendering libegl1"
# A driver: NVIDIA's, or Mesa's software renderer.
has_library 'libEGL_nvidia\.so' || has_library 'libEGL_mesa\.so' \
    || rendering="$rendering libegl-mesa0"
has_library 'libEGL_nvidia\.so' || ls /usr/lib/*/dri/swrast_dri.so >/dev/null 2>&1 \
    || rendering="$rendering libgl1-mesa-dri"
has_library 'libGL\.so\.1' || rendering="$rendering libgl1"
missing=$needed$rendering
[ -z "$missing" ] && exit 0

command="apt-get install --yes --no-install-recommends$missing"
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    echo "Installing:$missing"
    apt-get update --quiet=2
    DEBIAN_FRONTEND=noninteractive $command >/dev/null
    exit
fi
{
    echo "These system packages are missing, by their names in Debian:$missing"
    echo "Install them, or have them installed: sudo $command"
    [ -z "$rendering" ] || echo "Nothing can be rendered on this machine before. Only jobs in a container" \
        "(docs/cluster.md, SLURM with Apptainer) can do without."
} >&2
[ -z "$needed" ]

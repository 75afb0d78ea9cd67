#!/bin/sh
# Checks for what the virtual environment cannot bring: Python with venv, and EGL to draw
# without a screen. Installs missing Debian packages where it may, else says how to. Without EGL it
# goes on all the same: a login node that sends its jobs into a container draws nothing itself.
set -eu

PYTHON=${PYTHON:-python3}

"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or newer is needed, but $PYTHON is older or missing; set PYTHON=/path/to/python3" >&2
    exit 1
}

has_library() {
    { ldconfig -p 2>/dev/null || /sbin/ldconfig -p; } | grep -q "$1"
}

python=
"$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || python=" python3-venv"
drawing=
has_library 'libEGL\.so\.1' || drawing="$drawing libegl1"
# A driver: NVIDIA's, or Mesa's software renderer.
has_library 'libEGL_nvidia\.so' || has_library 'libEGL_mesa\.so' \
    || drawing="$drawing libegl-mesa0"
has_library 'libEGL_nvidia\.so' || ls /usr/lib/*/dri/swrast_dri.so >/dev/null 2>&1 \
    || drawing="$drawing libgl1-mesa-dri"
has_library 'libGL\.so\.1' || drawing="$drawing libgl1"
missing=$python$drawing
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
    [ -z "$drawing" ] || echo "Nothing can be drawn on this machine before. Only jobs in a container" \
        "(docs/running.md, SLURM with Apptainer) can do without."
} >&2
[ -z "$python" ]

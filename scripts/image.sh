#!/bin/sh
# Builds the Dockerfile where there is neither Docker nor a registry, and tries the image there
# without network: imports, what it draws with, a part of the tests, the smoke run.
#   scripts/image.sh FOLDER
# FOLDER keeps the base image and the built one: 20 GB, twice that without overlay file systems.
# For root on Debian or Ubuntu, with the packages buildah and debootstrap. What is built is the last
# commit.
set -eu

[ $# = 1 ] || { sed -n 's/^#   //p' "$0" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "debootstrap and buildah's chroot isolation want root" >&2; exit 1; }
for program in buildah debootstrap; do
    command -v $program >/dev/null || {
        echo "$program is missing: apt-get install buildah debootstrap" >&2
        exit 1
    }
done
project=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1/context"
folder=$(cd "$1" && pwd)
. /etc/os-release

# Each layer is a copy of everything below it in vfs: only the last one is kept there.
driver=vfs layers=false
grep -q overlay /proc/filesystems && driver=overlay layers=true
storage="--root $folder/storage --runroot $folder/run --storage-driver $driver"
# shellcheck disable=SC2086  # options without spaces inside
buildah() { command buildah $storage "$@"; }

# Of builds that were interrupted.
buildah rm --all >/dev/null
if ! buildah inspect --type image localhost/base >/dev/null 2>&1; then
    components=main
    [ "$ID" = ubuntu ] && components=main,universe
    rm -rf "$folder/base"
    debootstrap --variant=minbase --components=$components "$VERSION_CODENAME" "$folder/base"
    tar --directory "$folder/base" --create --file "$folder/base.tar" .
    printf 'FROM scratch\nADD base.tar /\n' >"$folder/Basefile"
    buildah build --isolation chroot --file "$folder/Basefile" --tag localhost/base "$folder"
    rm -rf "$folder/base" "$folder/base.tar"
fi

# The certificates of this machine, for networks that are reached through an own authority.
printf '[global]\ncert = /host-certificates.crt\n' >"$folder/pip.conf"
commit=$(git -C "$project" rev-parse --short=12 HEAD)
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' "$project/vlmrm/__init__.py")
rm -rf "$folder/context"
mkdir "$folder/context"
git -C "$project" archive HEAD | tar --extract --directory "$folder/context"
began=$(date +%s)
buildah build --isolation chroot --layers=$layers --build-arg BASE=localhost/base \
    --build-arg COMMIT="$commit" --build-arg VERSION="$version" --volume /etc/ssl/certs/ca-certificates.crt:/host-certificates.crt:ro \
    --volume "$folder/pip.conf:/etc/pip.conf:ro" --tag localhost/vlmrm "$folder/context"
echo "Built in $(($(date +%s) - began)) seconds:"
buildah images
buildah inspect --type image --format \
    '{{len .OCIv1.RootFS.DiffIDs}} layers, user {{.OCIv1.Config.User}}, {{.OCIv1.Config.Labels}}' \
    localhost/vlmrm

container=$(buildah from localhost/vlmrm)
trap 'buildah rm "$container" >/dev/null' EXIT
# Without network, but for the loopback that tests of local servers use.
cat >"$folder/try.sh" <<'EOF'
set -eux
test "$(id -u)" != 0
python -c "import torch, mujoco, open_clip, vlmrm"
vlmrm doctor || true
python -m pytest -q -p no:cacheprovider tests/envs tests/epic tests/rendering tests/rewards
began=$(date +%s)
snakemake --cores all --configfile config/smoke.yaml --quiet all
echo "Smoke run: $(($(date +%s) - began)) seconds"
grep -r --include=provenance.json '"commit"' resources/models | head -1
EOF
unshare --net sh -c 'ip link set lo up 2>/dev/null; exec buildah '"$storage"' run --isolation chroot \
    --volume '"$folder"'/try.sh:/try.sh:ro '"$container"' -- sh /try.sh'

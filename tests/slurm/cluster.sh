#!/bin/sh
# A SLURM cluster of one node, this machine, for tests: everything it has lies in one folder.
#   tests/slurm/cluster.sh up FOLDER      then: . FOLDER/environment
#   tests/slurm/cluster.sh down FOLDER
# Needs the Debian packages slurm-wlm and munge. There is no accounting and nothing is enforced but
# run time. Memory and GPUs are only counted: the GPUs do not exist.
set -eu

[ $# = 2 ] || { sed -n 's/^#   //p' "$0" >&2; exit 2; }
action=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)
PATH="$PATH:/usr/sbin:/sbin"

pids() { cat "$folder"/munged.pid "$folder"/slurmctld.pid "$folder"/slurmd.pid 2>/dev/null || true; }

running() { for pid in $all; do kill -0 "$pid" 2>/dev/null && return; done; false; }

down() {
    all=$(pids) # some remove their file before they end
    # Of the whole cluster's jobs, which are all of this folder.
    SLURM_CONF="$folder/slurm.conf" scancel --user="$(id -un)" 2>/dev/null || true
    for pid in $all; do kill "$pid" 2>/dev/null || true; done
    for _ in $(seq 20); do
        running || return 0
        sleep 0.5
    done
    for pid in $all; do kill -KILL "$pid" 2>/dev/null || true; done
}

up() {
    for program in slurmctld slurmd munged; do
        command -v $program >/dev/null || {
            echo "$program is missing: apt-get install slurm-wlm munge" >&2
            exit 1
        }
    done
    mkdir -p "$folder/state" "$folder/spool"
    # munged refuses folders that others may write to.
    chmod 755 "$folder"
    dd if=/dev/urandom of="$folder/munge.key" bs=128 count=1 2>/dev/null
    chmod 600 "$folder/munge.key"
    host=$(hostname -s)
    port=${SLURM_TEST_PORT:-26817}
    cat >"$folder/slurm.conf" <<EOF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
AuthType=auth/munge
CredType=cred/munge
# A job that is requeued starts again as soon as its credential has expired.
AuthInfo=socket=$folder/munge.socket,cred_expire=5
# Containers have no cgroups to hand out.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=30
GresTypes=gpu
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=1000000 Gres=gpu:2 State=UNKNOWN
PartitionName=cpu Nodes=$host Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes=$host MaxTime=2-00:00:00 State=UP
EOF
    # What SLURM takes for devices are empty files.
    touch "$folder/gpu0" "$folder/gpu1"
    echo "NodeName=$host Name=gpu File=$folder/gpu[0-1]" >"$folder/gres.conf"
    # Snakemake's jobs forget every SLURM_* variable before they call srun.
    mkdir -p "$folder/bin"
    printf '#!/bin/sh\nSLURM_CONF="%s" exec "%s" "$@"\n' "$folder/slurm.conf" "$(command -v srun)" \
        >"$folder/bin/srun"
    chmod +x "$folder/bin/srun"
    printf 'export SLURM_CONF="%s" PATH="%s:$PATH"\n' "$folder/slurm.conf" "$folder/bin" \
        >"$folder/environment"
    munged --key-file="$folder/munge.key" --socket="$folder/munge.socket" \
        --pid-file="$folder/munged.pid" --log-file="$folder/munged.log" \
        --seed-file="$folder/munged.seed" --num-threads=2
    slurmctld -c -f "$folder/slurm.conf"
    slurmd -f "$folder/slurm.conf"
    for _ in $(seq 60); do
        if SLURM_CONF="$folder/slurm.conf" sinfo --noheader --format=%t 2>/dev/null | grep -q idle; then
            return 0
        fi
        sleep 0.5
    done
    echo "The cluster did not come up; its logs are in $folder" >&2
    down
    exit 1
}

case $action in
    up) up ;;
    down) down ;;
    *) echo "$action: neither up nor down" >&2; exit 2 ;;
esac

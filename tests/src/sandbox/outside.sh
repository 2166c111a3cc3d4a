# $1 name, $2 directory, $3 script for the inside
set -e
for hierarchy in /sys/fs/cgroup/*/; do
    [ -e "$hierarchy/cgroup.procs" ] || continue
    group="$hierarchy/$1"
    mkdir -p "$group"
    # A new cpuset has no processor and no memory until it is given some.
    if [ -e "$hierarchy/cpuset.cpus" ]; then
        cat "$hierarchy/cpuset.cpus" > "$group/cpuset.cpus"
        cat "$hierarchy/cpuset.mems" > "$group/cpuset.mems"
    fi
    if [ -e "$group/tasks" ]; then echo 0 > "$group/tasks"; else echo 0 > "$group/cgroup.procs"; fi
done
exec unshare --cgroup --net --mount --pid --ipc --uts --fork --kill-child \
    --mount-proc --propagation private bash -c "$3" inside "$2"

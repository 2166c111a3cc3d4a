#!/bin/sh
# The first process: mounts what systemd mounts, with the options it uses, then
# leaves the rest to the session.
export PATH=/bin HOME=/root
mount -t proc -o nosuid,nodev,noexec proc /proc
mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
mount -t securityfs -o nosuid,nodev,noexec securityfs /sys/kernel/security
mount -t cgroup2 -o nosuid,nodev,noexec,nsdelegate,memory_recursiveprot cgroup2 /sys/fs/cgroup
mount -t tmpfs -o nosuid,nodev,noexec,mode=755 tmpfs /run
mkdir -p /dev/pts /dev/shm
mount -t devpts -o nosuid,noexec,gid=5,mode=620,ptmxmode=000 devpts /dev/pts
mount -t tmpfs -o nosuid,nodev tmpfs /dev/shm
mount --make-rshared /

# Nothing but the root group may hold both processes and groups.
mkdir /sys/fs/cgroup/init.scope /sys/fs/cgroup/system.slice
echo 1 > /sys/fs/cgroup/init.scope/cgroup.procs
echo '+cpu +memory +pids' > /sys/fs/cgroup/cgroup.subtree_control

hostname -F /etc/hostname
exec session

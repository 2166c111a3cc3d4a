# $1 directory
set -e
ip link set lo up
# The hierarchies again, each with the sandbox's own group as its root.
mount -t tmpfs -o mode=0755 tmpfs /mnt
for hierarchy in /sys/fs/cgroup/*/; do
    name=$(basename "$hierarchy")
    mkdir "/mnt/$name"
    case $name in
        unified) mount -t cgroup2 cgroup2 "/mnt/$name" ;;
        systemd) mount -t cgroup -o none,name=systemd cgroup "/mnt/$name" ;;
        *) mount -t cgroup -o "$name" cgroup "/mnt/$name" ;;
    esac
done
umount --recursive --lazy /sys
mount -t sysfs sysfs /sys
mount --rbind /mnt /sys/fs/cgroup
umount --recursive --lazy /mnt
mount -t tmpfs -o mode=0755 tmpfs /run
# As a machine with systemd has it: what is mounted anywhere shows everywhere,
# unless whoever mounts takes care.
mount --make-rshared /
echo ready
exec > /dev/null
while :; do sleep 86400 & wait; done

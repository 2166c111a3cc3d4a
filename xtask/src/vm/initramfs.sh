#!/bin/sh
# The initramfs's only task: the disk becomes the root.
mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev
modprobe virtio_pci
modprobe virtio_blk
tries=0
until [ -b /dev/vda ] || [ $tries -gt 100 ]; do
	tries=$((tries + 1))
	sleep 0.05
done
mkdir /disk
mount -t ext4 /dev/vda /disk || poweroff -f
umount /proc
mount --move /dev /disk/dev
exec switch_root /disk /sbin/init

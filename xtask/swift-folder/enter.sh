#!/bin/sh
# Runs a program in a folder that holds a whole Debian with Swift:
#
#     unshare --mount --pid --fork --kill-child sh enter.sh FOLDER WORKDIR SHARED... -- PROGRAM ARGUMENT...
#
# SHARED are files and folders of this machine that are seen at the same place inside. All mounts are made in a mount
# namespace of this process's own (by unshare): nobody else sees them, and they are gone with it, however it ends. What
# the program starts is in a namespace of its own too, and ends with it.
set -eu
folder=$1
workdir=$2
shift 2
mount -t proc proc "$folder/proc"
mount --rbind /dev "$folder/dev"
while [ "$1" != -- ]; do
	if [ -d "$1" ]; then
		mkdir -p "$folder$1"
	else
		mkdir -p "$folder$(dirname "$1")"
		touch "$folder$1"
	fi
	mount --bind "$1" "$folder$1"
	shift
done
shift
# What this machine's programs need to find theirs would mislead those inside.
unset LD_LIBRARY_PATH LD_PRELOAD
export HOME=/root LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# Not by exec: the first process of a namespace is not ended by signals, and this script is it.
chroot "$folder" /usr/bin/env -C "$workdir" "$@"

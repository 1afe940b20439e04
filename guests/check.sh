#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Does every guest in directory $1 stand in run.list, with its expected output
# and status? TAP.
set -u

out=$1
n=0
failed=0

# $1: 0 if right; $2: what is checked
result() {
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n $2"
	else
		echo "not ok $n $2"
		failed=1
	fi
}

echo "TAP version 13"
for guest in "$out"/*.bin "$out"/*.elf; do
	[ -e "$guest" ] || continue
	file=${guest##*/}
	name=${file%.*}
	grep -q "^axvmm run .*/guests/$file\$" "$out/run.list"
	result $? "$file stands in run.list"
	[ -f "$out/expected/$name.out" ] && grep -qx '[0-9][0-9]*' "$out/expected/$name.code"
	result $? "$file has expected output and status"
done
echo "1..$n"
exit "$failed"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# KCSAN is at work on the module. What it finds while the other tests run, the kernel's log
# tells, and the testbed notices.
counter() {
	sed -n "s/^$1: //p" /sys/kernel/debug/kcsan
}

# Accesses of the module's: 5000 looks at an empty list. No other process.
look_at_vcpus() {
	i=0
	while [ $i -lt 5000 ]; do
		read -r _ </sys/kernel/debug/axvcpu_mock/vcpus
		i=$((i + 1))
	done
}

# check NUMBER NAME EXPRESSION...
check() {
	number=$1 name=$2
	shift 2
	if [ "$@" ]; then
		echo "ok $number kcsan.$name"
	else
		echo "# [ $* ]"
		echo "not ok $number kcsan.$name"
		failed=$((failed + 1))
	fi
}

failed=0
echo "TAP version 13"
echo 1..2
check 1 is_on "$(counter enabled)" = 1
# The kernel itself is built without: what is watched are accesses of ours.
before=$(counter setup_watchpoints)
look_at_vcpus
check 2 watches_the_module "$(counter setup_watchpoints)" -gt "$before"
echo "# Totals: pass:$((2 - failed)) fail:$failed xfail:0 xpass:0 skip:0 error:0"
[ $failed = 0 ]

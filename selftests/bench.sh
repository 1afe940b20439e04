#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What axvcpu costs, beside KVM: make bench in short.
exec axbench --short --tap

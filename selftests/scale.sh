#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What axvcpu costs does not grow with what is idle.
exec axbench --scale --only axvcpu --tap

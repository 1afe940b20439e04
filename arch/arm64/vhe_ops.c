// SPDX-License-Identifier: GPL-2.0-only
/* The arm64 backend, as the common part calls it. */
#include "axvcpu_arch.h"
#include "stage2.h"
#include "vhe.h"
#include "vhe_debug.h"
#include "vhe_event.h"
#include "vhe_exit.h"
#include "vhe_exit_mmio.h"
#include "vhe_hw.h"
#include "vhe_keep.h"
#include "vhe_regs.h"
#include "vhe_run.h"
#include "vhe_tlb.h"
#include "vhe_vcpu.h"

const struct axvcpu_arch_ops axvcpu_arch = {
	.name = "vhe",
	.backend = AXVCPU_BACKEND_VHE,
	.vcpu_size = sizeof(struct vhe_vcpu),
	.s2 = &vhe_s2_format,
	.exit_classes = vhe_exit_classes,
	.caps = vhe_caps,
	.counter_hz = vhe_counter_hz,
	.init = vhe_hw_init,
	.exit = vhe_hw_exit,
	.cpu_enable = vhe_cpu_enable,
	.cpu_disable = vhe_cpu_disable,
	.vcpu_create = vhe_vcpu_create,
	.vcpu_destroy = vhe_vcpu_destroy,
	.set_entry = vhe_set_entry,
	.set_ept_root = vhe_set_ept_root,
	.setup = vhe_setup,
	.bind = vhe_bind,
	.unbind = vhe_unbind,
	.reset = vhe_reset,
	.load = vhe_load,
	.put = vhe_put,
	.complete = vhe_complete,
	.enter = vhe_enter,
	.handle_exit = vhe_handle_exit,
	.fault_exit = vhe_fault_exit,
	.sync_regs = vhe_sync_regs,
	.show_queue = vhe_show_queue,
	.has_event = vhe_has_event,
	.inject = vhe_inject,
	.withdraw = vhe_withdraw,
	.kick_cpu = vhe_kick_cpu,
	.flush_tlbs = vhe_flush_tlbs,
	.get_regs = vhe_get_regs,
	.check_regs = vhe_check_regs,
	.commit_regs = vhe_commit_regs,
	.list_regs = vhe_list_regs,
	.kept_size = vhe_kept_size,
	.keep = vhe_keep,
	.restore = vhe_restore,
	.set_debug = vhe_set_debug,
	.cycles_to_ns = vhe_cycles_to_ns,
};

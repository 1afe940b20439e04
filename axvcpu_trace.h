/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints: /sys/kernel/tracing/events/axvcpu. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM axvcpu

#if !defined(_AXVCPU_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _AXVCPU_TRACE_H

#include <linux/tracepoint.h>

#include "axvcpu_arch.h"
#include "axvcpu_names.h"
#include "axvcpu_vcpu.h"

#define axvcpu_symbol(value, name)	{ value, name },
#define axvcpu_last_symbol(value, name)	{ value, name }
#define axvcpu_show_state(state) \
	__print_symbolic(state, AXVCPU_STATE_NAMES(axvcpu_symbol, axvcpu_last_symbol))
#define axvcpu_show_op(op) \
	__print_symbolic(op, AXVCPU_OP_NAMES(axvcpu_symbol, axvcpu_last_symbol))
#define axvcpu_show_exit(reason) \
	__print_symbolic(reason, AXVCPU_EXIT_NAMES(axvcpu_symbol, axvcpu_last_symbol))

#define axvcpu_show_class(class) \
	__print_symbolic(class, AXVCPU_CLASS_NAMES(axvcpu_symbol, axvcpu_last_symbol))

TRACE_EVENT(axvcpu_transition,
	TP_PROTO(const struct axvcpu *vcpu, u32 op, u32 from, u32 to),
	TP_ARGS(vcpu, op, from, to),
	TP_STRUCT__entry(
		__field(u32, vm_id)
		__field(u32, vcpu_id)
		__field(u32, op)
		__field(u32, from)
		__field(u32, to)
	),
	TP_fast_assign(
		__entry->vm_id = vcpu->vm_id;
		__entry->vcpu_id = vcpu->vcpu_id;
		__entry->op = op;
		__entry->from = from;
		__entry->to = to;
	),
	TP_printk("vm %u vcpu %u %s: %s -> %s", __entry->vm_id, __entry->vcpu_id,
		  axvcpu_show_op(__entry->op), axvcpu_show_state(__entry->from),
		  axvcpu_show_state(__entry->to))
);

TRACE_EVENT(axvcpu_failure,
	TP_PROTO(const struct axvcpu *vcpu, const struct axvcpu_failure *failure),
	TP_ARGS(vcpu, failure),
	TP_STRUCT__entry(
		__field(u32, vm_id)
		__field(u32, vcpu_id)
		__field(u32, op)
		__field(u32, expected)
		__field(u32, actual)
		__field(s32, error)
		__field(u64, arch_code)
		__field(u64, reg)
	),
	TP_fast_assign(
		__entry->vm_id = vcpu->vm_id;
		__entry->vcpu_id = vcpu->vcpu_id;
		__entry->op = failure->op;
		__entry->expected = failure->expected;
		__entry->actual = failure->actual;
		__entry->error = failure->error;
		__entry->arch_code = failure->arch_code;
		__entry->reg = failure->reg;
	),
	TP_printk("vm %u vcpu %u %s: expected %s, actual %s, error %d, arch code %#llx, reg %#llx",
		  __entry->vm_id, __entry->vcpu_id, axvcpu_show_op(__entry->op),
		  axvcpu_show_state(__entry->expected), axvcpu_show_state(__entry->actual),
		  __entry->error, __entry->arch_code, __entry->reg)
);

TRACE_EVENT(axvcpu_entry,
	TP_PROTO(const struct axvcpu *vcpu),
	TP_ARGS(vcpu),
	TP_STRUCT__entry(
		__field(u32, vm_id)
		__field(u32, vcpu_id)
	),
	TP_fast_assign(
		__entry->vm_id = vcpu->vm_id;
		__entry->vcpu_id = vcpu->vcpu_id;
	),
	TP_printk("vm %u vcpu %u", __entry->vm_id, __entry->vcpu_id)
);

TRACE_EVENT(axvcpu_exit,
	TP_PROTO(const struct axvcpu *vcpu, int next),
	TP_ARGS(vcpu, next),
	TP_STRUCT__entry(
		__field(u32, vm_id)
		__field(u32, vcpu_id)
		__field(int, next)
		__field(u32, reason)
		__field(u32, class)
	),
	TP_fast_assign(
		__entry->vm_id = vcpu->vm_id;
		__entry->vcpu_id = vcpu->vcpu_id;
		__entry->next = next;
		__entry->reason = vcpu->exit_reason;
		__entry->class = axvcpu_arch.exit_classes[vcpu->hw_reason % AXVCPU_NR_HW_REASONS];
	),
	TP_printk("vm %u vcpu %u %s, class %s, reason %s", __entry->vm_id, __entry->vcpu_id,
		  __print_symbolic(__entry->next,
				   { AXVCPU_NEXT_ENTER,	"enter again" },
				   { AXVCPU_NEXT_FAULT,	"fault" },
				   { AXVCPU_NEXT_HALT,	"halt" },
				   { AXVCPU_NEXT_EXIT,	"to the VMM" }),
		  axvcpu_show_class(__entry->class),
		  axvcpu_show_exit(__entry->reason))
);

TRACE_EVENT(axvcpu_fault,
	TP_PROTO(const struct axvcpu *vcpu, const struct axvcpu_fault *fault, int result),
	TP_ARGS(vcpu, fault, result),
	TP_STRUCT__entry(
		__field(u32, vm_id)
		__field(u32, vcpu_id)
		__field(u64, gpa)
		__field(u32, access)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->vm_id = vcpu->vm_id;
		__entry->vcpu_id = vcpu->vcpu_id;
		__entry->gpa = fault->gpa.val;
		__entry->access = fault->access;
		__entry->result = result;
	),
	TP_printk("vm %u vcpu %u gpa %#llx access %#x result %d", __entry->vm_id,
		  __entry->vcpu_id, __entry->gpa, __entry->access, __entry->result)
);

TRACE_EVENT(axvcpu_inject,
	TP_PROTO(const struct axvcpu *vcpu, const struct axvcpu_inject *event, int result),
	TP_ARGS(vcpu, event, result),
	TP_STRUCT__entry(
		__field(u32, vm_id)
		__field(u32, vcpu_id)
		__field(u32, type)
		__field(u32, vector)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->vm_id = vcpu->vm_id;
		__entry->vcpu_id = vcpu->vcpu_id;
		__entry->type = event->type;
		__entry->vector = event->vector;
		__entry->result = result;
	),
	TP_printk("vm %u vcpu %u type %u vector %u result %d", __entry->vm_id,
		  __entry->vcpu_id, __entry->type, __entry->vector, __entry->result)
);

TRACE_EVENT(axvcpu_kick,
	TP_PROTO(const struct axvcpu *vcpu),
	TP_ARGS(vcpu),
	TP_STRUCT__entry(
		__field(u32, vm_id)
		__field(u32, vcpu_id)
		__field(int, guest_cpu)
	),
	TP_fast_assign(
		__entry->vm_id = vcpu->vm_id;
		__entry->vcpu_id = vcpu->vcpu_id;
		__entry->guest_cpu = READ_ONCE(vcpu->guest_cpu);
	),
	TP_printk("vm %u vcpu %u guest_cpu %d", __entry->vm_id, __entry->vcpu_id,
		  __entry->guest_cpu)
);

#endif /* _AXVCPU_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE axvcpu_trace

#include <trace/define_trace.h>

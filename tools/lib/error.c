// SPDX-License-Identifier: LGPL-2.1-or-later
/* Why a call failed, and what can be done about it. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

/* The calls as uapi names them; those that the kernel keeps a record of, by its number too. */
static const struct {
	const char *name;
	uint32_t op;
} calls[] = {
	[CALL_OPEN]		= { "opening the device", AXVCPU_OP_NONE },
	[CALL_CREATE_ASPACE]	= { "CREATE_ASPACE", AXVCPU_OP_NONE },
	[CALL_CREATE_VCPU]	= { "CREATE_VCPU", AXVCPU_OP_CREATE },
	[CALL_MAP]		= { "MAP", AXVCPU_OP_NONE },
	[CALL_UNMAP]		= { "UNMAP", AXVCPU_OP_NONE },
	[CALL_PROTECT]		= { "PROTECT", AXVCPU_OP_NONE },
	[CALL_GET_DIRTY]	= { "GET_DIRTY", AXVCPU_OP_NONE },
	[CALL_SETUP]		= { "SETUP", AXVCPU_OP_SETUP },
	[CALL_BIND]		= { "BIND", AXVCPU_OP_BIND },
	[CALL_RUN]		= { "RUN", AXVCPU_OP_RUN },
	[CALL_UNBIND]		= { "UNBIND", AXVCPU_OP_UNBIND },
	[CALL_RESET]		= { "RESET", AXVCPU_OP_RESET },
	[CALL_INJECT]		= { "INJECT", AXVCPU_OP_NONE },
	[CALL_WITHDRAW]		= { "WITHDRAW", AXVCPU_OP_NONE },
	[CALL_KEEP_STATE]	= { "KEEP_STATE", AXVCPU_OP_NONE },
	[CALL_RESTORE_STATE]	= { "RESTORE_STATE", AXVCPU_OP_NONE },
	[CALL_LIST_REGS]	= { "GET_REG_LIST", AXVCPU_OP_NONE },
	[CALL_SAVE]		= { "saving the state", AXVCPU_OP_NONE },
	[CALL_LOAD]		= { "loading a saved state", AXVCPU_OP_NONE },
	[CALL_SET_DEBUG]	= { "SET_DEBUG", AXVCPU_OP_NONE },
	[CALL_GET_REGS]		= { "GET_REGS", AXVCPU_OP_GET_REGS },
	[CALL_SET_REGS]		= { "SET_REGS", AXVCPU_OP_SET_REGS },
	[CALL_REG_NAME]		= { "looking up a register", AXVCPU_OP_NONE },
	[CALL_GET_STATE]	= { "reading the state", AXVCPU_OP_NONE },
	[CALL_CPUID]		= { "describing the processor", AXVCPU_OP_NONE },
	[CALL_CLOCK]		= { "writing a clock", AXVCPU_OP_NONE },
	[CALL_TABLES]		= { "making page tables", AXVCPU_OP_NONE },
	[CALL_LOOP]		= { "the loop around RUN", AXVCPU_OP_NONE },
	[CALL_HANDLER]		= { "a handler of the VMM's", AXVCPU_OP_NONE },
};

#define ANY_CALL	((enum call)-1)

#define NO_DRIVER	"no driver serves this device; load the module with: modprobe axvcpu"
#define NO_RANGE	"not all of it is mapped"
#define NO_PART \
	"the address or the size is no multiple of the page size, or the size is 0"
#define IS_RUNNING	"another thread is running the vCPU; KICK it first"
#define NOT_SET_UP	"the vCPU is Invalid or Created: SETUP it first"
#define TOO_MANY	"these are more registers than one call takes"

/* What an errno means in a certain call, where strerror() would mislead. */
static const struct {
	enum call call;
	int error;
	const char *text;
} meanings[] = {
	{ CALL_OPEN, ENOENT,
	  "there is no such device; load the module with: modprobe axvcpu" },
	{ CALL_OPEN, ENXIO, NO_DRIVER },
	{ CALL_OPEN, ENODEV, NO_DRIVER },
	{ CALL_OPEN, EACCES,
	  "no permission to open the device: its owner and mode say who may, and a udev rule can "
	  "give it to a group, see axvcpu(4)" },
	{ CALL_OPEN, EPERM,
	  "the device is kept from this process: a container has to be given it (--device)" },
	{ CALL_OPEN, ENOTTY,
	  "this is not an axvcpu device, or its module is older than this library" },
	{ CALL_OPEN, EPROTO,
	  "the module's interface has another version: build it and the library from one release" },
	{ CALL_CREATE_VCPU, EBUSY,
	  "another hypervisor holds the hardware: end its guests and unload it (rmmod kvm_intel)" },
	{ CALL_CREATE_VCPU, ESHUTDOWN, "the system is going down" },
	{ CALL_CREATE_VCPU, EINVAL,
	  "none of the vCPU's CPUs is online, or the configuration has a value that can't be" },
	{ CALL_CREATE_VCPU, EIO, "virtualization can't be turned on: the kernel's log says why" },
	{ CALL_MAP, EEXIST, "the range overlaps one that is mapped already: UNMAP that first" },
	{ CALL_MAP, EINVAL,
	  "an address or the size is no multiple of the page size, the range ends beyond what "
	  "guests can address, or the hardware has no such access as the flags "
	  "(AXVCPU_MAP_READ goes with all others)" },
	{ CALL_MAP, ENOSPC, "the address space has as many ranges as it can have" },
	{ CALL_UNMAP, ENOENT, NO_RANGE },
	{ CALL_UNMAP, EINVAL, NO_PART },
	{ CALL_UNMAP, ENOSPC,
	  "what is left would be more ranges than an address space can have" },
	{ CALL_PROTECT, ENOENT, NO_RANGE },
	{ CALL_PROTECT, ENOSPC, "its parts would be more ranges than an address space can have" },
	{ CALL_PROTECT, EINVAL,
	  NO_PART ", or the hardware has no such access as the flags (AXVCPU_MAP_READ goes with "
	  "all others)" },
	{ CALL_GET_DIRTY, ENOENT, NO_RANGE },
	{ CALL_GET_DIRTY, EINVAL,
	  "a part of it has no log: MAP or PROTECT it with AXVCPU_MAP_LOG_DIRTY; or " NO_PART },
	{ CALL_SETUP, EPERM,
	  "a raw root needs CAP_SYS_RAWIO, the module parameter raw_root=1, and no lockdown" },
	{ CALL_SETUP, EINVAL,
	  "the entry is out of reach, or the configuration has a value that can't be" },
	{ CALL_SETUP, EOPNOTSUPP, "this backend's guests do not start in this mode" },
	{ CALL_SETUP, EEXIST, "the entry or the root was given before" },
	{ CALL_SETUP, EBADF, "the descriptor given is no address space" },
	{ CALL_BIND, EINVAL, "the CPU is not in the set that CREATE_VCPU gave the vCPU" },
	{ CALL_RUN, EXDEV,
	  "the vCPU may not run on this thread's CPU: pin the thread, or BIND the vCPU to -1" },
	{ CALL_RUN, EBUSY, "another thread is using the vCPU" },
	{ CALL_RUN, EINVAL, "there is no such flag" },
	{ CALL_RUN, EINTR, "a signal, a kick or immediate_exit ended it: run again" },
	{ CALL_RESET, EBUSY, "the vCPU is bound or runs: UNBIND it first" },
	{ CALL_RESET, EBADFD, "the vCPU is Created already" },
	{ CALL_RESET, EINVAL, "there is no such flag" },
	{ CALL_INJECT, EINVAL, "there is no such event, or no such vector" },
	{ CALL_INJECT, EBUSY, "an exception is queued that the guest has not taken yet" },
	{ CALL_INJECT, EOPNOTSUPP, "this guest's interrupt controller is the VMM's" },
	{ CALL_WITHDRAW, EINVAL, "there is no such event, or no such vector" },
	{ CALL_WITHDRAW, EINTR, "a signal came first: the event may still be queued" },
	{ CALL_WITHDRAW, ENOENT, "the event is not queued, or the guest has it already" },
	{ CALL_KEEP_STATE, EBUSY, IS_RUNNING },
	{ CALL_RESTORE_STATE, EBUSY, IS_RUNNING },
	{ CALL_KEEP_STATE, EBADFD, NOT_SET_UP },
	{ CALL_RESTORE_STATE, EBADFD, NOT_SET_UP },
	{ CALL_RESTORE_STATE, ENOENT, "no state is kept: KEEP_STATE first; RESET forgets it" },
	{ CALL_RESTORE_STATE, EINVAL, "there is no such flag" },
	{ CALL_LIST_REGS, EBUSY, IS_RUNNING },
	{ CALL_LIST_REGS, E2BIG, "the vCPU has more registers than the array has room for" },
	{ CALL_SAVE, EBADFD, NOT_SET_UP },
	{ CALL_LOAD, EBADFD, NOT_SET_UP },
	{ CALL_SAVE, E2BIG, "the state is larger than the buffer" },
	{ CALL_LOAD, EINVAL, "this is not what axvcpu_vcpu_save() wrote, or not all of it" },
	{ CALL_LOAD, EPROTO, "the state is of another backend, or of another version" },
	{ CALL_SET_DEBUG, EINVAL,
	  "a breakpoint can't be: its address is a multiple of its length, and the CPU has few" },
	{ CALL_SET_DEBUG, EBUSY, IS_RUNNING },
	{ CALL_GET_REGS, EBUSY, IS_RUNNING },
	{ CALL_SET_REGS, EBUSY, IS_RUNNING },
	{ CALL_GET_REGS, EINVAL, "there is no such register" },
	{ CALL_SET_REGS, EINVAL, "there is no such register, or it can't have this value" },
	{ CALL_GET_REGS, E2BIG, TOO_MANY },
	{ CALL_SET_REGS, E2BIG, TOO_MANY },
	{ CALL_CPUID, EINVAL,
	  "there is no such preset, more ids than 65536 for threads and cores, or a frequency "
	  "that CPUID has no room for" },
	{ CALL_CLOCK, EINVAL, "the TSC's frequency can't be 0" },
	{ CALL_TABLES, EINVAL, "the tables' address or the limit can't be" },
	{ CALL_TABLES, ENOSPC, "the room for the tables is too small" },
	{ ANY_CALL, EBADFD, "the vCPU is Invalid" },
	{ ANY_CALL, EIO, "the address space belongs to another process" },
	{ ANY_CALL, EMFILE, "the process has too many files open (ulimit -n)" },
	{ ANY_CALL, EDEADLK, "it was called inside another operation on a vCPU" },
	{ ANY_CALL, EOPNOTSUPP, "this backend has no such feature" },
};

/* What made a transition fail, where that is not the state. */
static const struct {
	int error;
	const char *text;
} causes[] = {
	{ EBADF, "the descriptor given is no address space" },
	{ EIO, "the hardware failed the operation" },
	{ ENOMEM, "the kernel has no memory left" },
};

/* Names of errors; musl has no strerrorname_np(). */
static const struct {
	int error;
	const char *name;
} names[] = {
#define E(error) { error, #error }
	E(EPERM), E(ENOENT), E(EINTR), E(EIO), E(ENXIO), E(E2BIG), E(EBADF), E(EAGAIN), E(ENOMEM),
	E(EACCES), E(EFAULT), E(EBUSY), E(EEXIST), E(EXDEV), E(ENODEV), E(ENOTDIR), E(EISDIR),
	E(EINVAL), E(ENFILE), E(EMFILE), E(ENOTTY), E(ENOSPC), E(EROFS), E(ERANGE), E(EDEADLK),
	E(ELOOP), E(EPROTO), E(EOVERFLOW), E(EBADFD), E(EOPNOTSUPP), E(ESHUTDOWN),
#undef E
};

/**
 * struct last_error - what axvcpu_error_text() is about
 * @call: the call
 * @error: what it returned
 * @backend: &enum axvcpu_backend of the vCPU; 0: the call was on none
 * @why: what of the arguments is wrong, where that is known
 * @name: CALL_REG_NAME: the name that no register has
 * @exit_reason: CALL_LOOP: the exit without a handler
 * @failure: the kernel's record of this very call; seq 0: it has none
 * @cause: why the vCPU is Invalid; seq 0: it is not
 */
struct last_error {
	enum call call;
	int error;
	uint32_t backend;
	const char *why;
	char name[REG_NAME_BYTES];
	uint32_t exit_reason;
	struct axvcpu_failure failure;
	struct axvcpu_failure cause;
};

static _Thread_local struct last_error last;

int failed(enum call call, int error)
{
	last = (struct last_error){ .call = call, .error = error };
	return error;
}

int because(int error, const char *why)
{
	last.why = why;
	return error;
}

/* Errors that leave the vCPU as it was, and come often */
static bool leaves_no_record(int error)
{
	return error == -EINTR || error == -EBUSY || error == -EXDEV || error == -ENOENT;
}

/*
 * The record is this call's if it is by this thread, of this operation, with this
 * error, and newer than any that a call of the library has met.
 */
static void look_for_record(struct axvcpu_vcpu *vcpu)
{
	struct axvcpu_state_info info;
	uint64_t seen;

	if (xioctl(vcpu->fd, AXVCPU_GET_STATE, &info) < 0)
		return;
	seen = atomic_load(&vcpu->seen);
	while (seen < info.failure.seq &&
	       !atomic_compare_exchange_weak(&vcpu->seen, &seen, info.failure.seq))
		;
	if (info.failure.seq > seen && info.failure.op == calls[last.call].op &&
	    info.failure.error == last.error && info.failure.tid == syscall(SYS_gettid))
		last.failure = info.failure;
	if (info.state == AXVCPU_STATE_INVALID)
		last.cause = info.cause;
}

int vcpu_failed(struct axvcpu_vcpu *vcpu, enum call call, int error)
{
	failed(call, error);
	last.backend = vcpu->backend;
	if (!leaves_no_record(error))
		look_for_record(vcpu);
	return error;
}

int no_register(uint32_t backend, const char *name)
{
	failed(CALL_REG_NAME, -ENOENT);
	last.backend = backend;
	snprintf(last.name, sizeof(last.name), "%s", name);
	return -ENOENT;
}

int no_handler(uint32_t exit_reason)
{
	failed(CALL_LOOP, -EOPNOTSUPP);
	last.exit_reason = exit_reason;
	return -EOPNOTSUPP;
}

int handler_failed(int error)
{
	return last.error == error ? error : failed(CALL_HANDLER, error);
}

static const char *error_name(int error)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].error == -error)
			return names[i].name;
	}
	return NULL;
}

static void add_error(struct axvcpu_text *text, const char *meaning, int error)
{
	const char *name = error_name(error);

	if (name)
		text_add(text, "%s (%s)", meaning ? meaning : strerror(-error), name);
	else
		text_add(text, "%s (error %d)", meaning ? meaning : strerror(-error), -error);
}

static const char *find_meaning(enum call call, int error)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		if ((meanings[i].call == call || meanings[i].call == ANY_CALL) &&
		    meanings[i].error == -error)
			return meanings[i].text;
	}
	return NULL;
}

static enum call call_of(uint32_t op)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		if (calls[i].op == op)
			return i;
	}
	return ANY_CALL;
}

static void add_refused_register(struct axvcpu_text *text, const struct axvcpu_failure *failure,
				 uint32_t backend, const char *why)
{
	char name[32] = "?";

	if (backend == AXVCPU_BACKEND_VMX)
		axvcpu_x86_reg_name(failure->reg, name, sizeof(name));
	else if (backend == AXVCPU_BACKEND_VHE)
		axvcpu_arm64_reg_name(failure->reg, name, sizeof(name));
	text_add(text, "%s, register 0x%llx (%s): ", axvcpu_op_name(failure->op), failure->reg,
		 name);
	add_error(text, why ? why : find_meaning(call_of(failure->op), failure->error),
		  failure->error);
}

/* The cause of a failure other than the state */
static const char *find_cause(const struct axvcpu_failure *failure)
{
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++) {
		if (causes[i].error == -failure->error)
			return causes[i].text;
	}
	return find_meaning(call_of(failure->op), failure->error);
}

static void add_arch_code(struct axvcpu_text *text, const struct axvcpu_failure *failure,
			  uint32_t backend)
{
	if (failure->error == -EIO && backend == AXVCPU_BACKEND_VMX)
		text_add(text, ": VM-instruction error %llu, %s", failure->arch_code,
			 axvcpu_vmx_error_text(failure->arch_code));
	else
		text_add(text, ": code 0x%llx", failure->arch_code);
}

static void add_record(struct axvcpu_text *text, const struct axvcpu_failure *failure,
		       uint32_t backend, const char *why)
{
	const char *op = axvcpu_op_name(failure->op);

	if (failure->op == AXVCPU_OP_SET_REGS || failure->op == AXVCPU_OP_GET_REGS) {
		add_refused_register(text, failure, backend, why);
		return;
	}
	if (failure->error == -EBADFD) {
		text_add(text, "%s needs %s, the vCPU was %s (EBADFD)", op,
			 axvcpu_state_name(failure->expected), axvcpu_state_name(failure->actual));
		return;
	}
	text_add(text, "%s of a vCPU that was %s: ", op, axvcpu_state_name(failure->actual));
	add_error(text, why ? why : find_cause(failure), failure->error);
	if (failure->arch_code)
		add_arch_code(text, failure, backend);
}

void add_failure(struct axvcpu_text *text, const struct axvcpu_failure *failure, uint32_t backend)
{
	add_record(text, failure, backend, NULL);
}

/* The vCPU was Invalid before this call: the reason that helps is the first one. */
static void add_why_invalid(struct axvcpu_text *text)
{
	if (!last.cause.seq)
		return;
	if (last.cause.seq != last.failure.seq) {
		text_add(text, "; it became Invalid by: ");
		add_failure(text, &last.cause, last.backend);
	}
	text_add(text, "; RESET makes it Created again");
}

const char *axvcpu_error_text(void)
{
	static _Thread_local char buf[512];
	struct axvcpu_text text = { buf, sizeof(buf), 0 };

	buf[0] = '\0';
	if (!last.error)
		return buf;
	if (last.call == CALL_LOOP) {
		text_add(&text, "there is no handler for the exit %s",
			 axvcpu_exit_name(last.exit_reason));
		return buf;
	}
	if (last.call == CALL_REG_NAME) {
		text_add(&text, "%s: ", calls[last.call].name);
		add_wrong_name(&text, last.backend, last.name);
		return buf;
	}
	if (last.failure.seq) {
		add_record(&text, &last.failure, last.backend, last.why);
	} else {
		text_add(&text, "%s: ", calls[last.call].name);
		add_error(&text, last.why ? last.why : find_meaning(last.call, last.error),
			  last.error);
	}
	add_why_invalid(&text);
	return buf;
}

int axvcpu_vcpu_failure_text(const struct axvcpu_vcpu *vcpu, const struct axvcpu_failure *failure,
			     char *buf, size_t len)
{
	struct axvcpu_text text = { buf, len, 0 };

	add_failure(&text, failure, vcpu->backend);
	return text.used;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/* Numbers of the interface by name. */
#include "internal.h"

static const char *name_of(const char *const *names, size_t count, uint64_t number)
{
	return number < count && names[number] ? names[number] : "?";
}

static const char * const states[] = {
	[AXVCPU_STATE_INVALID]		= "Invalid",
	[AXVCPU_STATE_CREATED]		= "Created",
	[AXVCPU_STATE_FREE]		= "Free",
	[AXVCPU_STATE_READY]		= "Ready",
	[AXVCPU_STATE_RUNNING]		= "Running",
	[AXVCPU_STATE_BLOCKED]		= "Blocked",
};

static const char * const ops[] = {
	[AXVCPU_OP_NONE]		= "NONE",
	[AXVCPU_OP_CREATE]		= "CREATE",
	[AXVCPU_OP_SETUP]		= "SETUP",
	[AXVCPU_OP_BIND]		= "BIND",
	[AXVCPU_OP_RUN]			= "RUN",
	[AXVCPU_OP_UNBIND]		= "UNBIND",
	[AXVCPU_OP_WAIT]		= "WAIT",
	[AXVCPU_OP_WAKE]		= "WAKE",
	[AXVCPU_OP_RESET]		= "RESET",
	[AXVCPU_OP_SET_STATE]		= "SET_STATE",
	[AXVCPU_OP_SET_ENTRY]		= "SET_ENTRY",
	[AXVCPU_OP_SET_EPT_ROOT]	= "SET_EPT_ROOT",
	[AXVCPU_OP_SET_REGS]		= "SET_REGS",
	[AXVCPU_OP_GET_REGS]		= "GET_REGS",
};

static const char * const exits[] = {
	[AXVCPU_EXIT_UNKNOWN]			= "UNKNOWN",
	[AXVCPU_EXIT_HYPERCALL]			= "HYPERCALL",
	[AXVCPU_EXIT_MMIO_READ]			= "MMIO_READ",
	[AXVCPU_EXIT_MMIO_WRITE]		= "MMIO_WRITE",
	[AXVCPU_EXIT_SYSREG_READ]		= "SYSREG_READ",
	[AXVCPU_EXIT_SYSREG_WRITE]		= "SYSREG_WRITE",
	[AXVCPU_EXIT_IO_READ]			= "IO_READ",
	[AXVCPU_EXIT_IO_WRITE]			= "IO_WRITE",
	[AXVCPU_EXIT_EXTERNAL_INTERRUPT]	= "EXTERNAL_INTERRUPT",
	[AXVCPU_EXIT_NESTED_PAGE_FAULT]		= "NESTED_PAGE_FAULT",
	[AXVCPU_EXIT_HALT]			= "HALT",
	[AXVCPU_EXIT_CPU_UP]			= "CPU_UP",
	[AXVCPU_EXIT_CPU_DOWN]			= "CPU_DOWN",
	[AXVCPU_EXIT_SYSTEM_DOWN]		= "SYSTEM_DOWN",
	[AXVCPU_EXIT_NOTHING]			= "NOTHING",
	[AXVCPU_EXIT_FAIL_ENTRY]		= "FAIL_ENTRY",
	[AXVCPU_EXIT_SEND_IPI]			= "SEND_IPI",
	[AXVCPU_EXIT_EXCEPTION]			= "EXCEPTION",
	[AXVCPU_EXIT_DEBUG]			= "DEBUG",
	[AXVCPU_EXIT_SHUTDOWN]			= "SHUTDOWN",
	[AXVCPU_EXIT_IO_STRING]			= "IO_STRING",
	[AXVCPU_EXIT_PREEMPTION_TIMER]		= "PREEMPTION_TIMER",
	[AXVCPU_EXIT_TASK_SWITCH]		= "TASK_SWITCH",
};

static const char * const classes[] = {
	[AXVCPU_CLASS_OTHER]		= "OTHER",
	[AXVCPU_CLASS_INTERRUPT]	= "INTERRUPT",
	[AXVCPU_CLASS_MEMORY]		= "MEMORY",
	[AXVCPU_CLASS_WINDOW]		= "WINDOW",
	[AXVCPU_CLASS_CPUID]		= "CPUID",
	[AXVCPU_CLASS_SYSREG]		= "SYSREG",
	[AXVCPU_CLASS_HALT]		= "HALT",
	[AXVCPU_CLASS_HYPERCALL]	= "HYPERCALL",
	[AXVCPU_CLASS_FPU]		= "FPU",
	[AXVCPU_CLASS_INSTRUCTION]	= "INSTRUCTION",
};

static const char * const backends[] = {
	[AXVCPU_BACKEND_MOCK]	= "mock",
	[AXVCPU_BACKEND_VMX]	= "VMX",
	[AXVCPU_BACKEND_VHE]	= "VHE",
};

static const char * const vmx_errors[] = {
	[1] = "VMCALL in VMX root operation",
	[2] = "VMCLEAR with an address that can't be",
	[3] = "VMCLEAR of the VMXON region",
	[4] = "VMLAUNCH with a VMCS that is not clear",
	[5] = "VMRESUME with a VMCS that was not launched",
	[6] = "VMRESUME after VMXOFF",
	[7] = "VM entry with control fields that can't be",
	[8] = "VM entry with host-state fields that can't be",
	[9] = "VMPTRLD with an address that can't be",
	[10] = "VMPTRLD of the VMXON region",
	[11] = "VMPTRLD of a VMCS with another revision identifier",
	[12] = "VMREAD or VMWRITE of a field that this processor lacks",
	[13] = "VMWRITE of a read-only field",
	[15] = "VMXON in VMX root operation",
	[16] = "VM entry with an executive-VMCS pointer that can't be",
	[17] = "VM entry with an executive VMCS that was not launched",
	[18] = "VM entry with an executive-VMCS pointer other than the VMXON pointer",
	[19] = "VMCALL with a VMCS that is not clear",
	[20] = "VMCALL with VM-exit control fields that can't be",
	[22] = "VMCALL with another MSEG revision identifier",
	[23] = "VMXOFF while SMM has a monitor of its own",
	[24] = "VMCALL with SMM-monitor features that can't be",
	[25] = "VM entry with execution control fields of the executive VMCS that can't be",
	[26] = "VM entry while MOV SS blocks events",
	[28] = "INVEPT or INVVPID with an operand that can't be",
};

/* SDM vol. 3, appendix C. */
static const char * const vmx_reasons[] = {
	[0] = "EXCEPTION_OR_NMI",
	[1] = "EXTERNAL_INTERRUPT",
	[2] = "TRIPLE_FAULT",
	[3] = "INIT",
	[4] = "SIPI",
	[5] = "IO_SMI",
	[6] = "OTHER_SMI",
	[7] = "INTERRUPT_WINDOW",
	[8] = "NMI_WINDOW",
	[9] = "TASK_SWITCH",
	[10] = "CPUID",
	[11] = "GETSEC",
	[12] = "HLT",
	[13] = "INVD",
	[14] = "INVLPG",
	[15] = "RDPMC",
	[16] = "RDTSC",
	[17] = "RSM",
	[18] = "VMCALL",
	[19] = "VMCLEAR",
	[20] = "VMLAUNCH",
	[21] = "VMPTRLD",
	[22] = "VMPTRST",
	[23] = "VMREAD",
	[24] = "VMRESUME",
	[25] = "VMWRITE",
	[26] = "VMXOFF",
	[27] = "VMXON",
	[28] = "CR_ACCESS",
	[29] = "MOV_DR",
	[30] = "IO_INSTRUCTION",
	[31] = "RDMSR",
	[32] = "WRMSR",
	[33] = "invalid guest state",
	[34] = "MSR loading failed",
	[36] = "MWAIT",
	[37] = "MONITOR_TRAP_FLAG",
	[39] = "MONITOR",
	[40] = "PAUSE",
	[41] = "machine check during entry",
	[43] = "TPR_BELOW_THRESHOLD",
	[44] = "APIC_ACCESS",
	[45] = "VIRTUALIZED_EOI",
	[46] = "GDTR_OR_IDTR",
	[47] = "LDTR_OR_TR",
	[48] = "EPT_VIOLATION",
	[49] = "EPT_MISCONFIGURATION",
	[50] = "INVEPT",
	[51] = "RDTSCP",
	[52] = "PREEMPTION_TIMER",
	[53] = "INVVPID",
	[54] = "WBINVD",
	[55] = "XSETBV",
	[56] = "APIC_WRITE",
	[57] = "RDRAND",
	[58] = "INVPCID",
	[59] = "VMFUNC",
	[60] = "ENCLS",
	[61] = "RDSEED",
	[62] = "PML_FULL",
	[63] = "XSAVES",
	[64] = "XRSTORS",
};

/* Arm ARM, "ESR_EL2, Exception Syndrome Register (EL2)", by EC. */
static const char * const arm64_classes[] = {
	[0x00] = "unknown reason",
	[0x01] = "WFI or WFE",
	[0x03] = "MCR or MRC, coproc 15",
	[0x04] = "MCRR or MRRC, coproc 15",
	[0x05] = "MCR or MRC, coproc 14",
	[0x06] = "LDC or STC",
	[0x07] = "SVE, SIMD or floating point",
	[0x08] = "VMRS",
	[0x09] = "pointer authentication",
	[0x0a] = "LD64B or ST64B",
	[0x0c] = "MRRC, coproc 14",
	[0x0d] = "branch target",
	[0x0e] = "illegal execution state",
	[0x11] = "SVC in AArch32",
	[0x12] = "HVC in AArch32",
	[0x13] = "SMC in AArch32",
	[0x15] = "SVC",
	[0x16] = "HVC",
	[0x17] = "SMC",
	[0x18] = "MSR, MRS or system instruction",
	[0x19] = "SVE",
	[0x1a] = "ERET",
	[0x1c] = "pointer authentication failure",
	[0x1d] = "SME",
	[0x20] = "instruction abort",
	[0x21] = "instruction abort in EL2",
	[0x22] = "PC alignment",
	[0x24] = "data abort",
	[0x25] = "data abort in EL2",
	[0x26] = "SP alignment",
	[0x27] = "memory operation",
	[0x28] = "floating point in AArch32",
	[0x2c] = "floating point",
	[0x2f] = "SError",
	[0x30] = "breakpoint",
	[0x31] = "breakpoint in EL2",
	[0x32] = "software step",
	[0x33] = "software step in EL2",
	[0x34] = "watchpoint",
	[0x35] = "watchpoint in EL2",
	[0x38] = "BKPT",
	[0x3a] = "vector catch",
	[0x3c] = "BRK",
};

const char *axvcpu_state_name(uint32_t state)
{
	return name_of(states, ARRAY_SIZE(states), state);
}

const char *axvcpu_op_name(uint32_t op)
{
	return name_of(ops, ARRAY_SIZE(ops), op);
}

const char *axvcpu_exit_name(uint32_t reason)
{
	return name_of(exits, ARRAY_SIZE(exits), reason);
}

const char *axvcpu_class_name(uint32_t exit_class)
{
	return name_of(classes, ARRAY_SIZE(classes), exit_class);
}

const char *axvcpu_backend_name(uint32_t backend)
{
	return name_of(backends, ARRAY_SIZE(backends), backend);
}

const char *axvcpu_vmx_error_text(uint64_t error)
{
	return name_of(vmx_errors, ARRAY_SIZE(vmx_errors), error);
}

const char *axvcpu_vmx_reason_name(uint64_t reason)
{
	return name_of(vmx_reasons, ARRAY_SIZE(vmx_reasons), reason & 0xffff);
}

const char *axvcpu_arm64_class_name(uint64_t esr)
{
	return name_of(arm64_classes, ARRAY_SIZE(arm64_classes), esr >> 26 & 0x3f);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/* Registers of arm64 by name. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "internal.h"

#define SYS(op0, op1, crn, crm, op2)	AXVCPU_ARM64_REG_SYS(op0, op1, crn, crm, op2)
#define SYS_MASK			0xffffULL

static const struct {
	const char *name;
	uint64_t id;
} regs[] = {
	{ "sp", AXVCPU_ARM64_REG_SP },
	{ "pc", AXVCPU_ARM64_REG_PC },
	{ "pstate", AXVCPU_ARM64_REG_PSTATE },
	{ "fpsr", AXVCPU_ARM64_REG_FPSR },
	{ "fpcr", AXVCPU_ARM64_REG_FPCR },
	{ "cntvoff", AXVCPU_ARM64_REG_CNTVOFF },
	{ "lines", AXVCPU_ARM64_REG_LINES },
	{ "exception", AXVCPU_ARM64_REG_EXCEPTION },
	{ "serror", AXVCPU_ARM64_REG_SERROR },
	{ "vtimer_irq", AXVCPU_ARM64_REG_VTIMER_IRQ },
	{ "gic.vmcr", AXVCPU_ARM64_REG_GIC_VMCR },
	{ "mdscr_el1", SYS(2, 0, 0, 2, 2) },
	{ "midr_el1", SYS(3, 0, 0, 0, 0) },
	{ "mpidr_el1", SYS(3, 0, 0, 0, 5) },
	{ "sctlr_el1", SYS(3, 0, 1, 0, 0) },
	{ "cpacr_el1", SYS(3, 0, 1, 0, 2) },
	{ "ttbr0_el1", SYS(3, 0, 2, 0, 0) },
	{ "ttbr1_el1", SYS(3, 0, 2, 0, 1) },
	{ "tcr_el1", SYS(3, 0, 2, 0, 2) },
	{ "spsr_el1", SYS(3, 0, 4, 0, 0) },
	{ "elr_el1", SYS(3, 0, 4, 0, 1) },
	{ "sp_el0", SYS(3, 0, 4, 1, 0) },
	{ "afsr0_el1", SYS(3, 0, 5, 1, 0) },
	{ "afsr1_el1", SYS(3, 0, 5, 1, 1) },
	{ "esr_el1", SYS(3, 0, 5, 2, 0) },
	{ "far_el1", SYS(3, 0, 6, 0, 0) },
	{ "par_el1", SYS(3, 0, 7, 4, 0) },
	{ "mair_el1", SYS(3, 0, 10, 2, 0) },
	{ "amair_el1", SYS(3, 0, 10, 3, 0) },
	{ "vbar_el1", SYS(3, 0, 12, 0, 0) },
	{ "contextidr_el1", SYS(3, 0, 13, 0, 1) },
	{ "tpidr_el1", SYS(3, 0, 13, 0, 4) },
	{ "cntkctl_el1", SYS(3, 0, 14, 1, 0) },
	{ "csselr_el1", SYS(3, 2, 0, 0, 0) },
	{ "tpidr_el0", SYS(3, 3, 13, 0, 2) },
	{ "tpidrro_el0", SYS(3, 3, 13, 0, 3) },
	{ "cntvct_el0", SYS(3, 3, 14, 0, 2) },
	{ "cntv_ctl_el0", SYS(3, 3, 14, 3, 1) },
	{ "cntv_cval_el0", SYS(3, 3, 14, 3, 2) },
	{ "sp_el1", SYS(3, 4, 4, 1, 0) },
};

/* Names with a number in them: "v7.high". */
static const struct reg_family families[] = {
	{ "x", "", AXVCPU_ARM64_REG_X(0), 1, 31 },
	{ "v", ".low", AXVCPU_ARM64_REG_V_LOW(0), 2, 32 },
	{ "v", ".high", AXVCPU_ARM64_REG_V_HIGH(0), 2, 32 },
	{ "gic.ap0r", "", AXVCPU_ARM64_REG_GIC_AP0R(0), 1, 4 },
	{ "gic.ap1r", "", AXVCPU_ARM64_REG_GIC_AP1R(0), 1, 4 },
	{ "gic.lr", "", AXVCPU_ARM64_REG_GIC_LR(0), 1, 16 },
	{ "gic.queued", "", AXVCPU_ARM64_REG_GIC_QUEUED(0), 1, AXVCPU_ARM64_MAX_INTID + 1 },
};

/* As Arm writes registers without a name: S3_0_C1_C0_0. */
static int sys_name(uint64_t id, char *buf, size_t len)
{
	return snprintf(buf, len, "s%u_%u_c%u_c%u_%u", (unsigned int)(id >> 14 & 3),
			(unsigned int)(id >> 11 & 7), (unsigned int)(id >> 7 & 15),
			(unsigned int)(id >> 3 & 15), (unsigned int)(id & 7));
}

static bool is_sys(uint64_t id)
{
	return (id & ~SYS_MASK) == SYS(0ULL, 0, 0, 0, 0);
}

static bool parse_sys(const char *name, uint64_t *id)
{
	unsigned int op0, op1, crn, crm, op2;
	char text[REG_NAME_BYTES];

	if (sscanf(name, "%*[sS]%u_%u_%*[cC]%u_%*[cC]%u_%u", &op0, &op1, &crn, &crm, &op2) != 5)
		return false;
	*id = SYS((uint64_t)op0, op1, crn, crm, op2);
	sys_name(*id, text, sizeof(text));
	return is_sys(*id) && !strcasecmp(name, text);
}

int axvcpu_arm64_reg_id(const char *name, uint64_t *id)
{
	uint64_t found;

	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		if (!strcasecmp(name, regs[i].name)) {
			*id = regs[i].id;
			return 0;
		}
	}
	if (!family_reg_id(families, ARRAY_SIZE(families), name, id))
		return 0;
	if (!parse_sys(name, &found))
		return -ENOENT;
	*id = found;
	return 0;
}

int axvcpu_arm64_reg_name(uint64_t id, char *buf, size_t len)
{
	int used;

	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		if (regs[i].id == id)
			return snprintf(buf, len, "%s", regs[i].name);
	}
	used = family_reg_name(families, ARRAY_SIZE(families), id, buf, len);
	if (used > 0)
		return used;
	return is_sys(id) ? sys_name(id, buf, len) : -ENOENT;
}

void arm64_reg_names(name_fn fn, void *data)
{
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
		fn(regs[i].name, data);
	family_names(families, ARRAY_SIZE(families), fn, data);
}

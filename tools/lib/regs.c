// SPDX-License-Identifier: LGPL-2.1-or-later
/* Registers by name, whatever the architecture. */
#include "internal.h"

typedef int (*reg_id_fn)(const char *name, uint64_t *id);

static const reg_id_fn reg_ids[] = {
	[AXVCPU_BACKEND_VMX]	= axvcpu_x86_reg_id,
	[AXVCPU_BACKEND_VHE]	= axvcpu_arm64_reg_id,
};

static int reg_id(const struct axvcpu_vcpu *vcpu, const char *name, uint64_t *id)
{
	reg_id_fn fn = vcpu->backend < ARRAY_SIZE(reg_ids) ? reg_ids[vcpu->backend] : NULL;

	if (!fn || fn(name, id))
		return no_register(vcpu->backend, name);
	return 0;
}

int axvcpu_vcpu_get_reg_by_name(struct axvcpu_vcpu *vcpu, const char *name, uint64_t *value)
{
	uint64_t id;
	int err = reg_id(vcpu, name, &id);

	return err ? err : axvcpu_vcpu_get_reg(vcpu, id, value);
}

int axvcpu_vcpu_set_reg_by_name(struct axvcpu_vcpu *vcpu, const char *name, uint64_t value)
{
	uint64_t id;
	int err = reg_id(vcpu, name, &id);

	return err ? err : axvcpu_vcpu_set_reg(vcpu, id, value);
}

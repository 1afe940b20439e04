// SPDX-License-Identifier: LGPL-2.1-or-later
/* The whole state of a vCPU: kept in the kernel, or saved to carry elsewhere. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define MAGIC		0x4554415453565841ULL	/* "AXVSTATE", little-endian */
#define VERSION		1

/**
 * struct saved - what axvcpu_vcpu_save() writes
 * @magic: what it is
 * @version: of this format
 * @backend: &enum axvcpu_backend
 * @count: elements of @regs
 * @reserved: zero
 * @regs: registers in an order that can be loaded
 */
struct saved {
	uint64_t magic;
	uint32_t version;
	uint32_t backend;
	uint32_t count;
	uint32_t reserved;
	struct axvcpu_reg regs[];
};

static size_t size_of(uint32_t count)
{
	return sizeof(struct saved) + count * sizeof(struct axvcpu_reg);
}

int axvcpu_vcpu_keep_state(struct axvcpu_vcpu *vcpu)
{
	return vcpu_ioctl(vcpu, CALL_KEEP_STATE, AXVCPU_KEEP_STATE, NULL);
}

int axvcpu_vcpu_restore_state(struct axvcpu_vcpu *vcpu, unsigned int flags)
{
	return vcpu_ioctl(vcpu, CALL_RESTORE_STATE, AXVCPU_RESTORE_STATE,
			  (void *)(uintptr_t)flags);
}

int axvcpu_vcpu_list_regs(struct axvcpu_vcpu *vcpu, uint64_t *ids, uint32_t *count)
{
	struct axvcpu_reg_list args = { .ids = (uintptr_t)ids, .count = *count };
	int err = vcpu_ioctl(vcpu, CALL_LIST_REGS, AXVCPU_GET_REG_LIST, &args);

	if (!err || err == -E2BIG)
		*count = args.count;
	return err;
}

/* In as many calls as it takes */
static int each_part(struct axvcpu_vcpu *vcpu, struct axvcpu_reg *regs, uint32_t count,
		     int (*fn)(struct axvcpu_vcpu *vcpu, struct axvcpu_reg *regs, uint32_t count))
{
	for (uint32_t done = 0, part; done < count; done += part) {
		int err;

		part = count - done < AXVCPU_MAX_REGS ? count - done : AXVCPU_MAX_REGS;
		err = fn(vcpu, regs + done, part);
		if (err)
			return err;
	}
	return 0;
}

/* Of one that is not set up, it would be no state that anybody can go on from. */
static int check_set_up(struct axvcpu_vcpu *vcpu, enum call call)
{
	struct axvcpu_state_info info;
	int err = axvcpu_vcpu_get_state(vcpu, &info);

	if (!err && (info.state == AXVCPU_STATE_INVALID || info.state == AXVCPU_STATE_CREATED))
		err = vcpu_failed(vcpu, call, -EBADFD);
	return err;
}

static int save(struct axvcpu_vcpu *vcpu, struct saved *saved, uint64_t *ids, uint32_t *count)
{
	int err = axvcpu_vcpu_list_regs(vcpu, ids, count);

	if (err)
		return err;
	*saved = (struct saved){ MAGIC, VERSION, vcpu->backend, *count, 0 };
	for (uint32_t i = 0; i < *count; i++)
		saved->regs[i] = (struct axvcpu_reg){ .id = ids[i] };
	return each_part(vcpu, saved->regs, *count, axvcpu_vcpu_get_regs);
}

int axvcpu_vcpu_save(struct axvcpu_vcpu *vcpu, void *buf, size_t *size)
{
	uint32_t count = 0, room = *size < size_of(0) ? 0 :
				   (*size - size_of(0)) / sizeof(struct axvcpu_reg);
	uint64_t *ids;
	int err = check_set_up(vcpu, CALL_SAVE);

	if (err)
		return err;
	err = axvcpu_vcpu_list_regs(vcpu, NULL, &count);
	if (err != -E2BIG)
		return err;
	if (*size < size_of(count)) {
		*size = size_of(count);
		return failed(CALL_SAVE, -E2BIG);
	}
	ids = calloc(room, sizeof(*ids));
	if (!ids)
		return failed(CALL_SAVE, -ENOMEM);
	err = save(vcpu, buf, ids, &room);
	free(ids);
	if (!err || err == -E2BIG)
		*size = size_of(room);
	return err;
}

static int set_part(struct axvcpu_vcpu *vcpu, struct axvcpu_reg *regs, uint32_t count)
{
	return axvcpu_vcpu_set_regs(vcpu, regs, count);
}

int axvcpu_vcpu_load(struct axvcpu_vcpu *vcpu, const void *buf, size_t size)
{
	struct saved head;
	struct saved *copy;
	int err;

	if (size < sizeof(head))
		return failed(CALL_LOAD, -EINVAL);
	memcpy(&head, buf, sizeof(head));
	if (head.magic != MAGIC || head.reserved || size != size_of(head.count))
		return failed(CALL_LOAD, -EINVAL);
	if (head.version != VERSION || head.backend != vcpu->backend)
		return failed(CALL_LOAD, -EPROTO);
	err = check_set_up(vcpu, CALL_LOAD);
	if (err)
		return err;
	/* The caller's need not be aligned. */
	copy = malloc(size);
	if (!copy)
		return failed(CALL_LOAD, -ENOMEM);
	memcpy(copy, buf, size);
	err = each_part(vcpu, copy->regs, head.count, set_part);
	free(copy);
	if (err == -EINVAL)
		because(err, "this vCPU can't have the saved value; is its CPUID table the same?");
	return err;
}

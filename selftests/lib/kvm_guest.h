/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest of KVM's on arm64, for the tests of what is beside KVM. */
#ifndef _SELFTESTS_KVM_GUEST_H
#define _SELFTESTS_KVM_GUEST_H

#include <stddef.h>
#include <stdint.h>

#include <linux/kvm.h>

#define KVM_GUEST_SIZE	0x100000	/* of its memory, at 0 */
#define KVM_GUEST_PORT	0x20000000ULL	/* its store here ends a turn */
#define KVM_GUEST_GICD	0x8000000ULL
#define KVM_GUEST_GICR	0x80a0000ULL

/**
 * struct kvm_guest - a machine of KVM's with one vCPU and a GICv3
 * @kvm: /dev/kvm
 * @vm: the machine
 * @gic: its GIC
 * @vcpu: the vCPU
 * @run: what it exits with
 * @run_size: size of that
 * @mem: the memory
 */
struct kvm_guest {
	int kvm, vm, gic, vcpu;
	struct kvm_run *run;
	int run_size;
	uint8_t *mem;
};

int kvm_create(struct kvm_guest *k, uint64_t entry, const uint8_t *code, const uint8_t *end);
void kvm_destroy(struct kvm_guest *k);
int kvm_set_x(struct kvm_guest *k, int n, uint64_t value);
int kvm_turn(struct kvm_guest *k);

#endif /* _SELFTESTS_KVM_GUEST_H */

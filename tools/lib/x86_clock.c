// SPDX-License-Identifier: LGPL-2.1-or-later
/* How a guest learns the time from its TSC: leaves with frequencies, and KVM's clock. */
#include <string.h>

#include "internal.h"

enum { EAX, EBX, ECX, EDX };

#define LEAF_RATIO	0x15
#define LEAF_MHZ	0x16
#define LEAF_HYPERVISOR	0x40000000
#define LEAF_KVM	0x40000001
#define LEAF_KHZ	0x40000010

#define HZ_PER_KHZ	1000U
#define HZ_PER_MHZ	1000000U
#define BUS_MHZ		100U		/* what processors say, and nothing depends on */
#define NS_PER_SEC	1000000000U

/* --- CPUID -------------------------------------------------------------------- */

/*
 * TSC and APIC timer are as a fraction. Linux multiplies its numerator with the timer's
 * frequency in kHz, in 32 bits: of the fractions that this leaves, the last one of those
 * that come ever closer, which are the ends of a continued fraction.
 */
void tsc_ratio(uint64_t tsc_hz, uint32_t apic_hz, uint32_t regs[4])
{
	uint64_t max = UINT32_MAX / (apic_hz / HZ_PER_KHZ);
	uint64_t n = tsc_hz, d = apic_hz, rest;
	uint64_t n1 = 1, d1 = 0, n0 = 0, d0 = 1;

	for (; d; n = d, d = rest) {
		uint64_t n2 = n / d * n1 + n0, d2 = n / d * d1 + d0;

		if (n2 > max || d2 > UINT32_MAX)
			break;
		rest = n % d;
		n0 = n1;
		d0 = d1;
		n1 = n2;
		d1 = d2;
	}
	regs[EAX] = d1;
	regs[EBX] = n1;
	regs[ECX] = apic_hz;
	regs[EDX] = 0;
}

/* A range of leaves begins with the number of its last one. */
static int show_up_to(struct axvcpu_vcpu *vcpu, uint32_t first, uint32_t last)
{
	uint32_t regs[4];
	int err = axvcpu_x86_get_cpuid(vcpu, first, 0, regs);

	if (err || regs[EAX] >= last)
		return err;
	regs[EAX] = last;
	return axvcpu_x86_set_cpuid(vcpu, first, 0, regs);
}

int axvcpu_x86_set_cpuid_tsc(struct axvcpu_vcpu *vcpu, uint64_t tsc_hz, uint32_t apic_hz)
{
	const uint32_t khz[4] = { tsc_hz / HZ_PER_KHZ, apic_hz / HZ_PER_KHZ };
	const uint32_t tsc_mhz = (tsc_hz + HZ_PER_MHZ / 2) / HZ_PER_MHZ;
	const uint32_t mhz[4] = { tsc_mhz, tsc_mhz, BUS_MHZ };
	uint32_t ratio[4];
	int err;

	if (tsc_hz < HZ_PER_KHZ || tsc_hz / HZ_PER_KHZ > UINT32_MAX || apic_hz < HZ_PER_KHZ)
		return failed(CALL_CPUID, -EINVAL);
	tsc_ratio(tsc_hz, apic_hz, ratio);
	err = axvcpu_x86_set_cpuid(vcpu, LEAF_RATIO, 0, ratio);
	if (!err)
		err = axvcpu_x86_set_cpuid(vcpu, LEAF_MHZ, 0, mhz);
	if (!err)
		err = axvcpu_x86_set_cpuid(vcpu, LEAF_KHZ, 0, khz);
	if (!err)
		err = show_up_to(vcpu, 0, LEAF_MHZ);
	return err ? err : show_up_to(vcpu, LEAF_HYPERVISOR, LEAF_KHZ);
}

int axvcpu_x86_set_cpuid_kvm(struct axvcpu_vcpu *vcpu, uint32_t features)
{
	const uint32_t leaf[4] = { features };
	uint32_t name[4];
	int err = axvcpu_x86_get_cpuid(vcpu, LEAF_HYPERVISOR, 0, name);

	if (err)
		return err;
	memcpy(&name[EBX], "KVMKVMKVM\0\0", 3 * sizeof(name[0]));
	err = axvcpu_x86_set_cpuid(vcpu, LEAF_HYPERVISOR, 0, name);
	if (!err)
		err = axvcpu_x86_set_cpuid(vcpu, LEAF_KVM, 0, leaf);
	return err ? err : show_up_to(vcpu, LEAF_HYPERVISOR, LEAF_KVM);
}

/* --- clock -------------------------------------------------------------------- */

#define FLAG_STABLE	1

/* What guests read, behind its version (Documentation/virt/kvm/x86/msr.rst of Linux) */
struct clock_body {
	uint32_t pad;
	uint64_t tsc;
	uint64_t ns;
	uint32_t mul;
	int8_t shift;
	uint8_t flags;
	uint8_t pad2[2];
} __attribute__((packed));

struct wall_clock_body {
	uint32_t sec;
	uint32_t nsec;
} __attribute__((packed));

/* While the version is odd, readers wait; when it has changed, they read again. */
static void write_versioned(void *dest, const void *body, size_t size)
{
	atomic_uint *version = dest;
	unsigned int odd = (atomic_load_explicit(version, memory_order_relaxed) + 1) | 1;

	atomic_store_explicit(version, odd, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	memcpy((uint8_t *)dest + sizeof(*version), body, size);
	atomic_store_explicit(version, odd + 1, memory_order_release);
}

/* ns = (ticks << shift) * mul >> 32, with mul as large as can be */
static void set_scale(struct clock_body *body, uint64_t tsc_hz)
{
	uint64_t ns = NS_PER_SEC, ticks = tsc_hz;

	for (; ticks > 2 * ns; ticks /= 2)
		body->shift--;
	for (; ticks <= ns; ticks *= 2)
		body->shift++;
	body->mul = (ns << 32) / ticks;
}

int axvcpu_x86_write_kvm_clock(void *dest, const struct axvcpu_x86_clock *clock)
{
	struct clock_body body = {
		.tsc = clock->tsc,
		.ns = clock->ns,
		.flags = clock->stable ? FLAG_STABLE : 0,
	};

	if (!clock->tsc_hz)
		return failed(CALL_CLOCK, -EINVAL);
	set_scale(&body, clock->tsc_hz);
	write_versioned(dest, &body, sizeof(body));
	return 0;
}

void axvcpu_x86_write_kvm_wall_clock(void *dest, uint64_t ns)
{
	const struct wall_clock_body body = { ns / NS_PER_SEC, ns % NS_PER_SEC };

	write_versioned(dest, &body, sizeof(body));
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mock's memory management unit: walks a second-stage table that looks
 * like EPT, and remembers what it found until it is told to forget.
 *
 * It shares no code with axvcpu_s2.c, which makes the table: each checks the
 * other.
 */
#include <linux/instrumented.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "axvcpu_mock.h"

#define LEVEL_BITS	(PAGE_SHIFT - 3)
#define LEVELS		DIV_ROUND_UP(AXVCPU_MOCK_GPA_BITS - PAGE_SHIFT, LEVEL_BITS)
#define ADDR_MASK	GENMASK_ULL(AXVCPU_MOCK_HPA_BITS - 1, PAGE_SHIFT)

#define S2_READ		BIT_ULL(0)
#define S2_WRITE	BIT_ULL(1)
#define S2_EXEC		BIT_ULL(2)
#define S2_ACCESS	(S2_READ | S2_WRITE | S2_EXEC)
#define S2_MEMTYPE_WB	(6ULL << 3)
#define S2_LARGE	BIT_ULL(7)
#define S2_ACCESSED	BIT_ULL(8)
#define S2_DIRTY	BIT_ULL(9)

const struct axvcpu_s2_format axvcpu_mock_s2_format = {
	.gpa_bits = AXVCPU_MOCK_GPA_BITS,
	.levels = LEVELS,
	.page_shift = PAGE_SHIFT,
	.level_bits = LEVEL_BITS,
	.leaf_levels = BIT(0) | BIT(1),
	.addr_mask = ADDR_MASK,
	.present_mask = S2_ACCESS,
	.table_bits = S2_ACCESS,
	.leaf_bits = { S2_MEMTYPE_WB, S2_MEMTYPE_WB | S2_LARGE },
	.leaf_type_mask = S2_LARGE,
	.leaf_type = S2_LARGE,
	.prot = {
		[AXVCPU_MAP_READ] = S2_READ,
		[AXVCPU_MAP_READ | AXVCPU_MAP_WRITE] = S2_READ | S2_WRITE,
		[AXVCPU_MAP_EXEC] = S2_EXEC,
		[AXVCPU_MAP_READ | AXVCPU_MAP_EXEC] = S2_READ | S2_EXEC,
		[AXVCPU_MAP_ALL] = S2_ACCESS,
	},
	.accesses = AXVCPU_S2_ACCESSES | BIT(AXVCPU_MAP_EXEC),
	.write_mask = S2_WRITE,
	.dirty = S2_DIRTY,
	.accessed = S2_ACCESSED,
};

/**
 * axvcpu_mock_hpa_is_ram() - may the mock follow this address?
 * @hpa: host-physical address
 *
 * Hardware would follow any; the mock must go through the kernel's own map.
 *
 * Context: any.
 * Return: whether there is memory.
 */
bool axvcpu_mock_hpa_is_ram(u64 hpa)
{
	return !(hpa >> AXVCPU_MOCK_HPA_BITS) && pfn_valid(PHYS_PFN(hpa));
}

/**
 * axvcpu_mock_flush() - forget all translations
 * @mock: the vCPU
 *
 * Context: inside enter.
 */
void axvcpu_mock_flush(struct axvcpu_mock *mock)
{
	memset(mock->tlb, 0, sizeof(mock->tlb));
}

/*
 * What the kernel does not map for itself, memfd_secret()'s pages say, is no
 * memory to the mock: it goes there by accesses that may fault.
 */
static int put_unit(void *to, const void *from, u32 unit)
{
	switch (unit) {
	case 8:
		__put_kernel_nofault(to, from, u64, fault);
		break;
	case 4:
		__put_kernel_nofault(to, from, u32, fault);
		break;
	case 2:
		__put_kernel_nofault(to, from, u16, fault);
		break;
	default:
		__put_kernel_nofault(to, from, u8, fault);
	}
	return 0;

fault:
	return -EINVAL;
}

static int get_unit(void *to, const void *from, u32 unit)
{
	switch (unit) {
	case 8:
		__get_kernel_nofault(to, from, u64, fault);
		break;
	case 4:
		__get_kernel_nofault(to, from, u32, fault);
		break;
	case 2:
		__get_kernel_nofault(to, from, u16, fault);
		break;
	default:
		__get_kernel_nofault(to, from, u8, fault);
	}
	return 0;

fault:
	return -EINVAL;
}

/*
 * One access where the hardware makes one: other CPUs and the host look on, so that each
 * counts as atomic.
 */
static u32 unit_of(const void *a, const void *b, u32 len)
{
	return 1 << __ffs((uintptr_t)a | (uintptr_t)b | len | 8);
}

static int copy_out(void *to, const void *from, u32 len)
{
	u32 unit = unit_of(to, from, len), done;
	int ret = 0;

	instrument_atomic_write(to, len);
	for (done = 0; !ret && done < len; done += unit)
		ret = put_unit(to + done, from + done, unit);
	return ret;
}

static int copy_in(void *to, const void *from, u32 len)
{
	u32 unit = unit_of(to, from, len), done;
	int ret = 0;

	instrument_atomic_read(from, len);
	for (done = 0; !ret && done < len; done += unit)
		ret = get_unit(to + done, from + done, unit);
	return ret;
}

static unsigned int level_shift(unsigned int level)
{
	return PAGE_SHIFT + level * LEVEL_BITS;
}

/*
 * Returns 0 with @tlb filled in, -EFAULT for a violation, -EINVAL for an entry
 * that makes no sense (an EPT misconfiguration), -EAGAIN when the leaf changed
 * while its accessed and dirty bits were set.
 */
static int walk(struct axvcpu_mock *mock, u64 gpa, u32 access, struct axvcpu_mock_tlb_entry *tlb)
{
	u64 hpa = mock->root.val;
	unsigned int level = LEVELS;
	u64 entry, mask, marks, *slot;

	if (gpa >> AXVCPU_MOCK_GPA_BITS)
		return -EFAULT;

	do {
		level--;
		slot = (u64 *)phys_to_virt(hpa) +
			((gpa >> level_shift(level)) & (BIT(LEVEL_BITS) - 1));
		if (copy_in(&entry, slot, sizeof(entry)))
			return -EINVAL;
		if (!(entry & S2_ACCESS))
			return -EFAULT;
		hpa = entry & ADDR_MASK;
		if ((entry & S2_WRITE && !(entry & S2_READ)) || !axvcpu_mock_hpa_is_ram(hpa))
			return -EINVAL;
		if ((entry & access) != access)
			return -EFAULT;
	} while (level && !(entry & S2_LARGE));

	mask = BIT_ULL(level_shift(level)) - 1;
	if (level > 1 || hpa & mask)
		return -EINVAL;
	hpa |= gpa & mask & PAGE_MASK;
	if (!axvcpu_mock_hpa_is_ram(hpa))
		return -EINVAL;
	marks = S2_ACCESSED | (access & AXVCPU_MAP_WRITE ? S2_DIRTY : 0);
	if (~entry & marks) {
		if (!try_cmpxchg64(slot, &entry, entry | marks))
			return -EAGAIN;
		entry |= marks;
	}

	*tlb = (struct axvcpu_mock_tlb_entry){
		.gfn = gpa >> PAGE_SHIFT,
		.hpa = hpa,
		.access = entry & S2_ACCESS,
		.dirty = entry & S2_DIRTY,
	};
	return 0;
}

/* As walk(); a violation drops what was remembered, as on Intel's hardware. */
static int translate(struct axvcpu_mock *mock, u64 gpa, u32 access, void **host)
{
	u64 gfn = gpa >> PAGE_SHIFT;
	struct axvcpu_mock_tlb_entry *tlb = &mock->tlb[gfn % AXVCPU_MOCK_TLB_LEN];
	int ret;

	if (tlb->gfn != gfn || (tlb->access & access) != access ||
	    (access & AXVCPU_MAP_WRITE && !tlb->dirty)) {
		tlb->access = 0;
		do {
			ret = walk(mock, gpa, access, tlb);
		} while (ret == -EAGAIN);
		if (ret)
			return ret;
	}
	*host = phys_to_virt(tlb->hpa) + offset_in_page(gpa);
	return 0;
}

/**
 * axvcpu_mock_access() - read, write or fetch guest memory as the guest does
 * @mock: the vCPU
 * @gpa: guest-physical address
 * @buf: aligned like @len; written unless @access says write
 * @len: bytes, at most 16
 * @access: one of ``AXVCPU_MAP_*``
 *
 * Where the range touches a page that can't be accessed, nothing is accessed,
 * and &struct axvcpu.fault tells the first address at fault.
 *
 * Context: inside enter: interrupts are off, so that whoever takes memory away
 * waits for the end of it.
 * Return: 0; -EFAULT: a second-stage fault; -EINVAL: the table is malformed, or
 * leads to memory that the kernel does not map.
 */
int axvcpu_mock_access(struct axvcpu_mock *mock, u64 gpa, void *buf, u32 len, u32 access)
{
	u32 first = min_t(u32, len, PAGE_SIZE - offset_in_page(gpa));
	u64 fault = gpa;
	void *host[2];
	int ret;

	lockdep_assert_irqs_disabled();
	ret = translate(mock, gpa, access, &host[0]);
	if (!ret && first < len) {
		fault = gpa + first;
		ret = translate(mock, fault, access, &host[1]);
	}
	if (ret) {
		mock->vcpu.fault = (struct axvcpu_fault){
			.gpa = axvcpu_gpa(fault),
			.access = access,
		};
		return ret;
	}

	if (access & AXVCPU_MAP_WRITE) {
		ret = copy_out(host[0], buf, first);
		if (!ret && first < len)
			ret = copy_out(host[1], buf + first, len - first);
	} else {
		ret = copy_in(buf, host[0], first);
		if (!ret && first < len)
			ret = copy_in(buf + first, host[1], len - first);
	}
	return ret;
}

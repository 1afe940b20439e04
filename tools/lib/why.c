// SPDX-License-Identifier: LGPL-2.1-or-later
/* What of a call's arguments is wrong, where EINVAL alone leaves it open. */
#include <stdbool.h>
#include <unistd.h>

#include "internal.h"

#define BIT(n)	(1U << (n))

const char *why_no_map(const struct axvcpu_map *map)
{
	uint64_t in_page = sysconf(_SC_PAGESIZE) - 1;

	if (map->flags & ~(AXVCPU_MAP_ALL | AXVCPU_MAP_LOG_DIRTY))
		return "there is no such flag";
	if (!map->size)
		return "the size is 0";
	if (map->gpa & in_page)
		return "the guest-physical address is no multiple of the page size";
	if (map->uaddr & in_page)
		return "the memory's address is no multiple of the page size";
	if (map->size & in_page)
		return "the size is no multiple of the page size";
	if (!(map->flags & AXVCPU_MAP_READ))
		return "the hardware has no access without AXVCPU_MAP_READ, or not this one";
	return "the range ends beyond what guests can address (gpa_bits of axvcpu_device_info())";
}

/* Exceptions with an error code: #DF, #TS, #NP, #SS, #GP, #PF, #AC */
#define HAS_ERROR_CODE	(BIT(8) | BIT(10) | BIT(11) | BIT(12) | BIT(13) | BIT(14) | BIT(17))
#define LAST_EXCEPTION	20

static const char *why_no_x86_exception(const struct axvcpu_inject *event)
{
	bool has_code = event->flags & AXVCPU_INJECT_ERROR_CODE;

	if (event->vector == 2)
		return "vector 2 is AXVCPU_EVENT_NMI";
	if (event->vector > LAST_EXCEPTION || event->vector == 15)
		return "no exception has this vector";
	if (has_code && !(HAS_ERROR_CODE & BIT(event->vector)))
		return "this exception has no error code: no AXVCPU_INJECT_ERROR_CODE";
	if (!has_code && HAS_ERROR_CODE & BIT(event->vector))
		return "this exception has an error code: AXVCPU_INJECT_ERROR_CODE, be it 0";
	return "the error code is above AXVCPU_X86_ERROR_CODE_MASK, or without its flag";
}

static const char *why_no_x86_event(const struct axvcpu_inject *event)
{
	if (event->flags & AXVCPU_INJECT_PRIORITY || event->priority)
		return "on x86 the vector is the priority";
	if (event->type == AXVCPU_EVENT_EXCEPTION)
		return why_no_x86_exception(event);
	if (event->flags || event->error_code)
		return "only an exception has an error code";
	return event->type == AXVCPU_EVENT_NMI ? "an NMI has no vector: it is 0" :
						 "vectors end at 255";
}

static const char *why_no_arm64_event(const struct axvcpu_inject *event)
{
	if (event->type == AXVCPU_EVENT_NMI)
		return "arm64 has no NMI; an interrupt has a priority";
	if (event->type == AXVCPU_EVENT_EXCEPTION) {
		if (event->flags & AXVCPU_INJECT_PRIORITY || event->priority)
			return "an exception has no priority";
		if (event->vector > AXVCPU_ARM64_MAX_EC)
			return "an exception's vector is its class, ESR_EL1.EC: it ends at 0x3f";
		return "an exception's error code is ESR_EL1.ISS, with AXVCPU_INJECT_ERROR_CODE";
	}
	if (event->flags & AXVCPU_INJECT_ERROR_CODE || event->error_code)
		return "an interrupt has no error code";
	if (event->priority && !(event->flags & AXVCPU_INJECT_PRIORITY))
		return "a priority needs AXVCPU_INJECT_PRIORITY";
	if (event->vector > AXVCPU_ARM64_MAX_INTID && event->flags & AXVCPU_INJECT_PRIORITY)
		return "a line has no priority";
	return "INTIDs end at 1019, and a priority at 0xff";
}

const char *why_no_event(uint32_t backend, const struct axvcpu_inject *event)
{
	if (event->type > AXVCPU_EVENT_NMI)
		return "there is no such type of event";
	if (event->flags & ~(AXVCPU_INJECT_ERROR_CODE | AXVCPU_INJECT_PRIORITY))
		return "there is no such flag";
	if (backend == AXVCPU_BACKEND_VMX)
		return why_no_x86_event(event);
	return backend == AXVCPU_BACKEND_VHE ? why_no_arm64_event(event) : NULL;
}

static const char *why_no_x86_setup(const struct axvcpu_setup *setup)
{
	switch (setup->config.x86.mode) {
	case AXVCPU_X86_MODE_REAL:
		if (setup->entry >> 20)
			return "in real mode, the entry is in the first MiB";
		break;
	case AXVCPU_X86_MODE_PROTECTED:
		if (setup->entry >> 32)
			return "in protected mode, the entry is in the first 4 GiB";
		break;
	case AXVCPU_X86_MODE_LONG:
		if (setup->config.x86.cr3 & 0xfff)
			return "cr3 is no multiple of 4096";
		return "the entry or cr3 is beyond what guests can address";
	default:
		return "there is no such mode (AXVCPU_X86_MODE_*)";
	}
	return setup->config.x86.cr3 ? "without paging, cr3 is 0" : NULL;
}

const char *why_no_setup(uint32_t backend, const struct axvcpu_setup *setup)
{
	if (setup->flags & ~(AXVCPU_SETUP_RAW_ROOT | AXVCPU_SETUP_STEPPED))
		return "there is no such flag";
	if (setup->flags & AXVCPU_SETUP_RAW_ROOT ? setup->aspace_fd != -1 : setup->raw_root != 0)
		return "it takes an address space, or a raw root: aspace_fd is -1, or raw_root 0";
	if (backend == AXVCPU_BACKEND_VMX)
		return why_no_x86_setup(setup);
	if (backend == AXVCPU_BACKEND_VHE && setup->entry & 3)
		return "the entry is no multiple of 4";
	return NULL;
}

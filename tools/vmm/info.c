// SPDX-License-Identifier: GPL-2.0-only
/* axvmm info: what the device is and can do. */
#include <ctype.h>
#include <stdio.h>

#include <libaxvcpu.h>

#include "array_size.h"
#include "device.h"
#include "exit_codes.h"
#include "info.h"

static const struct {
	uint64_t bit;
	const char *name;
	const char *meaning;
} caps[] = {
	{ AXVCPU_CAP_CALL_LOG, "call_log", "the backend's calls can be read" },
	{ AXVCPU_CAP_RAW_ROOT, "raw_root", "raw second-stage roots are allowed" },
	{ AXVCPU_CAP_HW_DIRTY, "hw_dirty", "the hardware tracks written pages" },
	{ AXVCPU_CAP_DEBUG, "debug", "a debugger can stop the guest" },
	{ AXVCPU_CAP_PREEMPTION_TIMER, "preemption_timer", "a guest can be given a span of time" },
};

static void print_page_size(unsigned int shift)
{
	static const char units[] = "BKMGTPE";

	printf("%llu%c", 1ULL << shift % 10, units[shift / 10]);
}

static void print_text(const char *path, const struct axvcpu_info *info)
{
	printf("device            %s\n", path);
	printf("backend           %s\n", axvcpu_backend_name(info->backend));
	printf("interface         version %u, for programs of version %u and later\n",
	       info->abi_version, info->abi_oldest);
	if (info->counter_hz)
		printf("counter           %.3f MHz\n", info->counter_hz / 1e6);
	else
		printf("counter           of unknown frequency\n");
	printf("guest memory      below 2^%u, %u levels of table\n", info->gpa_bits,
	       info->max_gpt_levels);
	printf("page sizes       ");
	for (unsigned int shift = 0; shift < 64; shift++) {
		if (info->page_sizes >> shift & 1) {
			putchar(' ');
			print_page_size(shift);
		}
	}
	printf("\nrun page          %u bytes\n", info->run_size);
	printf("registers         up to %u at once\n", info->max_regs);
	printf("capabilities      %s\n", info->caps ? "" : "none");
	for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
		if (info->caps & caps[i].bit)
			printf("  %-15s %s\n", caps[i].name, caps[i].meaning);
	}
}

/* The kernel's word is ASCII; what would break JSON becomes '?'. */
static bool is_plain(uint8_t c)
{
	return isalnum(c) || c == ' ' || (ispunct(c) && c != '"' && c != '\\');
}

static void print_json_string(const uint8_t *text)
{
	putchar('"');
	for (; *text; text++)
		putchar(is_plain(*text) ? *text : '?');
	putchar('"');
}

static void print_json(const struct axvcpu_info *info)
{
	const char *comma = "";

	printf("{\"abi_version\": %u, \"abi_oldest\": %u, \"backend\": \"%s\", \"name\": ",
	       info->abi_version, info->abi_oldest, axvcpu_backend_name(info->backend));
	print_json_string(info->name);
	printf(", \"gpa_bits\": %u, \"max_gpt_levels\": %u, \"run_size\": %u, \"max_regs\": %u",
	       info->gpa_bits, info->max_gpt_levels, info->run_size, info->max_regs);
	printf(", \"counter_hz\": %llu, \"page_sizes\": [", info->counter_hz);
	for (unsigned int shift = 0; shift < 64; shift++) {
		if (info->page_sizes >> shift & 1) {
			printf("%s%llu", comma, 1ULL << shift);
			comma = ", ";
		}
	}
	printf("], \"caps\": [");
	comma = "";
	for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
		if (info->caps & caps[i].bit) {
			printf("%s\"%s\"", comma, caps[i].name);
			comma = ", ";
		}
	}
	printf("]}\n");
}

int print_info(const struct info_options *opt)
{
	const char *path = opt->device ? opt->device : AXVCPU_DEVICE_PATH;
	struct axvcpu_device *dev = open_device(path);

	if (!dev)
		return EXIT_DEVICE;
	if (opt->json)
		print_json(axvcpu_device_info(dev));
	else
		print_text(path, axvcpu_device_info(dev));
	axvcpu_device_close(dev);
	return fflush(stdout) ? EXIT_OUTPUT : 0;
}

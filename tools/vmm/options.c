// SPDX-License-Identifier: GPL-2.0-only
/* What axvmm's command lines say. */
#include <stdio.h>
#include <string.h>

#include "cmdline.h"
#include "exit_codes.h"
#include "number.h"
#include "options.h"
#include "report.h"

#define DEFAULT_MEM		(32ULL << 20)
#define DEFAULT_TIMER_VECTOR	32
#define TIMER_HZ_MAX		10000

/* No page is smaller. */
#define MEM_MIN			4096

#define TEXT(number)		TEXT_OF(number)
#define TEXT_OF(number)		#number

static const char *parse_mode(const char *text, void *data)
{
	struct run_options *opt = data;
	const char *const *modes = opt->arch->modes;

	for (int i = 0; modes[i]; i++) {
		if (!strcmp(text, modes[i])) {
			opt->mode = i;
			return NULL;
		}
	}
	return "which is no mode";
}

static const char *parse_mem(const char *text, void *data)
{
	static char less[64];
	struct run_options *opt = data;
	const char *why = parse_size(text, &opt->mem);

	if (why || opt->mem >= MEM_MIN)
		return why;
	snprintf(less, sizeof(less), "which is %llu bytes (did you mean %lluM?)",
		 (unsigned long long)opt->mem, (unsigned long long)opt->mem);
	return less;
}

static const char *parse_load(const char *text, void *data)
{
	struct run_options *opt = data;

	opt->has_load = true;
	return parse_in_range(text, 0, UINT64_MAX, &opt->load);
}

static const char *parse_entry(const char *text, void *data)
{
	struct run_options *opt = data;

	opt->has_entry = true;
	return parse_in_range(text, 0, UINT64_MAX, &opt->entry);
}

static const char *parse_u32_in_range(const char *text, uint32_t min, uint32_t max, uint32_t *to)
{
	uint64_t n = 0;
	const char *why = parse_in_range(text, min, max, &n);

	*to = n;
	return why;
}

static const char *parse_cpus(const char *text, void *data)
{
	struct run_options *opt = data;

	return parse_u32_in_range(text, 1, MAX_VCPUS, &opt->cpus);
}

/* "0,2,3" */
static const char *parse_pins(const char *text, void *data)
{
	struct run_options *opt = data;
	const char *why;
	uint64_t n;
	char *end;

	opt->nr_pins = 0;
	for (;; text = end + 1) {
		if (opt->nr_pins == MAX_VCPUS)
			return "which has more than " TEXT(MAX_VCPUS) " numbers";
		why = parse_number(text, &n, &end);
		if (why)
			return *text || !opt->nr_pins ? why : "which has nothing behind a comma";
		if (n > INT32_MAX)
			return "which has a number that is too large";
		opt->pins[opt->nr_pins++] = n;
		if (!*end)
			return NULL;
		if (*end != ',')
			return "which has no comma behind a number";
	}
}

static const char *parse_cpuid(const char *text, void *data)
{
	struct run_options *opt = data;

	if (!opt->arch->has_cpuid)
		return "which is for x86 guests";
	if (!cpuid_parse_preset(text, &opt->preset))
		return NULL;
	if (opt->nr_cpuids == MAX_CPUIDS)
		return "which is one --cpuid too many (" TEXT(MAX_CPUIDS) " is the most)";
	if (cpuid_parse(text, &opt->cpuids[opt->nr_cpuids++]))
		return "which is malformed";
	return NULL;
}

static const char *parse_timer(const char *text, void *data)
{
	struct run_options *opt = data;

	return parse_u32_in_range(text, 1, TIMER_HZ_MAX, &opt->timer_hz);
}

static const char *parse_timer_vector(const char *text, void *data)
{
	struct run_options *opt = data;

	return parse_u32_in_range(text, 0, opt->arch->max_vector, &opt->timer_vector);
}

static const char *parse_timeout(const char *text, void *data)
{
	struct run_options *opt = data;

	return parse_seconds(text, &opt->timeout_ns);
}

static const char *take_trace(const char *text, void *data)
{
	struct run_options *opt = data;

	(void)text;
	opt->trace = true;
	return NULL;
}

static const char *take_stats(const char *text, void *data)
{
	struct run_options *opt = data;

	(void)text;
	opt->stats = true;
	return NULL;
}

static const char *take_path(const char *text, const char **path)
{
	*path = text;
	return *text ? NULL : "which is empty";
}

static const char *parse_run_device(const char *text, void *data)
{
	struct run_options *opt = data;

	return take_path(text, &opt->device);
}

#define ADDRESS		"an address, as in 0x100000"
#define DEVICE_HELP	"The device (default: /dev/axvcpu)"
#define DEVICE_TAKES	"a path, as in /dev/axvcpu"

/* What is missing here is the architecture's: run_help(), run_takes(). */
static const struct cmd_option run_option_table[] = {
	{ "mode", "MODE", NULL, NULL, parse_mode },
	{ "mem", "SIZE", "Guest memory, a number with K, M, G or T (default: 32M)",
	  "bytes, or a number with K, M, G or T behind it, as in 64M", parse_mem },
	{ "load", "ADDR", NULL, ADDRESS, parse_load },
	{ "entry", "ADDR",
	  "Address of the first instruction (default: the ELF file's, or the load address)",
	  ADDRESS, parse_entry },
	{ "cpus", "N", "Number of vCPUs (default: 1)", "a number from 1 to " TEXT(MAX_VCPUS),
	  parse_cpus },
	{ "cpu", "CPU[,CPU...]", "Keep the vCPUs on these host CPUs, in turn",
	  "numbers of host CPUs, with commas between, as in 0,2", parse_pins },
	{ "cpuid", "PRESET|LEAF[.SUBLEAF]:REG=VALUE[,REG=VALUE...]",
	  "x86: what CPUID reports to the guest: a preset, minimal (the default), host or pc, or "
	  "what REG has, eax, ebx, ecx or edx",
	  "minimal, host, pc, or LEAF[.SUBLEAF]:REG=VALUE[,REG=VALUE...], where REG is eax, ebx, "
	  "ecx or edx",
	  parse_cpuid },
	{ "timer", "HZ",
	  "Interrupt vCPU 0 HZ times a second; a guest that halts waits for that",
	  "a number from 1 to " TEXT(TIMER_HZ_MAX), parse_timer },
	{ "timer-vector", "N", "The timer's vector (default: " TEXT(DEFAULT_TIMER_VECTOR) ")",
	  NULL, parse_timer_vector },
	{ "timeout", "SEC", "End the guest after SEC seconds",
	  "seconds up to a year, as in 10 or 0.5", parse_timeout },
	{ "trace", NULL, "Print each exit on standard error", NULL, take_trace },
	{ "stats", NULL, "Print exits by reason on standard error at the end", NULL, take_stats },
	{ "device", "PATH", DEVICE_HELP, DEVICE_TAKES, parse_run_device },
	{ 0 }
};

static const char *run_help(const struct cmd_option *option, void *data)
{
	const struct run_options *opt = data;

	if (option->parse == parse_mode)
		return opt->arch->help_mode;
	return option->parse == parse_load ? opt->arch->help_load : NULL;
}

static void list_modes(const struct guest_arch *arch, char *buf, size_t size)
{
	size_t used = 0;

	for (int i = 0; arch->modes[i] && used < size; i++) {
		const char *before = !i ? "" : arch->modes[i + 1] ? ", " : " or ";

		used += snprintf(buf + used, size - used, "%s%s", before, arch->modes[i]);
	}
}

static void run_takes(const struct cmd_option *option, void *data, char *buf, size_t size)
{
	const struct run_options *opt = data;

	if (option->parse == parse_mode)
		list_modes(opt->arch, buf, size);
	else
		snprintf(buf, size, "a number from 0 to %u", opt->arch->max_vector);
}

static int run_word(const char *word, void *data)
{
	struct run_options *opt = data;

	if (!*word) {
		complain("the name of the FILE is empty");
		return EXIT_USAGE;
	}
	if (opt->file) {
		complain("one file only, not '%s' too", word);
		return EXIT_USAGE;
	}
	opt->file = word;
	return 0;
}

int parse_run_options(int argc, char **argv, const struct guest_arch *arch,
		      struct run_options *opt)
{
	const struct cmdline cmd = {
		.name = "axvmm run",
		.words = "FILE",
		.doc = "Run the guest in FILE: an ELF file linked to fixed addresses, or a flat "
		       "file of machine code.",
		.after = arch->help,
		.options = run_option_table,
		.help = run_help,
		.takes = run_takes,
		.word = run_word,
		.data = opt,
	};
	int status;

	*opt = (struct run_options){
		.arch = arch,
		.mode = MODE_GUESS,
		.mem = DEFAULT_MEM,
		.cpus = 1,
		.timer_vector = DEFAULT_TIMER_VECTOR,
	};
	status = cmdline_parse(&cmd, argc, argv);
	if (!status && !opt->file) {
		complain("which FILE? See 'axvmm run --help'");
		status = EXIT_USAGE;
	}
	return status;
}

static const char *take_json(const char *text, void *data)
{
	struct info_options *opt = data;

	(void)text;
	opt->json = true;
	return NULL;
}

static const char *parse_info_device(const char *text, void *data)
{
	struct info_options *opt = data;

	return take_path(text, &opt->device);
}

static const struct cmd_option info_option_table[] = {
	{ "json", NULL, "Print JSON", NULL, take_json },
	{ "device", "PATH", DEVICE_HELP, DEVICE_TAKES, parse_info_device },
	{ 0 }
};

static int info_word(const char *word, void *data)
{
	(void)data;
	complain("'%s' is one argument too many: axvmm info takes options only", word);
	return EXIT_USAGE;
}

int parse_info_options(int argc, char **argv, struct info_options *opt)
{
	const struct cmdline cmd = {
		.name = "axvmm info",
		.words = "",
		.doc = "Print what the device is and can do.",
		.options = info_option_table,
		.word = info_word,
		.data = opt,
	};

	*opt = (struct info_options){ 0 };
	return cmdline_parse(&cmd, argc, argv);
}

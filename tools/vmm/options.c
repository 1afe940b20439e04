// SPDX-License-Identifier: GPL-2.0-only
/* axvmm's command lines, by argp. */
#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array_size.h"
#include "options.h"

#define DEFAULT_MEM		(32ULL << 20)
#define DEFAULT_TIMER_VECTOR	32
#define TIMER_HZ_MAX		10000
#define TIMEOUT_MAX		(365ULL * 24 * 3600)
#define NS_PER_SEC		1000000000ULL

enum {
	OPT_MODE = 256,
	OPT_MEM,
	OPT_ENTRY,
	OPT_LOAD,
	OPT_CPU,
	OPT_CPUS,
	OPT_CPUID,
	OPT_TRACE,
	OPT_STATS,
	OPT_TIMER,
	OPT_TIMER_VECTOR,
	OPT_TIMEOUT,
	OPT_DEVICE,
	OPT_JSON,
};

/* A number without a sign, decimal or 0x; the rest of @text goes to @end. */
static int parse_number(const char *text, uint64_t *value, char **end)
{
	unsigned long long n;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	n = strtoull(text, end, 0);
	if (errno)
		return -ERANGE;
	*value = n;
	return 0;
}

static int parse_in_range(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	uint64_t n;
	char *end;

	if (parse_number(text, &n, &end) || *end || n < min || n > max)
		return -EINVAL;
	*value = n;
	return 0;
}

static int parse_size(const char *text, uint64_t *value)
{
	static const struct {
		const char *suffix;
		unsigned int shift;
	} units[] = {
		{ "", 0 }, { "K", 10 }, { "M", 20 }, { "G", 30 }, { "T", 40 },
	};
	uint64_t n;
	char *end;

	if (parse_number(text, &n, &end))
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcasecmp(end, units[i].suffix))
			continue;
		if (!n || n > UINT64_MAX >> units[i].shift)
			return -ERANGE;
		*value = n << units[i].shift;
		return 0;
	}
	return -EINVAL;
}

/* Seconds, with up to nine digits behind the point. */
static int parse_seconds(const char *text, uint64_t *ns)
{
	uint64_t whole, part = 0, unit = NS_PER_SEC;
	char *end;

	if (parse_number(text, &whole, &end) || whole > TIMEOUT_MAX)
		return -EINVAL;
	if (*end == '.') {
		for (end++; isdigit((unsigned char)*end) && unit > 1; end++) {
			unit /= 10;
			part += (*end - '0') * unit;
		}
	}
	if (*end || whole + part == 0)
		return -EINVAL;
	*ns = whole * NS_PER_SEC + part;
	return 0;
}

/* "0,2,3" */
static int parse_pins(const char *text, struct run_options *opt)
{
	uint64_t n;
	char *end;

	opt->nr_pins = 0;
	for (;; text = end + 1) {
		if (opt->nr_pins == MAX_VCPUS || parse_number(text, &n, &end) || n > INT32_MAX)
			return -EINVAL;
		opt->pins[opt->nr_pins++] = n;
		if (!*end)
			return 0;
		if (*end != ',')
			return -EINVAL;
	}
}

static int parse_cpuid(const char *text, struct run_options *opt)
{
	if (!opt->arch->has_cpuid)
		return -EINVAL;
	if (!cpuid_parse_preset(text, &opt->preset))
		return 0;
	if (opt->nr_cpuids == MAX_CPUIDS)
		return -EINVAL;
	return cpuid_parse(text, &opt->cpuids[opt->nr_cpuids++]);
}

static int parse_mode(const char *text, struct run_options *opt)
{
	const char *const *modes = opt->arch->modes;

	for (int i = 0; modes[i]; i++) {
		if (!strcmp(text, modes[i])) {
			opt->mode = i;
			return 0;
		}
	}
	return -EINVAL;
}

/* Texts of --mode and --load are the architecture's. */
static const struct argp_option run_option_table[] = {
	{ "mode", OPT_MODE, "MODE", 0, "", 1 },
	{ "mem", OPT_MEM, "SIZE", 0,
	  "Guest memory, a number with K, M or G (default: 32M)", 1 },
	{ "load", OPT_LOAD, "ADDR", 0, "", 1 },
	{ "entry", OPT_ENTRY, "ADDR", 0,
	  "Address of the first instruction (default: the ELF file's, or the load address)", 1 },
	{ "cpus", OPT_CPUS, "N", 0, "Number of vCPUs (default: 1)", 2 },
	{ "cpu", OPT_CPU, "CPU[,CPU...]", 0,
	  "Keep the vCPUs on these host CPUs, in turn", 2 },
	{ "cpuid", OPT_CPUID, "PRESET|LEAF[.SUBLEAF]:REG=VALUE[,REG=VALUE...]", 0,
	  "x86: what CPUID tells the guest; a preset is minimal (the default), host or pc", 2 },
	{ "timer", OPT_TIMER, "HZ", 0,
	  "Interrupt vCPU 0 HZ times a second; a guest that halts waits for that", 3 },
	{ "timer-vector", OPT_TIMER_VECTOR, "N", 0, "The timer's vector (default: 32)", 3 },
	{ "timeout", OPT_TIMEOUT, "SEC", 0, "End the guest after SEC seconds", 3 },
	{ "trace", OPT_TRACE, NULL, 0, "Print each exit on standard error", 4 },
	{ "stats", OPT_STATS, NULL, 0, "Print exits by reason on standard error at the end", 4 },
	{ "device", OPT_DEVICE, "PATH", 0, "The device (default: /dev/axvcpu)", 5 },
	{ 0 }
};

static int parse_run_value(int key, char *arg, struct run_options *opt)
{
	uint64_t n = 0;
	int err;

	switch (key) {
	case OPT_MODE:
		return parse_mode(arg, opt);
	case OPT_MEM:
		return parse_size(arg, &opt->mem);
	case OPT_LOAD:
		opt->has_load = true;
		return parse_in_range(arg, 0, UINT64_MAX, &opt->load);
	case OPT_ENTRY:
		opt->has_entry = true;
		return parse_in_range(arg, 0, UINT64_MAX, &opt->entry);
	case OPT_CPU:
		return parse_pins(arg, opt);
	case OPT_CPUID:
		return parse_cpuid(arg, opt);
	case OPT_CPUS:
		err = parse_in_range(arg, 1, MAX_VCPUS, &n);
		opt->cpus = n;
		return err;
	case OPT_TIMER:
		err = parse_in_range(arg, 1, TIMER_HZ_MAX, &n);
		opt->timer_hz = n;
		return err;
	case OPT_TIMER_VECTOR:
		err = parse_in_range(arg, 0, opt->arch->max_vector, &n);
		opt->timer_vector = n;
		return err;
	case OPT_TIMEOUT:
		return parse_seconds(arg, &opt->timeout_ns);
	default:
		return -EOPNOTSUPP;
	}
}

static const char *option_name(const struct argp_option *table, int key)
{
	while (table->name && table->key != key)
		table++;
	return table->name;
}

static error_t parse_run(int key, char *arg, struct argp_state *state)
{
	struct run_options *opt = state->input;
	int err;

	switch (key) {
	case OPT_TRACE:
		opt->trace = true;
		return 0;
	case OPT_STATS:
		opt->stats = true;
		return 0;
	case OPT_DEVICE:
		opt->device = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (opt->file) {
			argp_error(state, "one file only, not '%s' too", arg);
			return EINVAL;
		}
		opt->file = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which FILE?");
		return EINVAL;
	}

	err = parse_run_value(key, arg, opt);
	if (err == -EOPNOTSUPP)
		return ARGP_ERR_UNKNOWN;
	if (err) {
		argp_error(state, "--%s can't be '%s'", option_name(run_option_table, key), arg);
		return EINVAL;
	}
	return 0;
}

/* argp frees what is not @text. */
static char *help_text(int key, const char *text, void *input)
{
	const struct run_options *opt = input;

	/* Nobody's input: from the help of another command. */
	if (!opt)
		return (char *)text;
	switch (key) {
	case OPT_MODE:
		return strdup(opt->arch->help_mode);
	case OPT_LOAD:
		return strdup(opt->arch->help_load);
	case ARGP_KEY_HELP_POST_DOC:
		return strdup(opt->arch->help);
	default:
		return (char *)text;
	}
}

int parse_run_options(int argc, char **argv, const struct guest_arch *arch,
		      struct run_options *opt, unsigned int argp_flags)
{
	static const struct argp argp = {
		.options = run_option_table,
		.parser = parse_run,
		.args_doc = "FILE",
		.doc = "Run the guest in FILE, an ELF or a flat file.\v",
		.help_filter = help_text,
	};

	*opt = (struct run_options){
		.arch = arch,
		.mode = MODE_GUESS,
		.mem = DEFAULT_MEM,
		.cpus = 1,
		.timer_vector = DEFAULT_TIMER_VECTOR,
	};
	return argp_parse(&argp, argc, argv, argp_flags, NULL, opt);
}

static const struct argp_option info_option_table[] = {
	{ "json", OPT_JSON, NULL, 0, "Print JSON", 1 },
	{ "device", OPT_DEVICE, "PATH", 0, "The device (default: /dev/axvcpu)", 1 },
	{ 0 }
};

static error_t parse_info(int key, char *arg, struct argp_state *state)
{
	struct info_options *opt = state->input;

	switch (key) {
	case OPT_JSON:
		opt->json = true;
		return 0;
	case OPT_DEVICE:
		opt->device = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int parse_info_options(int argc, char **argv, struct info_options *opt, unsigned int argp_flags)
{
	static const struct argp argp = {
		.options = info_option_table,
		.parser = parse_info,
		.doc = "Print what the device is and can do.",
	};

	*opt = (struct info_options){ 0 };
	return argp_parse(&argp, argc, argv, argp_flags, NULL, opt);
}

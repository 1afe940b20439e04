// SPDX-License-Identifier: GPL-2.0-only
/* Command lines of axvmm run, and what it says to wrong ones. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array_size.h"
#include "exit_codes.h"
#include "options.h"
#include "tap.h"
#include "tests.h"

/* What went to standard error */
static char said[1024];

struct listening {
	int real;
	int pipe;
};

static struct listening listen_to_stderr(void)
{
	struct listening l = { .real = dup(STDERR_FILENO) };
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) || dup2(fds[1], STDERR_FILENO) < 0)
		exit(1);
	close(fds[1]);
	l.pipe = fds[0];
	return l;
}

static void stop_listening(struct listening l)
{
	ssize_t n = read(l.pipe, said, sizeof(said) - 1);

	said[n > 0 ? n : 0] = '\0';
	dup2(l.real, STDERR_FILENO);
	close(l.real);
	close(l.pipe);
}

#define MAX_WORDS	16

/* Words stand between blanks; '' is an empty one. */
static int parse_for(const struct guest_arch *arch, const char *line, struct run_options *opt)
{
	static char copy[512], empty[1];
	char *argv[MAX_WORDS], *save, *word;
	struct listening listening;
	int argc = 0, status;

	snprintf(copy, sizeof(copy), "%s", line);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = strcmp(word, "''") ? word : empty;
	argv[argc] = NULL;
	listening = listen_to_stderr();
	status = parse_run_options(argc, argv, arch, opt);
	stop_listening(listening);
	return status;
}

static int parse(const char *line, struct run_options *opt)
{
	return parse_for(&x86_arch, line, opt);
}

/* One line, which names the program, and has the text? */
static bool says(const char *text)
{
	const char *end = strchr(said, '\n');

	if (!strncmp(said, "axvmm: ", strlen("axvmm: ")) && end && !end[1] && strstr(said, text))
		return true;
	printf("# said: %s\n# want: %s\n", said, text);
	return false;
}

struct bad_line {
	const char *line;
	const char *text;
};

#define SMALL		", which is too small; it takes "
#define LARGE		", which is too large; it takes "
#define NEGATIVE	", which is negative; it takes "
#define EMPTY		", which is empty; it takes "
#define NO_NUMBER	", which is no number; it takes "
#define NOT_WHOLE	", which is no whole number; it takes "
#define UNIT		", whose unit is unknown; it takes "

#define MEM		"bytes, or a number with K, M, G or T behind it, as in 64M"
#define ADDRESS		"an address, as in 0x100000"
#define PINS		"numbers of host CPUs, with commas between, as in 0,2"
#define SECONDS		"seconds up to a year, as in 10 or 0.5"
#define CPUID		", which is malformed; it takes minimal, host, pc, or "	\
			"LEAF[.SUBLEAF]:REG=VALUE[,REG=VALUE...], "		\
			"where REG is eax, ebx, ecx or edx"

static const struct bad_line bad_lines[] = {
	{ "run", "which FILE?" },
	{ "run ''", "the name of the FILE is empty" },
	{ "run a b", "one file only, not 'b' too" },
	{ "run --nothing a", "unrecognized option '--nothing'" },
	{ "run --tim 1 a", "unrecognized option '--tim', or the start of several" },
	{ "run -mem 64M a", "unrecognized option '-m': the options of axvmm have two dashes" },
	{ "run --trace=1 a", "'--trace=1' can't be: this option takes no value" },
	{ "run --help=1 a", "'--help=1' can't be: this option takes no value" },
	{ "run a --mem", "--mem has no value; it takes " MEM },
	{ "run a --mode", "--mode has no value; it takes real, protected or long" },
	{ "run --mode a", "--mode can't be 'a', which is no mode; it takes real, protected or" },
	{ "run --mode Real a", "--mode can't be 'Real'" },
	{ "run --mode 64 a", "--mode can't be '64'" },
	{ "run --mode '' a", "--mode can't be ''" },
	{ "run --mem 64 a",
	  "--mem can't be '64', which is 64 bytes (did you mean 64M?); it takes " MEM },
	{ "run --mem 0xfff a", "(did you mean 4095M?)" },
	{ "run --mem 3K a", "which is 3072 bytes (did" },
	{ "run --mem 0 a", "--mem can't be '0'" SMALL MEM },
	{ "run --mem -1 a", "--mem can't be '-1'" NEGATIVE MEM },
	{ "run --mem '' a", "--mem can't be ''" EMPTY MEM },
	{ "run --mem 1X a", "--mem can't be '1X'" UNIT MEM },
	{ "run --mem 1MM a", UNIT },
	{ "run --mem 64MiB a", UNIT },
	{ "run --mem 1.5G a", UNIT },
	{ "run --mem M a", NO_NUMBER },
	{ "run --mem +1M a", NO_NUMBER },
	{ "run --mem -M a", NO_NUMBER },
	{ "run --mem 18446744073709551616 a", LARGE },
	{ "run --mem 16777216T a", LARGE },
	{ "run --mem 0x a", UNIT },
	{ "run --entry -1 a", "--entry can't be '-1'" NEGATIVE ADDRESS },
	{ "run --entry '' a", "--entry can't be ''" EMPTY ADDRESS },
	{ "run --entry 0x10000000000000000 a", LARGE },
	{ "run --load 1K a", "--load can't be '1K'" NOT_WHOLE ADDRESS },
	{ "run --load start a", NO_NUMBER },
	{ "run --cpus 0 a", "--cpus can't be '0'" SMALL "a number from 1 to 64" },
	{ "run --cpus 65 a", "--cpus can't be '65'" LARGE "a number from 1 to 64" },
	{ "run --cpus 4294967297 a", LARGE },
	{ "run --cpus -1 a", NEGATIVE },
	{ "run --cpus two a", NO_NUMBER },
	{ "run --cpus '' a", EMPTY },
	{ "run --cpus 1, a", NOT_WHOLE },
	{ "run --cpu , a", "--cpu can't be ','" NO_NUMBER PINS },
	{ "run --cpu '' a", "--cpu can't be ''" EMPTY PINS },
	{ "run --cpu 1, a", "which has nothing behind a comma" },
	{ "run --cpu 1,,2 a", NO_NUMBER },
	{ "run --cpu -1 a", NEGATIVE },
	{ "run --cpu 2147483648 a", "which has a number that is too large" },
	{ "run --cpu 0-3 a", "which has no comma behind a number" },
	{ "run --cpu 0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,"
	  "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0 a",
	  "which has more than 64 numbers" },
	{ "run --cpuid 1 a", "--cpuid can't be '1'" CPUID },
	{ "run --cpuid '' a", CPUID },
	{ "run --cpuid 1: a", CPUID },
	{ "run --cpuid PC a", CPUID },
	{ "run --cpuid pc,1:ecx=1 a", CPUID },
	{ "run --cpuid 1:ecx a", CPUID },
	{ "run --cpuid 1:ecx= a", CPUID },
	{ "run --cpuid 1:esi=1 a", CPUID },
	{ "run --cpuid 1:ecxx=1 a", CPUID },
	{ "run --cpuid 1:ecx=1, a", CPUID },
	{ "run --cpuid 1:ecx=1,ecx=1 a", CPUID },
	{ "run --cpuid 1:ecx=1;edx=1 a", CPUID },
	{ "run --cpuid 1:ecx=0x100000000 a", CPUID },
	{ "run --cpuid 1:ecx=-1 a", CPUID },
	{ "run --cpuid .1:ecx=1 a", CPUID },
	{ "run --cpuid 1.:ecx=1 a", CPUID },
	{ "run --cpuid 0x100000000:ecx=1 a", CPUID },
	{ "run --cpuid 1.0x100000000:ecx=1 a", CPUID },
	{ "run --timer 0 a", "--timer can't be '0'" SMALL "a number from 1 to 10000" },
	{ "run --timer 10001 a", LARGE },
	{ "run --timer 1.5 a", NOT_WHOLE },
	{ "run --timer 100Hz a", NOT_WHOLE },
	{ "run --timer '' a", EMPTY },
	{ "run --timer-vector 256 a", "--timer-vector can't be '256'" LARGE "a number from 0 to" },
	{ "run --timer-vector -1 a", NEGATIVE },
	{ "run --timeout 0 a", "--timeout can't be '0'" SMALL SECONDS },
	{ "run --timeout 0.0 a", SMALL },
	{ "run --timeout .5 a", NO_NUMBER },
	{ "run --timeout 1s a", UNIT },
	{ "run --timeout -1 a", NEGATIVE },
	{ "run --timeout '' a", EMPTY },
	{ "run --timeout 1.0000000001 a", "which has more than nine digits behind the point" },
	{ "run --timeout 31536001 a", LARGE },
	{ "run --timeout 1e3 a", UNIT },
	{ "run --device '' a", "--device can't be ''" EMPTY "a path, as in /dev/axvcpu" },
};

static const struct bad_line bad_arm64_lines[] = {
	{ "run --mode long a", "--mode can't be 'long', which is no mode; it takes el1" },
	{ "run --timer-vector 1020 a", LARGE "a number from 0 to 1019" },
	{ "run --cpuid 1:eax=1 a", "--cpuid can't be '1:eax=1', which is for x86 guests" },
};

static void refuses(const struct guest_arch *arch, const struct bad_line *bad)
{
	struct run_options opt;

	ok(parse_for(arch, bad->line, &opt) == EXIT_USAGE && says(bad->text), "%s: refused: %s",
	   arch->name, bad->line);
}

static bool is_mode(const struct run_options *opt, const char *name)
{
	return opt->mode != MODE_GUESS && !strcmp(opt->arch->modes[opt->mode], name);
}

static void test_run(void)
{
	struct run_options opt;

	ok(!parse("run a", &opt) && !strcmp(opt.file, "a") && opt.mode == MODE_GUESS &&
	   opt.mem == 32 << 20 && opt.cpus == 1 && !opt.has_load && !opt.has_entry &&
	   !opt.nr_pins && !opt.trace && !opt.stats && !opt.timer_hz && opt.timer_vector == 32 &&
	   !opt.timeout_ns && !opt.device, "defaults");
	ok(!parse("run --mode long --mem 2g a", &opt) && is_mode(&opt, "long") &&
	   opt.mem == 2ULL << 30, "mode and memory");
	ok(!parse("run --mem 0x1000 a", &opt) && opt.mem == 0x1000, "hexadecimal memory");
	ok(!parse("run --mem 010M --cpus 08 a", &opt) && opt.mem == 10 << 20 && opt.cpus == 8,
	   "a leading zero is no octal number");
	ok(!parse("run --mem=64m a", &opt) && opt.mem == 64 << 20, "an equals sign");
	ok(!parse("run --load 0 --entry 0x100 a", &opt) && opt.has_load && opt.load == 0 &&
	   opt.has_entry && opt.entry == 0x100, "addresses, 0 is one");
	ok(!parse("run --cpus 3 --cpu 0,2 a", &opt) && opt.cpus == 3 && opt.nr_pins == 2 &&
	   opt.pins[0] == 0 && opt.pins[1] == 2, "CPUs");
	ok(!parse("run a --trace --stats", &opt) && opt.trace && opt.stats, "options behind the file");
	ok(!parse("run --timer 100 --timer-vector 255 a", &opt) && opt.timer_hz == 100 &&
	   opt.timer_vector == 255, "timer");
	ok(!parse_for(&arm64_arch, "run --timer-vector 1019 --mode el1 a", &opt) &&
	   opt.timer_vector == 1019 && is_mode(&opt, "el1"), "arm64's vectors and mode");
	ok(!parse("run --timeout 1.25 a", &opt) && opt.timeout_ns == 1250000000, "fraction");
	ok(!parse("run --timeout 0.000000001 a", &opt) && opt.timeout_ns == 1, "nanosecond");
	ok(!parse("run -- --trace", &opt) && !strcmp(opt.file, "--trace") && !opt.trace,
	   "a file that looks like an option");
}

static void test_cpuid(void)
{
	struct run_options opt;
	const struct cpuid_option *c = opt.cpuids;

	ok(!parse("run a", &opt) && !opt.nr_cpuids && opt.preset == AXVCPU_X86_PRESET_MINIMAL,
	   "CPUID as it is");
	ok(!parse("run --cpuid 1:ecx=0 --cpuid host a", &opt) && opt.nr_cpuids == 1 &&
	   opt.preset == AXVCPU_X86_PRESET_HOST, "the host's CPUID but for a leaf");
	ok(!parse("run --cpuid host --cpuid pc a", &opt) && !opt.nr_cpuids &&
	   opt.preset == AXVCPU_X86_PRESET_PC, "the last preset counts");
	ok(!parse("run --cpuid minimal a", &opt) && opt.preset == AXVCPU_X86_PRESET_MINIMAL,
	   "the smallest CPUID");
	ok(!parse("run --cpuid 0x40000000:eax=0x40000001,EDX=4294967295 --cpuid 0xd.1:ecx=0 a",
		  &opt) && opt.nr_cpuids == 2 &&
	   c[0].leaf == 0x40000000 && !c[0].subleaf && c[0].given == 9 &&
	   c[0].regs[0] == 0x40000001 && c[0].regs[3] == UINT32_MAX &&
	   c[1].leaf == 0xd && c[1].subleaf == 1 && c[1].given == 4 && !c[1].regs[2],
	   "leaves of CPUID");
}

void test_options(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_lines); i++)
		refuses(&x86_arch, &bad_lines[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad_arm64_lines); i++)
		refuses(&arm64_arch, &bad_arm64_lines[i]);
	test_run();
	test_cpuid();
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * axvmm from outside: each example guest with its expected output and status,
 * and each status that axvmm knows: wrong words, bad files, bad guests, want
 * of memory, signals, a time limit.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest.h"

#include "guest.h"

#define GUESTS		"/guests/"
#define MADE		"/tmp/axvmm-"	/* files made here */
#define MAX_WORDS	32
#define MAX_GUESTS	64
#define LIMIT_MS	(PATIENCE_NS / 1000000)

/* What came of a program. */
struct outcome {
	char out[65536];
	char err[65536];
	int status;		/* as the shell tells it */
	bool hung;
};

static struct outcome outcome;

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Before the program begins, in its process */
static void (*prepare)(void);

static pid_t start(char **argv, int out, int err)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
		_exit(126);
	if (prepare)
		prepare();
	execvp(argv[0], argv);
	_exit(127);
}

/* Append what is in @fd to @buf; return false at its end. */
static bool take(int fd, char *buf, size_t size)
{
	size_t used = strlen(buf);
	char drop[256];
	ssize_t n;

	if (used < size - 1)
		n = read(fd, buf + used, size - 1 - used);
	else
		n = read(fd, drop, sizeof(drop));
	if (n > 0 && used < size - 1)
		buf[used + n] = '\0';
	return n > 0;
}

/* A program that runs, and the ends of its pipes; -1: there is none. */
struct child {
	pid_t pid;
	int out;
	int err;
};

static void make_pipe(int *fds)
{
	if (pipe2(fds, O_CLOEXEC))
		ksft_exit_fail_msg("pipe: %s\n", strerror(errno));
}

/* Start a program; its standard output goes to @stdout_fd, if that is not -1. */
static struct child spawn(char **argv, int stdout_fd)
{
	struct child c = { .out = -1 };
	int out[2] = { -1, stdout_fd }, err[2];

	if (stdout_fd < 0)
		make_pipe(out);
	make_pipe(err);
	c.pid = start(argv, out[1], err[1]);
	if (c.pid < 0)
		ksft_exit_fail_msg("fork: %s\n", strerror(errno));
	if (stdout_fd < 0)
		close(out[1]);
	close(err[1]);
	c.out = out[0];
	c.err = err[0];
	return c;
}

/* To its end. With @signo, it gets that signal as soon as it has printed something. */
static void collect(struct child *c, int signo)
{
	long long until = now_ms() + LIMIT_MS;
	struct pollfd fds[] = {
		{ .fd = c->out, .events = POLLIN },
		{ .fd = c->err, .events = POLLIN },
	};
	bool sent = false;
	int status;

	memset(&outcome, 0, sizeof(outcome));
	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		long long left = until - now_ms();

		if (left <= 0) {
			outcome.hung = true;
			kill(c->pid, SIGKILL);
			break;
		}
		if (poll(fds, 2, left) <= 0)
			continue;
		if (fds[0].revents && !take(c->out, outcome.out, sizeof(outcome.out)))
			fds[0].fd = -1;
		if (fds[1].revents && !take(c->err, outcome.err, sizeof(outcome.err)))
			fds[1].fd = -1;
		if (signo && !sent && outcome.out[0]) {
			kill(c->pid, signo);
			sent = true;
		}
	}
	if (c->out >= 0)
		close(c->out);
	close(c->err);
	waitpid(c->pid, &status, 0);
	outcome.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Split at blanks, in place. */
static void split(char *line, char **argv)
{
	char *save, *word = strtok_r(line, " ", &save);
	int argc = 0;

	while (word && argc < MAX_WORDS - 1) {
		argv[argc++] = word;
		word = strtok_r(NULL, " ", &save);
	}
	argv[argc] = NULL;
}

static struct child spawn_line(const char *line, int stdout_fd)
{
	char copy[512], *argv[MAX_WORDS];

	snprintf(copy, sizeof(copy), "%s", line);
	split(copy, argv);
	return spawn(argv, stdout_fd);
}

static void run_line(const char *line, int signo)
{
	struct child c = spawn_line(line, -1);

	collect(&c, signo);
}

static void complain(const char *what)
{
	ksft_print_msg("%s; status %d%s, standard output:\n%s", what, outcome.status,
		       outcome.hung ? ", hung" : "", outcome.out);
	ksft_print_msg("standard error:\n%s", outcome.err);
}

/* Status @status, and @text (if any) on standard error? */
static bool ended(int status, const char *text)
{
	if (!outcome.hung && outcome.status == status && (!text || strstr(outcome.err, text)))
		return true;
	ksft_print_msg("expected status %d and \"%s\"\n", status, text ? text : "");
	complain("it was otherwise");
	return false;
}

static bool read_text(const char *path, char *buf, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t n;

	if (!file)
		return false;
	n = fread(buf, 1, size - 1, file);
	buf[n] = '\0';
	fclose(file);
	return true;
}

/* --- the guests ------------------------------------------------------------- */

static char lines[MAX_GUESTS][512];
static int nr_lines;

static void read_run_list(void)
{
	FILE *file = fopen(GUESTS "run.list", "re");
	char line[512];

	if (!file)
		ksft_exit_skip("no guests in " GUESTS "\n");
	while (nr_lines < MAX_GUESTS && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] && line[0] != '#')
			strcpy(lines[nr_lines++], line);
	}
	fclose(file);
}

/* "axvmm run ... /guests/NAME.elf": NAME */
static void guest_name(const char *line, char *name, size_t size)
{
	const char *slash = strrchr(line, '/');
	const char *base = slash ? slash + 1 : line;
	size_t len = strcspn(base, ".");

	if (len >= size)
		len = size - 1;
	memcpy(name, base, len);
	name[len] = '\0';
}

static bool guest_is_right(const char *line, const char *name)
{
	char path[256], want[sizeof(outcome.out)], code[16];

	snprintf(path, sizeof(path), GUESTS "expected/%s.out", name);
	if (!read_text(path, want, sizeof(want)))
		return false;
	snprintf(path, sizeof(path), GUESTS "expected/%s.code", name);
	if (!read_text(path, code, sizeof(code)))
		return false;

	run_line(line, 0);
	if (!ended(atoi(code), NULL))
		return false;
	if (!strcmp(outcome.out, want))
		return true;
	ksft_print_msg("expected output:\n%s", want);
	complain("it was otherwise");
	return false;
}

/* --- what differs by the architecture ---------------------------------------- */

/* A flat guest that is made here */
struct flat_guest {
	const char *name;
	const void *code;
	size_t size;
};

/* Command line, status, text on standard error. */
struct ending {
	const char *line;
	int status;
	const char *err;
};

/* Instructions as bytes, and as words */
#define FLAT(t, name, ...) { name, (const t[]){ __VA_ARGS__ }, sizeof((const t[]){ __VA_ARGS__ }) }
#define CODE(name, ...)		FLAT(uint8_t, name, __VA_ARGS__)
#define WORDS(name, ...)	FLAT(uint32_t, name, __VA_ARGS__)

/* In real mode */
static const struct flat_guest x86_guests[] = {
	CODE("exit-5", 0xb0, 5, 0xe6, 0xf4),			/* mov $5, %al; out %al, $0xf4 */
	CODE("exit-200", 0xb0, 200, 0xe6, 0xf4),
	CODE("halt", 0xf4),
	CODE("outs", 0xba, 0xf8, 0x03, 0xb9, 3, 0,		/* mov $0x3f8, %dx; mov $3, %cx */
	     0xbe, 0x0e, 0x7c, 0xf3, 0x6e,			/* mov $1f, %si; rep outsb */
	     0xf4, 0x90, 0x90, 'o', 'u', 't'),			/* hlt; 1: */
	CODE("task", 0x0f, 0x01, 0x16, 0x12, 0x7c,		/* lgdt 1f */
	     0x0f, 0x20, 0xc0, 0x0c, 1, 0x0f, 0x22, 0xc0,	/* into protected mode */
	     0xea, 0, 0, 8, 0,					/* ljmp to a TSS */
	     0x0f, 0, 0x18, 0x7c, 0, 0,				/* 1: GDTR, and the GDT */
	     0, 0, 0, 0, 0, 0, 0, 0, 0x67, 0, 0, 0, 0, 0x89, 0, 0),
	CODE("cpuid", 0x66, 0xb8, 1, 0, 0, 0x40,		/* mov $0x40000001, %eax */
	     0x0f, 0xa2, 0x88, 0xd8, 0xe6, 0xf4),		/* cpuid; mov %bl, %al; out ... */
	CODE("cpuid-mce", 0x66, 0x31, 0xc0, 0x40, 0x0f, 0xa2,	/* xor %eax, %eax; inc %ax; cpuid */
	     0x66, 0xc1, 0xea, 7, 0x80, 0xe2, 1,		/* shr $7, %edx; and $1, %dl */
	     0x66, 0xc1, 0xeb, 16, 0x00, 0xda,			/* shr $16, %ebx; add %bl, %dl */
	     0x88, 0xd0, 0xe6, 0xf4),				/* mov %dl, %al; out ... */
	CODE("nops", 0x90, 0x90),
	CODE("no-newline", 0xba, 0xf8, 0x03, 0xee,		/* mov $0x3f8, %dx; out %al, %dx */
	     0xfa, 0xeb, 0xfd),					/* 1: cli; jmp 1b */
	CODE("read", 0x31, 0xdb, 0x8e, 0xdb,			/* xor %bx, %bx; mov %bx, %ds */
	     0xa1, 0x00, 0xf0),					/* mov 0xf000, %ax */
};

static const struct ending x86_endings[] = {
	{ "axvmm run --timer-vector 256 x", 64, "--timer-vector" },
	{ "axvmm run --cpuid 1:ecx x", 64, "--cpuid" },
	{ "axvmm run --mode el1 x", 64, "--mode" },
	{ "axvmm run --load 0x200000 --mode real " GUESTS "loop.bin", 64, "out of reach" },
	{ "axvmm run --mem 60K " MADE "read", 102, "read from 0xf000" },
	{ "axvmm run --mem 16K " GUESTS "loop.bin", 65, "doesn't fit into 16384 bytes" },
	{ "axvmm run --mem 16K --mode long " GUESTS "loop.bin", 64, "page tables of long mode" },
	{ "axvmm run --mem 32K --load 0x7ffe " MADE "nops", 102, "ran into 0x8000" },
	{ "axvmm run " GUESTS "triple.elf", 101, "triple fault" },
	{ "axvmm run --trace " MADE "outs", 0, "IO_STRING port=0x3f8 width=1 count=3" },
	{ "axvmm run " MADE "task", 104, "no answer to exit TASK_SWITCH selector=0x8 source=jmp" },
	{ "axvmm run " MADE "halt", 0, NULL },
	{ "axvmm run --cpus 3 " MADE "halt", 0, NULL },
	{ "axvmm run " MADE "cpuid", 0, NULL },
	{ "axvmm run --cpuid 0x40000001:ebx=0x106,eax=1 " MADE "cpuid", 6, NULL },
	{ "axvmm run --cpuid 0x40000001:ebx=6 --cpuid 0x40000001:ecx=9 " MADE "cpuid", 6, NULL },
	{ "axvmm run --cpuid minimal " MADE "cpuid-mce", 1, NULL },
	{ "axvmm run --cpuid host " MADE "cpuid-mce", 2, NULL },
	{ "axvmm run --cpuid pc --cpus 4 " MADE "cpuid-mce", 5, NULL },
	{ "axvmm run --cpuid 1:edx=0 --cpuid pc " MADE "cpuid-mce", 1, NULL },
	{ "axvmm run --cpuid 1:ecx=0x20 " MADE "cpuid", 64, "ecx of CPUID's leaf 0x1.0" },
	{ "axvmm run --cpuid 0x20:eax=1 " MADE "cpuid", 64, "no leaf 0x20.0" },
	{ "axvmm run --cpuid 4.8:eax=1 " MADE "cpuid", 64, "no leaf 0x4.8" },
	{ "axvmm run --mode long --cpu 0 " GUESTS "sieve.elf", 0, NULL },
	{ "axvmm run --trace " GUESTS "real.bin", 0, "IO_WRITE port=0x3f8 width=1 data=0x48 'H'" },
	{ "axvmm run --trace " GUESTS "probe.elf", 0, "SYSREG_READ addr=0x12345678" },
	{ "axvmm run --trace " GUESTS "probe.elf", 0, "HYPERCALL nr=0x1 " },
	{ "axvmm run --trace " GUESTS "probe.elf", 0, "IO_READ port=0x510 width=1" },
	{ "axvmm run --trace " GUESTS "fault.elf", 102, "gpa=0x20000000 access=w" },
	{ "axvmm run --stats " GUESTS "real.bin", 0, "IO_WRITE " },
};

#define X0(n)		(0xd2a00000 | (n) << 5)		/* mov x0, #n << 16 */
#define X1(n)		(0xd2a00001 | (n) << 5)		/* mov x1, #n << 16 */
#define W0(n)		(0x52800000 | (n) << 5)		/* mov w0, #n */
#define STR		0xb9000020			/* str w0, [x1] */
#define LDR		0xb9400020			/* ldr w0, [x1] */
#define NOP		0xd503201f
#define B_SELF		0x14000000			/* 1: b 1b */
#define HVC		0xd4000002
#define SMC_1		0xd4000023

static const struct flat_guest arm64_guests[] = {
	WORDS("exit-5", W0(5), X1(0x90f), STR),
	WORDS("exit-200", W0(200), X1(0x90f), STR),
	WORDS("off", X0(0x8400), 0xf2800040, HVC),		/* CPU_OFF; movk x0, #2 */
	WORDS("smc", SMC_1),
	WORDS("nops", NOP, NOP),
	/*
	 * A whole page. In one that was another guest's before, QEMU 7.2 now and then runs
	 * what that guest had there, when this one goes on amid its code: 3 of 400 times,
	 * 0 of 1500 with a whole page, and 0 of 1000 with QEMU 10.0.
	 */
	WORDS("no-newline", W0('a'), X1(0x900), STR, [3 ... 1023] = B_SELF),
	WORDS("read", X1(0x3000), LDR),
};

static const struct ending arm64_endings[] = {
	{ "axvmm run --mode long x", 64, "--mode" },
	{ "axvmm run --cpuid 1:ecx=0 x", 64, "--cpuid" },
	{ "axvmm run --load 0x100000 " GUESTS "hello.bin", 65, "memory starts at 0x40000000" },
	{ "axvmm run --load 0x40200000 --mode el1 " GUESTS "hello.bin", 0, NULL },
	{ "axvmm run " MADE "read", 102, "read from 0x30000000" },
	{ "axvmm run --mem 64K " GUESTS "loop.bin", 65, "doesn't fit" },
	{ "axvmm run --mem 64K --load 0x4000fff8 " MADE "nops", 102, "ran into 0x40010000" },
	{ "axvmm run " GUESTS "exception.elf", 102, "ran into 0x80000200" },
	{ "axvmm run " GUESTS "reset.elf", 105, "asks for a reset" },
	{ "axvmm run " MADE "smc", 104, "no answer to exit UNKNOWN" },
	{ "axvmm run " MADE "off", 0, NULL },
	{ "axvmm run --cpus 3 " MADE "off", 0, NULL },
	{ "axvmm run --cpus 1 " GUESTS "smp.elf", 0, NULL },
	{ "axvmm run --cpus 4 " GUESTS "smp.elf", 0, NULL },
	{ "axvmm run --trace " GUESTS "hello.bin", 0, "MMIO_WRITE gpa=0x9000000 width=1" },
	{ "axvmm run --trace " GUESTS "hello.bin", 0, "SYSTEM_DOWN type=off" },
	{ "axvmm run --trace " GUESTS "probe.elf", 0, "(s3_3_c14_c2_1)" },
	{ "axvmm run --trace " GUESTS "probe.elf", 0, "HYPERCALL nr=0xc600ff00 " },
	{ "axvmm run --trace " GUESTS "probe.elf", 0, "SEND_IPI target=0x0 aux=0x1 vector=0" },
	{ "axvmm run --trace --cpus 2 " GUESTS "smp.elf", 0, "CPU_UP target=0x1 " },
	{ "axvmm run --stats " GUESTS "hello.bin", 0, "SYSTEM_DOWN " },
};

static int x86_spoil(int fd)
{
	return set_reg(fd, AXVCPU_X86_REG_SEG_ACCESS(AXVCPU_X86_SEG_CS), 0x10);
}

/* SET_REGS refuses what can't be; the run page's word is believed at the entry. */
static int arm64_spoil(int fd)
{
	struct axvcpu_run *run = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE,
				      MAP_SHARED, fd, 0);

	if (run == MAP_FAILED)
		return -errno;
	run->regs.arm64.pstate = 0x1f;
	run->regs_dirty = 1;
	return 0;
}

/*
 * struct flavour - tables for a backend
 * @backend: &enum axvcpu_backend
 * @name: how axvmm calls it
 * @flat: a flat guest that greets
 * @greeting: bytes of its first line
 * @write: exit by which it prints a byte
 * @spoil: give a vCPU a state that the hardware refuses
 * @guests: flat guests to make
 * @endings: of its own
 */
static const struct flavour {
	uint32_t backend;
	const char *name;
	const char *flat;
	size_t greeting;
	uint32_t write;
	int (*spoil)(int fd);
	const struct flat_guest *guests;
	size_t nr_guests;
	const struct ending *endings;
	size_t nr_endings;
} flavours[] = {
	{
		AXVCPU_BACKEND_VMX, "VMX", GUESTS "real.bin", sizeof("Hello from real mode.\n") - 1,
		AXVCPU_EXIT_IO_WRITE, x86_spoil, x86_guests, ARRAY_SIZE(x86_guests), x86_endings,
		ARRAY_SIZE(x86_endings),
	},
	{
		AXVCPU_BACKEND_VHE, "VHE", GUESTS "hello.bin", sizeof("Hello from EL1.\n") - 1,
		AXVCPU_EXIT_MMIO_WRITE, arm64_spoil, arm64_guests, ARRAY_SIZE(arm64_guests),
		arm64_endings, ARRAY_SIZE(arm64_endings),
	},
};

/* The one that is here */
static const struct flavour *flavour;

static void find_flavour(void)
{
	int fd = open(GUEST_DEVICE, O_RDWR | O_CLOEXEC);
	struct axvcpu_info info;

	if (fd < 0 || ioctl(fd, AXVCPU_GET_INFO, &info))
		ksft_exit_fail_msg(GUEST_DEVICE ": %s\n", strerror(errno));
	close(fd);
	for (size_t i = 0; i < ARRAY_SIZE(flavours); i++) {
		if (flavours[i].backend == info.backend)
			flavour = &flavours[i];
	}
	if (!flavour)
		ksft_exit_skip("axvmm has no guests for backend %u\n", info.backend);
}

/* --- files that are made here ------------------------------------------------ */

/* An ELF file that is right, with one of its bytes changed or cut off behind some */
static const struct {
	const char *name;
	size_t at;		/* 0: only cut */
	uint8_t byte;
	size_t size;		/* 0: all of it */
} elf_files[] = {
	{ "magic", 0, 0, 4 },
	{ "ident", 0, 0, 16 },
	{ "half-header", 0, 0, 40 },
	{ "header", 0, 0, 64 },
	{ "half-headers", 0, 0, 64 + 56 },
	{ "no-code", 0, 0, 64 + 2 * 56 },
	{ "most", 0, 0, 0x1010 },
	{ "class", 4, 7, 0 },
	{ "big-endian", 5, 2, 0 },
	{ "relocatable", 16, 1, 0 },
	{ "arm", 18, 40, 0 },
	{ "entry", 26, 0x7f, 0 },
};

static char file_bytes[1 << 20];

static void write_file(const char *name, const void *bytes, size_t size)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), MADE "%s", name);
	file = fopen(path, "we");
	if (!file || fwrite(bytes, 1, size, file) != size || fclose(file))
		ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
}

static void make_files(void)
{
	FILE *file = fopen(GUESTS "sieve.elf", "re");
	size_t size = file ? fread(file_bytes, 1, sizeof(file_bytes), file) : 0;
	char was;

	if (file)
		fclose(file);
	for (size_t i = 0; i < flavour->nr_guests; i++)
		write_file(flavour->guests[i].name, flavour->guests[i].code,
			   flavour->guests[i].size);
	write_file("empty", NULL, 0);
	for (size_t i = 0; i < ARRAY_SIZE(elf_files); i++) {
		was = file_bytes[elf_files[i].at];
		if (elf_files[i].at)
			file_bytes[elf_files[i].at] = elf_files[i].byte;
		write_file(elf_files[i].name, file_bytes,
			   elf_files[i].size ? elf_files[i].size : size);
		file_bytes[elf_files[i].at] = was;
	}
}

/* --- the rest --------------------------------------------------------------- */

static const struct ending endings[] = {
	{ "axvmm", 64, "Usage:" },
	{ "axvmm fly", 64, "no command 'fly'" },
	{ "axvmm run", 64, "which FILE" },
	{ "axvmm run --mem none x", 64, "--mem" },
	{ "axvmm run --mode virtual x", 64, "--mode" },
	{ "axvmm run --cpus 0 x", 64, "--cpus" },
	{ "axvmm run --timer 0 x", 64, "--timer" },
	{ "axvmm run --timer-vector 1020 x", 64, "--timer-vector" },
	{ "axvmm run --unknown x", 64, "unrecognized option" },
	{ "axvmm run one two", 64, "one file only" },
	{ "axvmm info more", 64, "one argument too many" },
	{ "axvmm run /none", 66, "/none: No such file" },
	{ "axvmm run /guests", 66, "/guests is a directory" },
	{ "axvmm run /dev/null", 66, "is no regular file" },
	{ "axvmm run " MADE "empty", 65, "it is empty" },
	{ "axvmm run " MADE "magic", 65, "ends within the ELF header" },
	{ "axvmm run " MADE "ident", 65, "ends within the ELF header" },
	{ "axvmm run " MADE "half-header", 65, "ends within the ELF header" },
	{ "axvmm run " MADE "header", 65, "program headers lie beyond the end" },
	{ "axvmm run " MADE "half-headers", 65, "program headers lie beyond the end" },
	{ "axvmm run " MADE "no-code", 65, "a segment lies beyond the end of the file" },
	{ "axvmm run " MADE "most", 65, "a segment lies beyond the end of the file" },
	{ "axvmm run " MADE "class", 65, "ELF class is unknown" },
	{ "axvmm run " MADE "big-endian", 65, "not little-endian" },
	{ "axvmm run " MADE "relocatable", 65, "not linked to fixed addresses" },
	{ "axvmm run " MADE "arm", 65, "it is a 64-bit ELF file for Arm" },
	{ "axvmm run " MADE "entry", 65, "entry lies in no segment" },
	{ "axvmm run --mem 4097 " GUESTS "loop.bin", 64, "--mem is a multiple of" },
	{ "axvmm run --mem 8388608T " GUESTS "loop.bin", 64, "addresses of guests end at" },
	{ "axvmm run --mem 1M " GUESTS "sieve.elf", 65, "doesn't fit" },
	{ "axvmm run --load 0x200000 " GUESTS "sieve.elf", 64, "--load is for flat files" },
	{ "axvmm run --device /dev/none " GUESTS "loop.bin", 71, "modprobe axvcpu" },
	{ "axvmm run --device " MADE "empty " GUESTS "loop.bin", 71, "not an axvcpu device" },
	{ "axvmm run --device /dev/null " GUESTS "loop.bin", 71, "not an axvcpu device" },
	{ "axvmm run --cpu 9999 " GUESTS "loop.bin", 71, "can't run on CPU 9999" },
	{ "axvmm info --device /dev/none", 71, "modprobe axvcpu" },
	{ "axvmm run " GUESTS "fault.elf", 102, "wrote to 0x20000000" },
	{ "axvmm run " MADE "exit-5", 5, NULL },
	{ "axvmm run " MADE "exit-200", 63, "exit code is 200" },
	{ "axvmm run --timeout 0.3 " GUESTS "loop.bin", 124, "the time is up" },
	{ "axvmm run --timeout 0.3 --timer 100 " GUESTS "loop.bin", 124, "the time is up" },
	{ "axvmm run --cpus 3 --timeout 0.3 " GUESTS "loop.bin", 124, "the time is up" },
	{ "axvmm run --cpu 0 " GUESTS "sieve.elf", 0, NULL },
	{ "axvmm run --stats --timer 100 " GUESTS "timer.elf", 0, "events injected" },
};

static void test_endings(const struct ending *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		run_line(list[i].line, 0);
		ksft_test_result(ended(list[i].status, list[i].err), "%s: %d\n", list[i].line,
				 list[i].status);
	}
}

/* @out: %s is the backend's name. */
static const struct {
	const char *line;
	const char *out;
} sayings[] = {
	{ "axvmm --version", "axvmm " },
	{ "axvmm --help", "axvmm COMMAND --help" },
	{ "axvmm run --help", "--trace" },
	{ "axvmm info --help", "--json" },
	{ "axvmm info", "%s" },
	{ "axvmm info --json", "\"backend\": \"%s\"" },
};

/* A guest in an endless loop, which has said on standard output that it is. */
static const struct {
	const char *line;
	int signo;
	int status;
	const char *err;
} signals[] = {
	{ "axvmm run " GUESTS "loop.bin", SIGINT, 130, "ended by Ctrl-C" },
	{ "axvmm run " GUESTS "loop.bin", SIGTERM, 143, "ended by a signal" },
	{ "axvmm run " GUESTS "loop.bin", SIGHUP, 129, "ended by a signal" },
	{ "axvmm run --cpus 2 " GUESTS "loop.bin", SIGINT, 130, "ended by Ctrl-C" },
	{ "axvmm run --timer 100 " GUESTS "loop.bin", SIGINT, 130, "ended by Ctrl-C" },
};

/* Ctrl-C at any moment of axvmm's life ends it, and soon. */
static bool any_moment_will_do(void)
{
	char *argv[] = { "axvmm", "run", GUESTS "loop.bin", NULL };
	const struct timespec step = { .tv_nsec = 1000000 };
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	for (int delay = 0; delay < 40; delay++) {
		pid_t pid = start(argv, null, null);
		int status;

		for (int n = 0; n < delay; n++)
			nanosleep(&step, NULL);
		kill(pid, SIGINT);
		/* axvmm ends by itself or, before it takes signals, by the signal. */
		alarm(LIMIT_MS / 1000);
		if (waitpid(pid, &status, 0) != pid)
			return false;
		alarm(0);
		if (WIFEXITED(status) ? WEXITSTATUS(status) != 130 : WTERMSIG(status) != SIGINT) {
			ksft_print_msg("after %d ms: wait status 0x%x\n", delay, status);
			return false;
		}
	}
	close(null);
	return true;
}

/* The first descriptor of a program that leads to a vCPU, as one of ours; or -1. */
static int take_vcpu(pid_t pid)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0), fd = -1;
	char path[64], target[64];
	struct dirent *entry;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && fd < 0 && (entry = readdir(dir))) {
		n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		if (strstr(target, "axvcpu-vcpu"))
			fd = syscall(SYS_pidfd_getfd, pidfd, atoi(entry->d_name), 0);
	}
	if (dir)
		closedir(dir);
	if (pidfd >= 0)
		close(pidfd);
	return fd;
}

/* axvmm with the guest that greets */
static void greeting_line(char *line, size_t size)
{
	snprintf(line, size, "axvmm run %s", flavour->flat);
}

static struct child greet(int stdout_fd)
{
	char line[64];

	greeting_line(line, sizeof(line));
	return spawn_line(line, stdout_fd);
}

/* A pipe with no room; axvmm waits in its first write. */
static void make_full_pipe(int *fds)
{
	static const char zeros[4096];

	make_pipe(fds);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	while (write(fds[1], zeros, sizeof(zeros)) > 0)
		;
	fcntl(fds[1], F_SETFL, 0);
}

/* A vCPU's last exit, and its registers in the order of the run page */
static void print_page(int fd)
{
	struct axvcpu_run *run = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ, MAP_SHARED, fd, 0);

	if (run == MAP_FAILED)
		return;
	ksft_print_msg("exit %u: %#llx %#llx\n", run->exit_reason,
		       (unsigned long long)run->exit_raw[0], (unsigned long long)run->exit_raw[1]);
	for (int i = 0; i < 36; i++)
		ksft_print_msg("register %d: %#llx\n", i, (unsigned long long)run->regs.raw[i]);
	munmap(run, sysconf(_SC_PAGESIZE));
}

/* axvmm has made its vCPU, which wrote so many bytes: one of our descriptors, or -1. */
static int wait_for_bytes(pid_t pid, uint64_t bytes)
{
	long long until = now_ms() + LIMIT_MS;
	struct axvcpu_stats stats = { 0 };
	int fd = -1;

	while (now_ms() < until) {
		if (fd < 0)
			fd = take_vcpu(pid);
		if (fd >= 0 && !get_stats(fd, &stats) &&
		    stats.exits[flavour->write] == bytes)
			return fd;
		sleep_ns(1000000);
	}
	if (fd < 0) {
		ksft_print_msg("there is no vCPU\n");
		return -1;
	}
	ksft_print_msg("bytes %llu of %llu, runs %llu, entries %llu, faults %llu, exits %llu\n",
		       (unsigned long long)stats.exits[flavour->write], (unsigned long long)bytes,
		       (unsigned long long)stats.runs, (unsigned long long)stats.entries,
		       (unsigned long long)stats.faults, (unsigned long long)stats.kernel_exits);
	print_page(fd);
	close(fd);
	return -1;
}

/*
 * No guest brings itself into a state that the hardware refuses: while axvmm
 * waits for its output to be read, its vCPU is given one.
 */
static bool refused_state(void)
{
	int out[2], fd, err;
	struct child c;

	make_full_pipe(out);
	c = greet(out[1]);
	close(out[1]);
	fd = wait_for_bytes(c.pid, flavour->greeting);
	err = fd < 0 ? fd : flavour->spoil(fd);
	c.out = out[0];
	collect(&c, 0);
	if (fd >= 0)
		close(fd);
	if (err)
		ksft_print_msg("the vCPU's register can't be set: %d\n", err);
	return !err && ended(103, "the hardware refused the guest's state");
}

/* Ctrl-C comes when so many bytes were written to a pipe that nobody reads. */
static bool ctrl_c_after_bytes(const char *line, uint64_t bytes)
{
	int out[2], fd;
	struct child c;

	make_full_pipe(out);
	c = spawn_line(line, out[1]);
	fd = wait_for_bytes(c.pid, bytes);
	if (fd >= 0)
		close(fd);
	kill(c.pid, SIGINT);
	collect(&c, 0);
	close(out[0]);
	close(out[1]);
	/* How it ended says why it wrote no more. */
	return ended(130, NULL) && fd >= 0;
}

/* A thread hangs in writing what the guest prints. */
static bool ctrl_c_while_writing(void)
{
	char line[64];

	greeting_line(line, sizeof(line));
	return ctrl_c_after_bytes(line, flavour->greeting);
}

/* It is left for the end to write. */
static bool ctrl_c_before_writing(void)
{
	return ctrl_c_after_bytes("axvmm run " MADE "no-newline", 1);
}

static void take_terminal(void)
{
	setsid();
	if (ioctl(STDOUT_FILENO, TIOCSCTTY, 0))
		_exit(126);
}

/* The key itself, on a terminal. */
static bool ctrl_c_key(void)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), other;
	char text[256] = "", key = 3;
	struct child c;

	if (terminal < 0 || grantpt(terminal) || unlockpt(terminal))
		return false;
	other = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
	prepare = take_terminal;
	c = spawn_line("axvmm run " GUESTS "loop.bin", other);
	prepare = NULL;
	while (!strstr(text, "Looping.") && take(terminal, text, sizeof(text)))
		;
	if (write(terminal, &key, 1) != 1)
		return false;
	collect(&c, 0);
	close(other);
	close(terminal);
	return ended(130, "ended by Ctrl-C");
}

static void limit_memory(void)
{
	struct rlimit limit = { .rlim_cur = 16 << 20, .rlim_max = 16 << 20 };

	setrlimit(RLIMIT_AS, &limit);
}

static bool no_memory(void)
{
	prepare = limit_memory;
	run_line("axvmm run --mem 1G " GUESTS "loop.bin", 0);
	prepare = NULL;
	return ended(70, "bytes of memory: Cannot allocate memory");
}

static void become_nobody(void)
{
	if (setgid(65534) || setuid(65534))
		_exit(126);
}

static bool no_permission(void)
{
	prepare = become_nobody;
	run_line("axvmm run " GUESTS "loop.bin", 0);
	prepare = NULL;
	return ended(71, "(EACCES)\naxvmm: its mode is 0660, its owner is user 0");
}

static bool full_disk(void)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct child c = greet(full);

	close(full);
	collect(&c, 0);
	return ended(74, "can't be written");
}

static const struct {
	bool (*fn)(void);
	const char *what;
} others[] = {
	{ no_memory, "no memory for the guest: 70" },
	{ no_permission, "a device that may not be opened: 71" },
	{ full_disk, "output that can't be written: 74" },
	{ refused_state, "a state that the hardware refuses: 103" },
	{ ctrl_c_while_writing, "Ctrl-C while nobody reads the output: 130" },
	{ ctrl_c_before_writing, "Ctrl-C before the output, which nobody reads: 130" },
	{ ctrl_c_key, "Ctrl-C on a terminal: 130" },
	{ any_moment_will_do, "Ctrl-C at any moment" },
};

int main(void)
{
	char name[128], out[64];
	size_t i;

	ksft_print_header();
	find_flavour();
	read_run_list();
	make_files();
	ksft_set_plan(nr_lines + ARRAY_SIZE(endings) + flavour->nr_endings + ARRAY_SIZE(sayings) +
		      ARRAY_SIZE(signals) + ARRAY_SIZE(others));

	for (int n = 0; n < nr_lines; n++) {
		guest_name(lines[n], name, sizeof(name));
		ksft_test_result(guest_is_right(lines[n], name), "guest %s\n", name);
	}
	test_endings(endings, ARRAY_SIZE(endings));
	test_endings(flavour->endings, flavour->nr_endings);
	for (i = 0; i < ARRAY_SIZE(sayings); i++) {
		snprintf(out, sizeof(out), sayings[i].out, flavour->name);
		run_line(sayings[i].line, 0);
		ksft_test_result(ended(0, NULL) && strstr(outcome.out, out), "%s: says \"%s\"\n",
				 sayings[i].line, out);
	}
	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		run_line(signals[i].line, signals[i].signo);
		ksft_test_result(ended(signals[i].status, signals[i].err), "%s: signal %d\n",
				 signals[i].line, signals[i].signo);
	}
	for (i = 0; i < ARRAY_SIZE(others); i++)
		ksft_test_result(others[i].fn(), "%s\n", others[i].what);
	ksft_finished();
}

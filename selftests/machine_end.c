// SPDX-License-Identifier: GPL-2.0-only
/*
 * machine_end HOW: end the machine while a guest runs on every CPU. No test of
 * its own: selftests/testbed/test_ends.py looks at what becomes of the machine.
 */
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

#define PAGE_SIZE	4096UL
#define MAX_FILE	(32 << 20)

/* Of the next kernel, in memory that is free when it starts */
#define PARAMS		0x20000
#define OPTIONS		0x21000
#define START		0x22000
#define INITRAMFS	0x8000000

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* As <linux/kexec.h> has it for the kernel itself */
struct segment {
	const void *buf;
	size_t size;
	unsigned long at;
	size_t room;
};

struct file {
	unsigned char *data;
	size_t size;
};

static struct file read_all(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct file file = { .data = malloc(MAX_FILE) };
	ssize_t n;

	if (fd < 0 || !file.data)
		fail(path);
	while ((n = read(fd, file.data + file.size, MAX_FILE - file.size)) > 0)
		file.size += n;
	close(fd);
	return file;
}

static void put(void *at, uint64_t value, size_t size)
{
	memcpy(at, &value, size);
}

static uint64_t get(const void *at, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, at, size);
	return value;
}

/*
 * Where the boot protocol has the parts (Documentation/arch/x86/boot.rst, "64-bit boot
 * protocol"). kexec_file_load() does this too, for a relocatable kernel.
 */
static void load_kernel(void)
{
	/* mov $PARAMS, %esi; mov $(the kernel's 64-bit entry), %eax; jmp *%rax */
	static unsigned char start[] = { 0xbe, 0, 0, 0, 0, 0xb8, 0, 0, 0, 0, 0xff, 0xe0 };
	struct file params = read_all("/sys/kernel/boot_params/data");
	struct file kernel = read_all("/kexec/kernel"), initramfs = read_all("/kexec/initramfs");
	struct file options = read_all("/kexec/options");
	size_t setup = (kernel.data[0x1f1] + 1) * 512;
	uint64_t at = get(kernel.data + 0x258, 8);			/* pref_address */
	size_t header = 0x202 + kernel.data[0x201] - 0x1f1;
	const struct segment segments[] = {
		{ params.data, params.size, PARAMS, PAGE_SIZE },
		{ options.data, options.size, OPTIONS, PAGE_SIZE },
		{ start, sizeof(start), START, PAGE_SIZE },
		{ kernel.data + setup, kernel.size - setup, at,
		  get(kernel.data + 0x260, 4) },			/* init_size */
		{ initramfs.data, initramfs.size, INITRAMFS,
		  (initramfs.size + PAGE_SIZE - 1) & -PAGE_SIZE },
	};

	put(start + 1, PARAMS, 4);
	put(start + 6, at + 0x200, 4);
	memcpy(params.data + 0x1f1, kernel.data + 0x1f1, header);
	params.data[0x210] = 0xff;					/* type_of_loader */
	put(params.data + 0x218, INITRAMFS, 4);
	put(params.data + 0x21c, initramfs.size, 4);
	put(params.data + 0x228, OPTIONS, 4);
	if (syscall(SYS_kexec_load, START, sizeof(segments) / sizeof(segments[0]), segments,
		    KEXEC_ARCH_DEFAULT))
		fail("kexec_load");
}

static void crash(void)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY);

	if (write(fd, "c", 1) != 1)
		fail("sysrq-trigger");
}

static void by_kexec(void)
{
	load_kernel();
	reboot(LINUX_REBOOT_CMD_KEXEC);
}

/* Into the memory that crashkernel= has set aside; the kernel sees to all the rest. */
static void load_crash_kernel(void)
{
	int kernel = open("/kexec/kernel", O_RDONLY | O_CLOEXEC);
	int initramfs = open("/kexec/initramfs", O_RDONLY | O_CLOEXEC);
	struct file options = read_all("/kexec/options");

	options.data[options.size] = '\0';
	if (syscall(SYS_kexec_file_load, kernel, initramfs, options.size + 1, options.data,
		    KEXEC_FILE_ON_CRASH))
		fail("kexec_file_load");
}

/* The next kernel runs on the CPU that crashes, and starts the others as a BIOS's CPU 0 may. */
static void by_crash(void)
{
	load_crash_kernel();
	pin_to_cpu(0);
	crash();
}

static void by_reboot(void)
{
	reboot(RB_AUTOBOOT);
}

/* X25: KVM is loaded, and has no part in anything. */
static void load_idle_kvm(void)
{
	static const char *const modules[][2] = {
		{ "irqbypass", "" }, { "kvm", "enable_virt_at_load=0" }, { "kvm-intel", "" },
	};

	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		errno = -module_load(modules[i][0], modules[i][1]);
		if (errno)
			fail(modules[i][0]);
	}
}

static const struct way {
	const char *name;
	void (*end)(void);
	void (*begin)(void);
} ways[] = {
	{ "kexec", by_kexec },
	{ "reboot", by_reboot },
	{ "panic", crash },
	{ "crash", by_crash },
	{ "crash-beside-kvm", by_crash, load_idle_kvm },
};

static const struct way *find_way(const char *name)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (!strcmp(ways[i].name, name))
			return &ways[i];
	}
	return NULL;
}

/* In a process of its own: the parent's descriptors are not what ends it. */
static void start_guest(int cpu)
{
	struct vcpu_thread t;
	struct guest_vcpu v;
	struct guest g;

	pin_to_cpu(cpu);
	if (guest_create(&g, 0))
		fail("guest");
	guest_write_programs(&g);
	if (vcpu_start(&g, &v, cpu, LOOP) || thread_start(&t, &v, 0) ||
	    wait_for_state(v.fd, AXVCPU_STATE_RUNNING))
		fail("vcpu");
	printf("a guest runs on CPU %d\n", cpu);
	fflush(stdout);
}

/*
 * C4: makes vCPUs for as long as that works. Each stays until the next one is there, so
 * that one is left when the machine ends, and its CPU in VMX operation if it may be.
 */
static void make_vcpus(void)
{
	struct axvcpu_create_vcpu args = { .favor_phys_cpu = -1 };
	int device = open("/dev/axvcpu", O_RDWR | O_CLOEXEC), fd = -1, last;

	for (;;) {
		last = ioctl(device, AXVCPU_CREATE_VCPU, &args);
		if (last < 0)
			break;
		close(fd);
		fd = last;
	}
	printf("the last vCPU: %s\n", strerror(errno));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const struct way *way = argc == 2 ? find_way(argv[1]) : NULL;
	long cpu, cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int pipes[2];
	char c;

	if (!way) {
		fprintf(stderr, "Usage: machine_end kexec|reboot|panic|crash|crash-beside-kvm\n");
		return 2;
	}
	if (pipe(pipes))
		fail("pipe");
	if (way->begin)
		way->begin();
	for (cpu = 0; cpu < cpus; cpu++) {
		if (fork())
			continue;
		start_guest(cpu);
		if (write(pipes[1], "", 1) != 1)
			fail("pipe");
		pause();
	}
	if (module_load("machine_end", ""))
		fail("machine_end.ko");
	if (!fork()) {
		pin_to_cpu(cpus - 1);
		make_vcpus();
		pause();
	}
	for (cpu = 0; cpu < cpus; cpu++) {
		if (read(pipes[0], &c, 1) != 1)
			fail("pipe");
	}
	way->end();
	return 1;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine. The main thread makes it and then waits for whatever may end
 * or disturb it: a signal, the guest's timer, the time limit, a vCPU that asks
 * for the end. Each vCPU has a thread that does nothing but run it. Signals
 * are blocked in all threads and read from a descriptor, and a kick stays with
 * a vCPU until a RUN takes it, so the end can't be missed.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "array_size.h"
#include "device.h"
#include "exit_codes.h"
#include "machine.h"
#include "report.h"

#define NS_PER_SEC	1000000000ULL

/* A thread that is not back by then hangs in writing the guest's output. */
#define JOIN_SECONDS	2

bool machine_ending(struct machine *m)
{
	return atomic_load(&m->status) >= 0;
}

bool machine_end(struct machine *m, int status)
{
	uint64_t one = 1;
	int running = -1;

	if (!atomic_compare_exchange_strong(&m->status, &running, status))
		return false;
	for (unsigned int i = 0; i < m->nr_cpus; i++)
		axvcpu_vcpu_kick(m->cpus[i].vcpu);
	(void)!write(m->end_fd, &one, sizeof(one));
	power_wake(&m->power);
	return true;
}

/* --- the vCPUs' threads ----------------------------------------------------- */

/* Not by an attribute of the thread, which musl has not. */
static bool stay_on_cpu(struct vm_cpu *cpu)
{
	const struct run_options *opt = cpu->machine->opt;
	cpu_set_t set;
	int err;

	if (!opt->nr_pins)
		return true;
	CPU_ZERO(&set);
	CPU_SET(opt->pins[cpu->index % opt->nr_pins], &set);
	err = pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	if (err && machine_end(cpu->machine, EXIT_INTERNAL))
		complain("the thread of vCPU %u can't stay on CPU %d: %s", cpu->index,
			 opt->pins[cpu->index % opt->nr_pins], strerror(err));
	return !err;
}

static void *cpu_thread(void *arg)
{
	struct vm_cpu *cpu = arg;
	struct machine *m = cpu->machine;
	const struct guest_arch *arch = m->opt->arch;
	unsigned int flags = arch->run_flags | (m->opt->timer_hz ? AXVCPU_RUN_WAIT : 0);
	int ret;

	if (!stay_on_cpu(cpu))
		return NULL;
	while (power_wait(cpu)) {
		ret = axvcpu_vcpu_loop(cpu->vcpu, flags, arch->handlers, cpu);
		if (ret < 0 && machine_end(m, EXIT_DEVICE))
			complain("vCPU %u: %s", cpu->index, axvcpu_error_text());
		if (machine_ending(m))
			break;
		power_off(cpu);
	}
	return NULL;
}

static int start_thread(struct vm_cpu *cpu)
{
	int err = pthread_create(&cpu->thread, NULL, cpu_thread, cpu);

	if (!err)
		cpu->machine->nr_threads++;
	return err;
}

static int start_threads(struct machine *m)
{
	power_start(m, m->opt->arch->one_starts ? 1 : m->nr_cpus);
	for (unsigned int i = 0; i < m->nr_cpus; i++) {
		int err = start_thread(&m->cpus[i]);

		if (err) {
			if (machine_end(m, EXIT_INTERNAL))
				complain("no thread for vCPU %u: %s", i, strerror(err));
			return EXIT_INTERNAL;
		}
	}
	return 0;
}

static void join_threads(struct machine *m)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += JOIN_SECONDS;
	for (unsigned int i = 0; i < m->nr_threads; i++) {
		if (pthread_timedjoin_np(m->cpus[i].thread, NULL, &until))
			_exit(atomic_load(&m->status));
	}
	m->nr_threads = 0;
}

/* --- the main thread -------------------------------------------------------- */

static int make_timer(uint64_t first_ns, uint64_t period_ns)
{
	struct itimerspec when = {
		.it_value = { first_ns / NS_PER_SEC, first_ns % NS_PER_SEC },
		.it_interval = { period_ns / NS_PER_SEC, period_ns % NS_PER_SEC },
	};
	int fd;

	if (!first_ns)
		return -1;
	fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd >= 0)
		timerfd_settime(fd, 0, &when, NULL);
	return fd;
}

static void on_tick(struct machine *m, int fd)
{
	uint64_t ticks;

	if (read(fd, &ticks, sizeof(ticks)) == sizeof(ticks))
		axvcpu_vcpu_interrupt(m->cpus[0].vcpu, m->opt->timer_vector);
}

static void on_signal(struct machine *m, int fd)
{
	struct signalfd_siginfo si;

	if (read(fd, &si, sizeof(si)) != sizeof(si))
		return;
	if (machine_end(m, EXIT_SIGNAL + si.ssi_signo))
		complain("ended by %s", si.ssi_signo == SIGINT ? "Ctrl-C" : "a signal");
}

static void on_timeout(struct machine *m)
{
	if (machine_end(m, EXIT_TIMEOUT))
		complain("the time is up");
}

static void wait_for_end(struct machine *m, int signal_fd)
{
	uint64_t period = m->opt->timer_hz ? NS_PER_SEC / m->opt->timer_hz : 0;
	struct pollfd fds[] = {
		{ .fd = m->end_fd, .events = POLLIN },
		{ .fd = signal_fd, .events = POLLIN },
		{ .fd = make_timer(period, period), .events = POLLIN },
		{ .fd = make_timer(m->opt->timeout_ns, 0), .events = POLLIN },
	};

	while (!machine_ending(m)) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			continue;
		if (fds[1].revents)
			on_signal(m, signal_fd);
		if (fds[2].revents)
			on_tick(m, fds[2].fd);
		if (fds[3].revents)
			on_timeout(m);
	}

	for (size_t i = 2; i < ARRAY_SIZE(fds); i++) {
		if (fds[i].fd >= 0)
			close(fds[i].fd);
	}
}

/* --- making and unmaking ---------------------------------------------------- */

static int take_device(struct machine *m)
{
	m->dev = open_device(m->opt->device);
	if (!m->dev)
		return EXIT_DEVICE;
	m->info = axvcpu_device_info(m->dev);
	if (m->info->backend != m->opt->arch->backend) {
		complain("the device's backend is %s; %s guests need %s",
			 axvcpu_backend_name(m->info->backend), m->opt->arch->name,
			 axvcpu_backend_name(m->opt->arch->backend));
		return EXIT_DEVICE;
	}
	return 0;
}

static bool mem_can_be(const struct machine *m)
{
	uint64_t base = m->opt->arch->mem_base, size = m->opt->mem;
	uint64_t page = sysconf(_SC_PAGESIZE);

	if (size % page) {
		complain("--mem is a multiple of %llu bytes here, a page; %llu is none",
			 (unsigned long long)page, (unsigned long long)size);
		return false;
	}
	if (m->info->gpa_bits < 64 && size > (1ULL << m->info->gpa_bits) - base) {
		complain("--mem is %llu bytes too much: addresses of guests end at 2^%u here",
			 (unsigned long long)(size + base - (1ULL << m->info->gpa_bits)),
			 m->info->gpa_bits);
		return false;
	}
	return true;
}

static int make_memory(struct machine *m)
{
	uint64_t base = m->opt->arch->mem_base, size = m->opt->mem;

	if (!mem_can_be(m))
		return EXIT_USAGE;
	m->mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->mem == MAP_FAILED) {
		m->mem = NULL;
		complain("no %llu bytes of memory: %s (see --mem)", (unsigned long long)size,
			 strerror(errno));
		return EXIT_INTERNAL;
	}
	m->mem_size = size;

	if (axvcpu_aspace_create(m->dev, &m->aspace)) {
		complain("no address space: %s", axvcpu_error_text());
		return EXIT_DEVICE;
	}
	if (axvcpu_aspace_map(m->aspace, base, m->mem, size, AXVCPU_MAP_ALL)) {
		complain("the memory can't be mapped: %s", axvcpu_error_text());
		return EXIT_DEVICE;
	}
	return 0;
}

static int make_vcpu(struct machine *m, unsigned int index)
{
	struct axvcpu_vcpu_attr attr = AXVCPU_VCPU_ATTR_INIT;
	union axvcpu_create_config config = { .raw = { 0 } };
	struct vm_cpu *cpu = &m->cpus[index];

	cpu->machine = m;
	cpu->index = index;
	if (m->opt->arch->configure)
		m->opt->arch->configure(cpu, &config);
	attr.vm_id = getpid();
	attr.vcpu_id = index;
	attr.config = &config;
	if (axvcpu_vcpu_create(m->dev, &attr, &cpu->vcpu)) {
		complain("no vCPU %u: %s", index, axvcpu_error_text());
		return EXIT_DEVICE;
	}
	m->nr_cpus++;
	if (m->opt->arch->has_cpuid &&
	    cpuid_apply_preset(cpu->vcpu, m->opt->preset, m->opt->cpus))
		return EXIT_DEVICE;
	return cpuid_apply(cpu->vcpu, m->opt->cpuids, m->opt->nr_cpuids) ? EXIT_USAGE : 0;
}

/* The host CPU that it stays on, or -1. */
static int pin(const struct vm_cpu *cpu)
{
	const struct run_options *opt = cpu->machine->opt;

	return opt->nr_pins ? opt->pins[cpu->index % opt->nr_pins] : -1;
}

int cpu_make_ready(struct vm_cpu *cpu, uint64_t entry, uint64_t arg)
{
	int err = cpu->machine->opt->arch->setup(cpu, entry, arg);

	return err ? err : axvcpu_vcpu_bind(cpu->vcpu, pin(cpu));
}

static int ready_vcpu(struct vm_cpu *cpu)
{
	if (!cpu_make_ready(cpu, cpu->machine->entry, cpu->index))
		return 0;
	if (pin(cpu) >= 0)
		complain("vCPU %u can't run on CPU %d (--cpu); /sys/devices/system/cpu/online "
			 "tells which there are: %s", cpu->index, pin(cpu), axvcpu_error_text());
	else
		complain("vCPU %u can't run: %s", cpu->index, axvcpu_error_text());
	return EXIT_DEVICE;
}

static int make_vcpus(struct machine *m)
{
	unsigned int start = m->opt->arch->one_starts ? 1 : m->opt->cpus;
	int status = 0;

	for (unsigned int i = 0; i < m->opt->cpus && !status; i++)
		status = make_vcpu(m, i);
	for (unsigned int i = 0; i < start && !status; i++)
		status = ready_vcpu(&m->cpus[i]);
	return status;
}

static void complain_no_fit(const struct machine *m, const struct image *image)
{
	unsigned long long base = m->opt->arch->mem_base;
	uint64_t first, end;

	image_extent(image, &first, &end);
	if (first < base)
		complain("%s goes to 0x%llx, and memory starts at 0x%llx: link it to there, or "
			 "--load a flat file there", m->opt->file, (unsigned long long)first, base);
	else
		complain("%s doesn't fit into %llu bytes of memory from 0x%llx on: it ends at "
			 "0x%llx, see --mem", m->opt->file, (unsigned long long)m->usable_mem, base,
			 (unsigned long long)end);
}

int machine_place(struct machine *m, struct image *image, uint64_t load)
{
	const struct run_options *opt = m->opt;
	uint64_t base = opt->arch->mem_base;

	if (opt->has_load && image->elf_bits) {
		complain("--load is for flat files; %s says itself where it goes", opt->file);
		return EXIT_USAGE;
	}
	if (!image->elf_bits)
		image_place(image, opt->has_load ? opt->load : load);
	if (!image_fits(image, base, m->usable_mem)) {
		complain_no_fit(m, image);
		return EXIT_BAD_FILE;
	}
	m->entry = opt->has_entry ? opt->entry : image->entry;
	image_load(image, base, m->mem);
	return 0;
}

static int make_machine(struct machine *m, struct image *image)
{
	int status;

	m->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->end_fd < 0) {
		complain("no eventfd: %s", strerror(errno));
		return EXIT_INTERNAL;
	}
	console_init(&m->console, STDOUT_FILENO);
	power_init(&m->power);

	status = take_device(m);
	if (!status)
		status = make_memory(m);
	if (!status)
		status = m->opt->arch->prepare(m, image);
	if (!status)
		status = make_vcpus(m);
	return status;
}

static void unmake_machine(struct machine *m)
{
	for (unsigned int i = 0; i < m->nr_cpus; i++)
		axvcpu_vcpu_close(m->cpus[i].vcpu);
	axvcpu_aspace_close(m->aspace);
	axvcpu_device_close(m->dev);
	if (m->mem)
		munmap(m->mem, m->mem_size);
	if (m->end_fd >= 0)
		close(m->end_fd);
}

static sigset_t ending_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	return set;
}

/* Signals that end the guest come by a descriptor; a broken pipe is an error. */
static int take_signals(void)
{
	sigset_t set = ending_signals();

	signal(SIGPIPE, SIG_IGN);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/*
 * The rest of what the guest printed. Whoever reads it may take time, but not when the
 * machine was to end at once. Signals have their usual effect from here on.
 */
static int flush_console(struct machine *m)
{
	struct pollfd out = { .fd = m->console.fd, .events = POLLOUT };
	sigset_t set = ending_signals();

	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	if (atomic_load(&m->status) >= EXIT_TIMEOUT && !poll(&out, 1, JOIN_SECONDS * 1000))
		return 0;
	return console_flush(&m->console);
}

static int run_to_end(struct machine *m, int signal_fd)
{
	int err;

	if (!start_threads(m))
		wait_for_end(m, signal_fd);
	join_threads(m);

	err = flush_console(m);
	if (err && atomic_load(&m->status) != EXIT_OUTPUT) {
		complain("what the guest prints can't be written: %s", strerror(-err));
		return EXIT_OUTPUT;
	}
	if (m->opt->stats) {
		for (unsigned int i = 0; i < m->nr_cpus; i++)
			report_stats(&m->cpus[i]);
	}
	return atomic_load(&m->status);
}

int machine_run(const struct run_options *opt, struct image *image)
{
	struct machine m = { .opt = opt, .status = -1, .end_fd = -1 };
	int signal_fd = take_signals();
	int status;

	if (signal_fd < 0) {
		complain("no signalfd: %s", strerror(errno));
		return EXIT_INTERNAL;
	}
	status = make_machine(&m, image);
	if (!status)
		status = run_to_end(&m, signal_fd);
	unmake_machine(&m);
	close(signal_fd);
	return status;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Getting a small guest running; see guest.h. */
#include <assert.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define SIZE(type, bytes)		static_assert(sizeof(struct type) == (bytes), #type)
#define AT(type, member, offset) \
	static_assert(offsetof(struct type, member) == (offset), #type "." #member)
#define CONST(expression, value) \
	static_assert((unsigned long long)(expression) == (value), #expression)
#include "uapi_layout.h"

static const struct guest_isa *const isas[] = {
	&guest_isa_mock,
	&guest_isa_x86,
	&guest_isa_arm64,
};

/**
 * guest_open() - open the device and find out how its guests are written
 * @g: filled in
 *
 * Return: 0 or a negative errno; -ENOTSUP: nobody wrote that down yet.
 */
int guest_open(struct guest *g)
{
	int err;

	memset(g, 0, sizeof(*g));
	g->aspace = -1;
	g->mem = MAP_FAILED;
	g->dev = open(GUEST_DEVICE, O_RDWR | O_CLOEXEC);
	if (g->dev < 0)
		return -errno;
	err = XIOCTL(g->dev, AXVCPU_GET_INFO, &g->info);
	if (err)
		return err;
	for (size_t i = 0; i < sizeof(isas) / sizeof(isas[0]); i++) {
		if (isas[i]->backend == g->info.backend)
			g->isa = isas[i];
	}
	return g->isa ? 0 : -ENOTSUP;
}

/**
 * guest_create() - open the device, make an address space with memory
 * @g: filled in
 * @size: bytes of memory, at least %GUEST_MEM_SIZE; 0: as much
 *
 * Return: 0 or a negative errno.
 */
int guest_create(struct guest *g, size_t size)
{
	int err = guest_open(g);

	if (err)
		return err;
	g->size = size ? size : GUEST_MEM_SIZE;
	g->mem = mmap(NULL, g->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (g->mem == MAP_FAILED)
		return -errno;
	g->isa->init_memory(g->mem);
	g->aspace = create_aspace(g->dev);
	if (g->aspace < 0)
		return g->aspace;
	return map_memory(g->aspace, 0, g->size, g->mem, AXVCPU_MAP_ALL);
}

/**
 * guest_destroy() - undo guest_create(), as far as it came
 * @g: guest
 */
void guest_destroy(struct guest *g)
{
	if (g->aspace >= 0)
		close(g->aspace);
	if (g->dev >= 0)
		close(g->dev);
	if (g->mem != MAP_FAILED)
		munmap(g->mem, g->size);
	g->aspace = -1;
	g->dev = -1;
	g->mem = MAP_FAILED;
}

/**
 * guest_write_programs() - write %OUTS, %LOOP, %HALT and %COUNT
 * @g: guest
 */
void guest_write_programs(struct guest *g)
{
	struct guest_prog p;
	int loop;

	g_begin(&p, g, OUTS);
	loop = g_here(&p);
	g_out(&p, 0x10, G0, 1);
	g_jmp(&p, loop);
	g_end(&p);

	g_begin(&p, g, LOOP);
	g_loop_forever(&p);
	g_end(&p);

	g_begin(&p, g, HALT);
	loop = g_here(&p);
	g_halt(&p);
	g_jmp(&p, loop);
	g_end(&p);

	g_begin(&p, g, COUNT);
	g_movi(&p, G0, GUEST_DATA);
	g_movi(&p, G1, 0);
	loop = g_here(&p);
	g_addi(&p, G1, 1);
	g_store(&p, G1, G0, 8);
	g_spin(&p);
	g_jmp(&p, loop);
	g_end(&p);
}

/* vCPUs whose run page is mapped, by descriptor. */
static struct {
	const struct guest_isa *isa;
	struct axvcpu_run *run;
} vcpus[1024];

static const struct guest_isa *isa_of(int fd)
{
	static const struct guest_isa none;

	if (fd < 0 || fd >= (int)(sizeof(vcpus) / sizeof(vcpus[0])) || !vcpus[fd].isa)
		return &none;
	return vcpus[fd].isa;
}

static void remember(int fd, const struct guest_isa *isa, struct axvcpu_run *run)
{
	if (fd >= 0 && fd < (int)(sizeof(vcpus) / sizeof(vcpus[0]))) {
		vcpus[fd].run = run;
		vcpus[fd].isa = isa;
	}
}

static int map_run_page(struct guest *g, struct guest_vcpu *v)
{
	void *run = mmap(NULL, g->info.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);

	if (run == MAP_FAILED)
		return -errno;
	v->run = run;
	remember(v->fd, g->isa, run);
	return 0;
}

/**
 * vcpu_create_on() - create a vCPU that runs on some CPUs only
 * @g: guest
 * @v: filled in
 * @id: its number
 * @cpus: the CPUs, as bits; 0: all
 *
 * Return: 0 or a negative errno.
 */
int vcpu_create_on(struct guest *g, struct guest_vcpu *v, uint32_t id, uint64_t cpus)
{
	struct axvcpu_create_vcpu args = {
		.vcpu_id = id,
		.favor_phys_cpu = -1,
		.phys_cpu_set = cpus ? (uintptr_t)&cpus : 0,
		.phys_cpu_set_len = cpus ? sizeof(cpus) : 0,
	};

	memset(v, 0, sizeof(*v));
	v->isa = g->isa;
	v->fd = XIOCTL(g->dev, AXVCPU_CREATE_VCPU, &args);
	return v->fd < 0 ? v->fd : map_run_page(g, v);
}

/**
 * vcpu_create() - create a vCPU and map its run page
 * @g: guest
 * @v: filled in
 * @id: its number
 *
 * Return: 0 or a negative errno.
 */
int vcpu_create(struct guest *g, struct guest_vcpu *v, uint32_t id)
{
	return vcpu_create_on(g, v, id, 0);
}

/**
 * setup_init() - fill in the arguments of SETUP
 * @g: guest
 * @setup: filled in
 * @entry: first instruction
 */
void setup_init(struct guest *g, struct axvcpu_setup *setup, uint64_t entry)
{
	memset(setup, 0, sizeof(*setup));
	setup->entry = entry;
	setup->aspace_fd = g->aspace;
	g->isa->setup(&setup->config);
}

/**
 * vcpu_setup() - SETUP
 * @g: guest
 * @v: vCPU
 * @entry: first instruction
 *
 * Return: 0 or a negative errno.
 */
int vcpu_setup(struct guest *g, struct guest_vcpu *v, uint64_t entry)
{
	struct axvcpu_setup setup;

	setup_init(g, &setup, entry);
	return XIOCTL(v->fd, AXVCPU_SETUP, &setup);
}

/**
 * vcpu_start() - create, set up and bind a vCPU
 * @g: guest
 * @v: filled in
 * @id: its number
 * @entry: first instruction
 *
 * Return: 0 or a negative errno.
 */
int vcpu_start(struct guest *g, struct guest_vcpu *v, uint32_t id, uint64_t entry)
{
	int err = vcpu_create(g, v, id);

	if (!err)
		err = vcpu_setup(g, v, entry);
	if (!err)
		err = bind_vcpu(v->fd, -1);
	return err;
}

/**
 * vcpu_start_prog() - set up and bind a vCPU that was created, for a program
 * @g: guest
 * @v: vCPU
 * @p: program; at its end it says so on port %GUEST_DONE, over and over
 *
 * Return: 0 or a negative errno.
 */
int vcpu_start_prog(struct guest *g, struct guest_vcpu *v, struct guest_prog *p)
{
	int loop = g_here(p), err;

	g_out(p, GUEST_DONE, G5, 1);
	g_jmp(p, loop);
	err = vcpu_setup(g, v, g_end(p));
	return err ? err : bind_vcpu(v->fd, -1);
}

/**
 * vcpu_destroy() - undo vcpu_create()
 * @v: vCPU
 */
void vcpu_destroy(struct guest_vcpu *v)
{
	vcpu_unmap_page(v);
	remember(v->fd, NULL, NULL);
	if (v->fd >= 0)
		close(v->fd);
	v->fd = -1;
}

/**
 * vcpu_unmap_page() - do without the run page
 * @v: vCPU
 */
void vcpu_unmap_page(struct guest_vcpu *v)
{
	remember(v->fd, v->isa, NULL);
	if (v->run)
		munmap(v->run, sysconf(_SC_PAGESIZE));
	v->run = NULL;
}

int create_aspace(int dev)
{
	struct axvcpu_create_aspace args = { 0 };

	return XIOCTL(dev, AXVCPU_CREATE_ASPACE, &args);
}

int create_vcpu(int dev, uint32_t id)
{
	struct axvcpu_create_vcpu args = { .vcpu_id = id, .favor_phys_cpu = -1 };

	return XIOCTL(dev, AXVCPU_CREATE_VCPU, &args);
}

int map_memory(int aspace, uint64_t gpa, uint64_t size, void *mem, uint32_t flags)
{
	struct axvcpu_map args = {
		.gpa = gpa,
		.size = size,
		.uaddr = (uintptr_t)mem,
		.flags = flags,
	};

	return XIOCTL(aspace, AXVCPU_MAP, &args);
}

int protect_memory(int aspace, uint64_t gpa, uint64_t size, uint32_t flags)
{
	struct axvcpu_protect args = { .gpa = gpa, .size = size, .flags = flags };

	return XIOCTL(aspace, AXVCPU_PROTECT, &args);
}

int get_dirty(int aspace, uint64_t gpa, uint64_t size, uint64_t *bitmap)
{
	struct axvcpu_get_dirty args = { .gpa = gpa, .size = size, .bitmap = (uintptr_t)bitmap };

	return XIOCTL(aspace, AXVCPU_GET_DIRTY, &args);
}

int unmap_memory(int aspace, uint64_t gpa, uint64_t size)
{
	struct axvcpu_unmap args = { .gpa = gpa, .size = size };

	return XIOCTL(aspace, AXVCPU_UNMAP, &args);
}

int bind_vcpu(int fd, int cpu)
{
	struct axvcpu_bind args = { .cpu = cpu };

	return XIOCTL(fd, AXVCPU_BIND, &args);
}

int unbind_vcpu(int fd)
{
	return xioctl(fd, AXVCPU_UNBIND, 0);
}

int reset_vcpu(int fd)
{
	return xioctl(fd, AXVCPU_RESET, 0);
}

int reset_run(int fd)
{
	return xioctl(fd, AXVCPU_RESET, AXVCPU_RESET_KEEP_MACHINE);
}

/* What has another name on this machine gets the one that the tests know. */
int run_vcpu(int fd, unsigned long flags)
{
	const struct guest_isa *isa = isa_of(fd);
	int err;

	if (isa->before_run && vcpus[fd].run)
		isa->before_run(vcpus[fd].run);
	err = xioctl(fd, AXVCPU_RUN, flags);
	if (!err && isa->after_run && vcpus[fd].run)
		isa->after_run(vcpus[fd].run);
	return err;
}

int kick_vcpu(int fd)
{
	return xioctl(fd, AXVCPU_KICK, 0);
}

int inject_event(int fd, uint32_t type, uint32_t vector)
{
	struct axvcpu_inject args = { .type = type, .vector = vector };

	return XIOCTL(fd, AXVCPU_INJECT, &args);
}

int inject_irq(int fd, uint32_t vector)
{
	struct axvcpu_inject args = { .type = AXVCPU_EVENT_INTERRUPT, .vector = vector };
	const struct guest_isa *isa = isa_of(fd);

	if (isa->priority) {
		args.flags = AXVCPU_INJECT_PRIORITY;
		args.priority = isa->priority(vector);
	}
	return XIOCTL(fd, AXVCPU_INJECT, &args);
}

int get_state(int fd)
{
	struct axvcpu_state_info info;
	int err = XIOCTL(fd, AXVCPU_GET_STATE, &info);

	return err ? err : (int)info.state;
}

int get_failure(int fd, struct axvcpu_failure *failure)
{
	struct axvcpu_state_info info;
	int err = XIOCTL(fd, AXVCPU_GET_STATE, &info);

	if (!err)
		*failure = info.failure;
	return err;
}

int set_state(int fd, uint32_t state)
{
	struct axvcpu_set_state args = { .state = state };

	return XIOCTL(fd, AXVCPU_SET_STATE, &args);
}

int get_reg(int fd, uint64_t id, uint64_t *value)
{
	struct axvcpu_reg reg = { .id = id };
	struct axvcpu_regs args = { .regs = (uintptr_t)&reg, .count = 1 };
	int err = XIOCTL(fd, AXVCPU_GET_REGS, &args);

	*value = reg.value;
	return err;
}

int set_reg(int fd, uint64_t id, uint64_t value)
{
	struct axvcpu_reg reg = { .id = id, .value = value };
	struct axvcpu_regs args = { .regs = (uintptr_t)&reg, .count = 1 };

	return XIOCTL(fd, AXVCPU_SET_REGS, &args);
}

/* In calls of as many as the kernel takes at a time */
static int regs_calls(int fd, unsigned int cmd, const struct axvcpu_reg *regs, int count)
{
	int err = 0;

	for (int done = 0; done < count && !err; done += AXVCPU_MAX_REGS) {
		int left = count - done;
		struct axvcpu_regs args = {
			.regs = (uintptr_t)(regs + done),
			.count = left < AXVCPU_MAX_REGS ? left : AXVCPU_MAX_REGS,
		};

		err = XIOCTL(fd, cmd, &args);
	}
	return err;
}

/**
 * list_regs() - GET_REG_LIST
 * @fd: vCPU
 * @ids: where they go
 * @count: room there
 *
 * Return: how many there are, or a negative errno; -E2BIG also where there is no room.
 */
int list_regs(int fd, uint64_t *ids, uint32_t count)
{
	struct axvcpu_reg_list args = { .ids = (uintptr_t)ids, .count = count };
	int err = XIOCTL(fd, AXVCPU_GET_REG_LIST, &args);

	return err ? err : (int)args.count;
}

/**
 * keep_state() - KEEP_STATE
 * @v: vCPU
 *
 * Return: 0 or a negative errno.
 */
int keep_state(struct guest_vcpu *v)
{
	return xioctl(v->fd, AXVCPU_KEEP_STATE, 0);
}

/**
 * restore_state() - RESTORE_STATE
 * @v: vCPU
 * @flags: ``AXVCPU_RESTORE_*``
 *
 * Return: 0 or a negative errno.
 */
int restore_state(struct guest_vcpu *v, unsigned long flags)
{
	return xioctl(v->fd, AXVCPU_RESTORE_STATE, flags);
}

int withdraw_event(int fd, uint32_t type, uint32_t vector)
{
	struct axvcpu_inject args = { .type = type, .vector = vector };

	return XIOCTL(fd, AXVCPU_WITHDRAW, &args);
}

/**
 * get_state_of() - read all that makes up a vCPU
 * @v: vCPU
 * @regs: filled in; %GUEST_MAX_STATE elements
 *
 * Return: the number of registers, or a negative errno.
 */
int get_state_of(struct guest_vcpu *v, struct axvcpu_reg *regs)
{
	uint64_t ids[GUEST_MAX_STATE];
	int count = list_regs(v->fd, ids, GUEST_MAX_STATE);
	int err;

	for (int i = 0; i < count; i++)
		regs[i] = (struct axvcpu_reg){ .id = ids[i] };
	err = count < 0 ? count : regs_calls(v->fd, AXVCPU_GET_REGS, regs, count);
	return err ? err : count;
}

/**
 * set_state_of() - make another vCPU what one was
 * @v: vCPU, set up and bound
 * @regs: from get_state_of()
 * @count: how many
 *
 * Return: 0 or a negative errno.
 */
int set_state_of(struct guest_vcpu *v, const struct axvcpu_reg *regs, int count)
{
	return regs_calls(v->fd, AXVCPU_SET_REGS, regs, count);
}

int get_stats(int fd, struct axvcpu_stats *stats)
{
	int err = XIOCTL(fd, AXVCPU_GET_STATS, stats);

	if (!err && isa_of(fd)->stats)
		isa_of(fd)->stats(stats);
	return err;
}

/**
 * module_load() - load one of the modules that came with the test
 * @name: its name
 * @args: its parameters
 *
 * Return: 0 or a negative errno.
 */
int module_load(const char *name, const char *args)
{
	char path[64];
	int fd, err;

	snprintf(path, sizeof(path), "/modules/%s.ko", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = syscall(SYS_finit_module, fd, args, 0) ? -errno : 0;
	close(fd);
	return err;
}

/** module_unload() - unload a module, unless it is in use */
int module_unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

static void *run_thread(void *arg)
{
	struct vcpu_thread *t = arg;

	t->err = run_vcpu(t->v->fd, t->flags);
	t->done = true;
	return NULL;
}

/**
 * thread_start() - RUN in a thread of its own
 * @t: filled in
 * @v: vCPU
 * @flags: of RUN
 *
 * Return: 0 or a negative errno.
 */
int thread_start(struct vcpu_thread *t, struct guest_vcpu *v, unsigned long flags)
{
	sigset_t all, old;
	int err;

	memset(t, 0, sizeof(*t));
	t->v = v;
	t->flags = flags;
	sigfillset(&all);
	sigdelset(&all, SIGUSR1);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&t->thread, NULL, run_thread, t);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

/** thread_join() - what RUN returned, when it has */
int thread_join(struct vcpu_thread *t)
{
	pthread_join(t->thread, NULL);
	return t->err;
}

/** thread_stop() - KICK, then what RUN returned */
int thread_stop(struct vcpu_thread *t)
{
	kick_vcpu(t->v->fd);
	return thread_join(t);
}

/**
 * wait_for_state() - wait until another thread has brought a vCPU somewhere
 * @fd: vCPU
 * @state: &enum axvcpu_state
 *
 * Return: 0; -ETIME: it does not come there.
 */
int wait_for_state(int fd, int state)
{
	unsigned long long end = now_ns() + PATIENCE_NS;

	while (get_state(fd) != state) {
		if (now_ns() > end)
			return -ETIME;
		sched_yield();
	}
	return 0;
}

/**
 * good_arg() - arguments of an ioctl that nothing is wrong with
 * @g: guest
 * @cmd: ``AXVCPU_*``; SET_STATE sets Invalid, MAP maps a page in the hole, for
 *	PROTECT, GET_DIRTY and UNMAP to find
 * @arg: filled in
 */
void good_arg(struct guest *g, unsigned int cmd, union guest_arg *arg)
{
	static uint64_t ids[GUEST_MAX_STATE], bitmap;
	static struct axvcpu_reg reg;

	memset(arg, 0, sizeof(*arg));
	switch (cmd) {
	case AXVCPU_CREATE_VCPU:
		arg->create_vcpu.favor_phys_cpu = -1;
		break;
	case AXVCPU_MAP:
		arg->map.gpa = GUEST_HOLE;
		arg->map.size = sysconf(_SC_PAGESIZE);
		arg->map.uaddr = (uintptr_t)g->mem;
		arg->map.flags = AXVCPU_MAP_READ;
		break;
	case AXVCPU_PROTECT:
		arg->protect.gpa = GUEST_HOLE;
		arg->protect.size = sysconf(_SC_PAGESIZE);
		arg->protect.flags = AXVCPU_MAP_READ;
		break;
	case AXVCPU_GET_DIRTY:
		arg->get_dirty.gpa = GUEST_HOLE;
		arg->get_dirty.size = sysconf(_SC_PAGESIZE);
		arg->get_dirty.bitmap = (uintptr_t)&bitmap;
		break;
	case AXVCPU_UNMAP:
		arg->unmap.gpa = GUEST_HOLE;
		arg->unmap.size = sysconf(_SC_PAGESIZE);
		break;
	case AXVCPU_SETUP:
		setup_init(g, &arg->setup, GUEST_PROG(0));
		break;
	case AXVCPU_BIND:
		arg->bind.cpu = -1;
		break;
	case AXVCPU_SET_STATE:
		arg->set_state.state = AXVCPU_STATE_INVALID;
		break;
	case AXVCPU_SET_ENTRY:
		arg->set_entry.entry = GUEST_PROG(0);
		break;
	case AXVCPU_SET_EPT_ROOT:
		arg->set_ept_root.aspace_fd = g->aspace;
		break;
	case AXVCPU_GET_REGS:
	case AXVCPU_SET_REGS:
		reg.id = g->isa->reg_id(g->isa->gpr[G0]);
		arg->regs.regs = (uintptr_t)&reg;
		arg->regs.count = 1;
		break;
	case AXVCPU_INJECT:
		arg->inject.vector = 0x40;
		break;
	case AXVCPU_WITHDRAW:
		/* One that is never queued */
		arg->inject.vector = 0x41;
		break;
	case AXVCPU_GET_REG_LIST:
		arg->reg_list.ids = (uintptr_t)ids;
		arg->reg_list.count = GUEST_MAX_STATE;
		break;
	}
}

/**
 * good_call() - an ioctl of a vCPU with such arguments
 * @g: guest
 * @v: vCPU
 * @cmd: ``AXVCPU_*``
 *
 * Return: what the ioctl returned, or a negative errno.
 */
int good_call(struct guest *g, struct guest_vcpu *v, unsigned int cmd)
{
	union guest_arg arg;

	if (!_IOC_SIZE(cmd))
		return xioctl(v->fd, cmd, 0);
	good_arg(g, cmd, &arg);
	return XIOCTL(v->fd, cmd, &arg);
}

/**
 * run_until() - RUN, which must end with an exit of one kind
 * @v: vCPU
 * @reason: &enum axvcpu_exit_reason
 *
 * Return: 0; -EPROTO: another exit; or RUN's negative errno.
 */
int run_until(struct guest_vcpu *v, uint32_t reason)
{
	int err = run_vcpu(v->fd, 0);

	if (err)
		return err;
	if (v->run->exit_reason == reason)
		return 0;
	fprintf(stderr, "# exit %u instead of %u:", v->run->exit_reason, reason);
	for (int i = 0; i < 4; i++)
		fprintf(stderr, " %llx", (unsigned long long)v->run->exit_raw[i]);
	fprintf(stderr, ", pc %llx\n", (unsigned long long)v->run->regs.raw[v->isa->pc]);
	return -EPROTO;
}

/** run_until_done() - RUN, in which a program of vcpu_start_prog() must come to its end */
int run_until_done(struct guest_vcpu *v)
{
	int err = run_until(v, AXVCPU_EXIT_IO_WRITE);

	return (err || v->run->io.port == GUEST_DONE) ? err : -EPROTO;
}

/**
 * pin_to_cpu() - move the calling thread
 * @cpu: where to; -1: anywhere
 *
 * Return: 0 or a negative errno.
 */
int pin_to_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (cpu < 0 || i == cpu)
			CPU_SET(i, &set);
	}
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

/** now_ns() - the monotonic clock */
unsigned long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/**
 * time_for_another() - go on with a loop that is the better the longer it is?
 * @round: rounds done so far
 * @least: rounds to be done at any rate
 * @began: when the first one began, now_ns()
 *
 * Return: true for ten seconds, which are many rounds if the machine is idle.
 */
bool time_for_another(int round, int least, unsigned long long began)
{
	return round < least || now_ns() - began < 10000000000ULL;
}

/** sleep_ns() - sleep, through any number of signals */
void sleep_ns(unsigned long long ns)
{
	struct timespec ts = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/**
 * write_text() - as echo does, to a file of sysfs say
 * @path: the file, which is there
 * @text: what to write
 *
 * Return: 0 or a negative errno.
 */
int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/**
 * open_uffd() - be asked for the pages of some memory, by userfaultfd
 * @mem: the memory
 * @size: its size
 *
 * Return: the descriptor, or -1: there is no such thing.
 */
int open_uffd(void *mem, uint64_t size)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)mem, .len = size },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd >= 0 && (ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg))) {
		close(fd);
		return -1;
	}
	return fd;
}

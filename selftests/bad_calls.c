// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls with something wrong in their arguments: each has its documented errno
 * and no effect, whatever state the vCPU is in.
 */
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"
#include "model.h"

#define PAGE		((uint64_t)sysconf(_SC_PAGESIZE))
#define MAX_PAGE	0x10000
#define MAX_SIZE	16383	/* that a command can hold */

enum kind { DEVICE, ASPACE, VCPU, NR_KINDS };

static const char *const kinds[] = { "device", "address space", "vCPU" };

/**
 * struct field - where in a struct, and what is good there
 * @offset: bytes
 * @size: bytes; 0: no more fields
 * @known: bits that mean something
 */
struct field {
	size_t offset;
	size_t size;
	uint64_t known;
};

#define FIELD(type, name)		{ offsetof(type, name), sizeof(((type *)0)->name), 0 }
#define FLAGS(type, name, bits)		{ offsetof(type, name), sizeof(((type *)0)->name), bits }

static const struct call {
	const char *name;
	enum kind kind;
	unsigned int cmd;
	struct field fields[6];	/* those that are not used have no size */
} calls[] = {
#define C(kind, name, ...)	{ #name, kind, AXVCPU_##name, { __VA_ARGS__ } }
	C(DEVICE, GET_INFO),
	C(DEVICE, CREATE_ASPACE,
	  FLAGS(struct axvcpu_create_aspace, flags, 0),
	  FIELD(struct axvcpu_create_aspace, reserved)),
	C(DEVICE, CREATE_VCPU,
	  FLAGS(struct axvcpu_create_vcpu, flags, 0),
	  FIELD(struct axvcpu_create_vcpu, reserved0),
	  FIELD(struct axvcpu_create_vcpu, config.raw[7]),
	  FIELD(struct axvcpu_create_vcpu, reserved)),
	C(ASPACE, MAP,
	  FLAGS(struct axvcpu_map, flags, AXVCPU_MAP_ALL | AXVCPU_MAP_LOG_DIRTY),
	  FIELD(struct axvcpu_map, reserved)),
	C(ASPACE, UNMAP, FIELD(struct axvcpu_unmap, reserved)),
	C(ASPACE, PROTECT,
	  FLAGS(struct axvcpu_protect, flags, AXVCPU_MAP_ALL | AXVCPU_MAP_LOG_DIRTY),
	  FIELD(struct axvcpu_protect, reserved)),
	C(ASPACE, GET_DIRTY, FIELD(struct axvcpu_get_dirty, reserved)),
	C(ASPACE, GET_ASPACE_STATS),
	C(VCPU, SETUP,
	  FLAGS(struct axvcpu_setup, flags, AXVCPU_SETUP_RAW_ROOT | AXVCPU_SETUP_STEPPED),
	  FIELD(struct axvcpu_setup, reserved)),
	C(VCPU, BIND,
	  FLAGS(struct axvcpu_bind, flags, 0),
	  FIELD(struct axvcpu_bind, reserved)),
	C(VCPU, RUN),
	C(VCPU, UNBIND),
	C(VCPU, RESET),
	C(VCPU, GET_STATE),
	C(VCPU, SET_STATE, FIELD(struct axvcpu_set_state, reserved)),
	C(VCPU, SET_ENTRY, FIELD(struct axvcpu_set_entry, reserved)),
	C(VCPU, SET_EPT_ROOT,
	  FLAGS(struct axvcpu_set_ept_root, flags, AXVCPU_SETUP_RAW_ROOT),
	  FIELD(struct axvcpu_set_ept_root, reserved)),
	C(VCPU, GET_VCPU_INFO,
	  FIELD(struct axvcpu_vcpu_info, reserved0),
	  FIELD(struct axvcpu_vcpu_info, reserved)),
	C(VCPU, GET_REGS, FLAGS(struct axvcpu_regs, flags, 0)),
	C(VCPU, SET_REGS, FLAGS(struct axvcpu_regs, flags, 0)),
	C(VCPU, INJECT,
	  FLAGS(struct axvcpu_inject, flags, AXVCPU_INJECT_ERROR_CODE | AXVCPU_INJECT_PRIORITY),
	  FIELD(struct axvcpu_inject, reserved0),
	  FIELD(struct axvcpu_inject, reserved)),
	C(VCPU, KICK),
	C(VCPU, GET_STATS),
	C(VCPU, GET_HISTORY, FIELD(struct axvcpu_history, reserved)),
	C(VCPU, GET_CALL_LOG, FIELD(struct axvcpu_call_log, reserved)),
	C(VCPU, SET_DEBUG,
	  FLAGS(struct axvcpu_set_debug, flags, AXVCPU_DEBUG_STEP | AXVCPU_DEBUG_SOFT_BREAKPOINTS),
	  FIELD(struct axvcpu_set_debug, reserved)),
	C(VCPU, GET_REG_LIST, FIELD(struct axvcpu_reg_list, reserved)),
	C(VCPU, KEEP_STATE),
	C(VCPU, RESTORE_STATE),
	C(VCPU, WITHDRAW,
	  FLAGS(struct axvcpu_inject, flags, 0),
	  FIELD(struct axvcpu_inject, error_code),
	  FIELD(struct axvcpu_inject, priority),
	  FIELD(struct axvcpu_inject, reserved0),
	  FIELD(struct axvcpu_inject, reserved)),
#undef C
};

#define NR_CALLS	ARRAY_SIZE(calls)
#define LOGGED		(AXVCPU_MAP_READ | AXVCPU_MAP_LOG_DIRTY)

FIXTURE(bad_calls) {
	struct guest g;
	struct guest_vcpu v;
	struct vcpu_thread t;
	bool running;
	int state;
	struct axvcpu_failure failure;
	uint8_t *page;		/* two pages to write, then one not to touch */
	uint8_t *read_only;
};

FIXTURE_SETUP(bad_calls)
{
	ASSERT_EQ(0, guest_create(&self->g, 0));
	guest_write_programs(&self->g);
	self->v.fd = -1;
	self->page = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->page);
	self->read_only = self->page + 5 * PAGE;
	ASSERT_EQ(0, mprotect(self->page + 4 * PAGE, PAGE, PROT_NONE));
	ASSERT_EQ(0, mprotect(self->read_only, PAGE, PROT_READ));
	self->page += 2 * PAGE;
}

static void leave_state(FIXTURE_DATA(bad_calls) *self)
{
	if (self->running)
		thread_stop(&self->t);
	self->running = false;
	vcpu_destroy(&self->v);
}

FIXTURE_TEARDOWN(bad_calls)
{
	leave_state(self);
	guest_destroy(&self->g);
}

/* A vCPU in any of the six states. */
static int enter_state(FIXTURE_DATA(bad_calls) *self, int state)
{
	bool inside = state == AXVCPU_STATE_RUNNING || state == AXVCPU_STATE_BLOCKED;
	uint64_t entry = state == AXVCPU_STATE_RUNNING ? LOOP : HALT;
	int err;

	leave_state(self);
	self->state = state;
	err = vcpu_create(&self->g, &self->v, 0);
	if (!err && state == AXVCPU_STATE_INVALID)
		unbind_vcpu(self->v.fd);
	if (!err && state >= AXVCPU_STATE_FREE)
		err = vcpu_setup(&self->g, &self->v, inside ? entry : OUTS);
	if (!err && state >= AXVCPU_STATE_READY)
		err = bind_vcpu(self->v.fd, -1);
	if (!err && inside) {
		err = thread_start(&self->t, &self->v, AXVCPU_RUN_WAIT);
		self->running = !err;
		if (!err)
			err = wait_for_state(self->v.fd, state);
	}
	return err ? err : get_failure(self->v.fd, &self->failure);
}

static bool is_unchanged(FIXTURE_DATA(bad_calls) *self)
{
	struct axvcpu_failure f;

	return get_state(self->v.fd) == self->state && !get_failure(self->v.fd, &f) &&
	       f.seq == self->failure.seq && !(self->running && self->t.done);
}

static int fd_of(FIXTURE_DATA(bad_calls) *self, enum kind kind)
{
	const int fds[] = { self->g.dev, self->g.aspace, self->v.fd };

	return fds[kind];
}

/* The call must fail with an error, and must have no effect. */
#define EXPECT_REFUSED(error, call, cmd_, arg_, what)				\
do {										\
	int ret_ = xioctl(fd_of(self, (call)->kind), cmd_, (unsigned long)(arg_)); \
										\
	EXPECT_EQ(error, ret_) TH_LOG("%s: %s, %s", (call)->name, what,		\
				      model_states[self->state]);		\
	if (ret_ >= 0 && (call)->kind == DEVICE)				\
		close(ret_);							\
	EXPECT_TRUE(is_unchanged(self)) TH_LOG("%s: %s, %s: not without effect", \
					       (call)->name, what, model_states[self->state]); \
} while (0)

/* Where time is short, only the states in which locks and checks differ. */
#define FOR_EACH_STATE(state)	\
	for (int state = AXVCPU_STATE_INVALID; state <= AXVCPU_STATE_BLOCKED; \
	     state += guest_is_fast(&self->g) ? 1 : 2)

static void check_pointers(struct __test_metadata *_metadata, FIXTURE_DATA(bad_calls) *self,
			   const struct call *call)
{
	const struct model_ioctl *ioctl = model_find(call->cmd);
	uint8_t *end = self->page + 2 * PAGE;
	size_t size = _IOC_SIZE(call->cmd);
	union guest_arg arg;
	int error = -EFAULT;
	const struct {
		const char *what;
		const void *arg;
	} bad[] = {
		{ "NULL", NULL },
		{ "kernel", (void *)0xffff888000000000UL },
		{ "not canonical", (void *)0x8000000000000000UL },
		{ "last page", (void *)-8UL },
		{ "PROT_NONE", end },
		{ "straddling", end - size + 1 },
		{ "straddling", end - 4 },
		{ "unmapped", (void *)0x10000UL },
	};

	good_arg(&self->g, call->cmd, &arg);
	memcpy(end - size + 1, &arg, size - 1);
	for (int i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_REFUSED(-EFAULT, call, call->cmd, bad[i].arg, bad[i].what);
	}
	memset(end - PAGE, 0, PAGE);

	/* This is found out after the work is done. */
	if (!(_IOC_DIR(call->cmd) & _IOC_READ))
		return;
	if (ioctl && ioctl->busy & 1U << self->state)
		error = -EBUSY;
	else if (call->cmd == AXVCPU_GET_CALL_LOG && !(self->g.info.caps & AXVCPU_CAP_CALL_LOG))
		error = -EOPNOTSUPP;
	EXPECT_REFUSED(error, call, call->cmd, self->read_only, "read-only");
}

/* Copying comes before locks: the same in all states. */
TEST_F(bad_calls, pointers)
{
	FOR_EACH_STATE(state) {
		ASSERT_EQ(0, enter_state(self, state));
		for (int i = 0; i < NR_CALLS; i++) {
			if (_IOC_SIZE(calls[i].cmd))
				check_pointers(_metadata, self, &calls[i]);
		}
	}
}

static unsigned int with_size(unsigned int cmd, size_t size)
{
	return (cmd & ~(_IOC_SIZEMASK << _IOC_SIZESHIFT)) | size << _IOC_SIZESHIFT;
}

static void check_short(struct __test_metadata *_metadata, FIXTURE_DATA(bad_calls) *self,
			const struct call *call)
{
	size_t size = _IOC_SIZE(call->cmd);
	const size_t sizes[] = { 0, 1, size / 2, size - 8, size - 1 };
	union guest_arg arg, before;

	good_arg(&self->g, call->cmd, &arg);
	before = arg;
	for (int i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT_REFUSED(-EINVAL, call, with_size(call->cmd, sizes[i]), &arg, "short");
	}
	EXPECT_EQ(0, memcmp(&before, &arg, sizeof(arg))) TH_LOG("%s writes", call->name);
}

static void check_garbage(struct __test_metadata *_metadata, FIXTURE_DATA(bad_calls) *self,
			  const struct call *call)
{
	const size_t size = _IOC_SIZE(call->cmd);
	const size_t sizes[] = { size + 1, size + 8, size + 100, MAX_SIZE };
	union guest_arg arg;

	good_arg(&self->g, call->cmd, &arg);
	for (int i = 0; i < ARRAY_SIZE(sizes); i++) {
		arg.bytes[sizes[i] - 1] = 1;
		EXPECT_REFUSED(-E2BIG, call, with_size(call->cmd, sizes[i]), &arg, "garbage");
		arg.bytes[sizes[i] - 1] = 0;
	}
}

TEST_F(bad_calls, sizes)
{
	FOR_EACH_STATE(state) {
		ASSERT_EQ(0, enter_state(self, state));
		for (int i = 0; i < NR_CALLS; i++) {
			if (!_IOC_SIZE(calls[i].cmd))
				continue;
			check_short(_metadata, self, &calls[i]);
			if (_IOC_DIR(calls[i].cmd) & _IOC_WRITE)
				check_garbage(_metadata, self, &calls[i]);
		}
	}
}

static bool needs_range(unsigned int cmd)
{
	return cmd == AXVCPU_UNMAP || cmd == AXVCPU_PROTECT || cmd == AXVCPU_GET_DIRTY;
}

/* A later version's struct, of which only the known part is used. */
TEST_F(bad_calls, longer_with_zeros)
{
	static const size_t more[] = { 1, 8, 4096 };

	for (int i = 0; i < NR_CALLS * ARRAY_SIZE(more); i++) {
		const struct call *call = &calls[i / ARRAY_SIZE(more)];
		size_t size = _IOC_SIZE(call->cmd), longer = size + more[i % ARRAY_SIZE(more)];
		union guest_arg arg;
		int fd, first, second;

		if (!size)
			continue;
		for (int round = 0; round < 2; round++) {
			ASSERT_EQ(0, enter_state(self, AXVCPU_STATE_CREATED));
			unmap_memory(self->g.aspace, GUEST_HOLE, PAGE);
			if (needs_range(call->cmd)) {
				ASSERT_EQ(0, map_memory(self->g.aspace, GUEST_HOLE, PAGE,
							self->g.mem, LOGGED));
			}
			good_arg(&self->g, call->cmd, &arg);
			if (!(_IOC_DIR(call->cmd) & _IOC_WRITE))
				memset(&arg, 0xaa, sizeof(arg));
			fd = fd_of(self, call->kind);
			if (!round) {
				first = XIOCTL(fd, call->cmd, &arg);
				if (first > 0)
					close(first);
				continue;
			}
			second = XIOCTL(fd, with_size(call->cmd, longer), &arg);
			if (second > 0)
				close(second);
		}
		EXPECT_EQ(first < 0 ? first : 0, second < 0 ? second : 0)
			TH_LOG("%s longer by %zu", call->name, longer - size);
		if (second < 0 || !(_IOC_DIR(call->cmd) & _IOC_READ))
			continue;
		for (size_t j = size; j < longer; j++) {
			ASSERT_EQ(0, arg.bytes[j]) TH_LOG("%s: byte %zu", call->name, j);
		}
	}
}

static int semantic_error(const struct call *call, int state)
{
	const struct model_ioctl *ioctl = model_find(call->cmd);

	if (ioctl && ioctl->busy & 1U << state)
		return -EBUSY;
	if (ioctl && ioctl->bad & 1U << state)
		return -EBADFD;
	return -EINVAL;
}

/* Would wait for the other thread's RUN. */
static bool waits(const struct call *call, int state)
{
	const struct model_ioctl *ioctl = model_find(call->cmd);

	return ioctl && ioctl->lock == MODEL_LOCK_WAIT && state >= AXVCPU_STATE_RUNNING;
}

static void check_fields(struct __test_metadata *_metadata, FIXTURE_DATA(bad_calls) *self,
			 const struct call *call)
{
	int error = semantic_error(call, self->state);
	union guest_arg arg, before;
	char what[64];

	for (const struct field *f = call->fields; f->size; f++) {
		for (int bit = 0; bit < f->size * 8; bit += guest_is_fast(&self->g) ? 1 : 5) {
			if (f->size <= 8 && f->known & 1ULL << bit)
				continue;
			good_arg(&self->g, call->cmd, &arg);
			arg.bytes[f->offset + bit / 8] ^= 1 << bit % 8;
			before = arg;
			snprintf(what, sizeof(what), "offset %zu, bit %d", f->offset, bit);
			EXPECT_REFUSED(error, call, call->cmd, &arg, what);
			EXPECT_EQ(0, memcmp(&before, &arg, sizeof(arg)))
				TH_LOG("%s writes", call->name);
			if (_metadata->exit_code)
				return;
		}
	}
}

/* Each unknown flag and each bit of each reserved field. */
TEST_F(bad_calls, fields)
{
	FOR_EACH_STATE(state) {
		ASSERT_EQ(0, enter_state(self, state));
		for (int i = 0; i < NR_CALLS; i++) {
			if (!waits(&calls[i], state))
				check_fields(_metadata, self, &calls[i]);
		}
	}
}

static uint64_t known_flags(unsigned int cmd)
{
	switch (cmd) {
	case AXVCPU_RUN:
		return AXVCPU_RUN_WAIT | AXVCPU_RUN_NOWAIT | AXVCPU_RUN_EXIT_HLT_IF0;
	case AXVCPU_RESET:
		return AXVCPU_RESET_KEEP_MACHINE;
	case AXVCPU_RESTORE_STATE:
		return AXVCPU_RESTORE_TIME;
	}
	return 0;
}

/* Those without a struct take nothing, or known flags. */
TEST_F(bad_calls, integers)
{
	FOR_EACH_STATE(state) {
		ASSERT_EQ(0, enter_state(self, state));
		for (int i = 0; i < NR_CALLS; i++) {
			if (_IOC_SIZE(calls[i].cmd))
				continue;
			for (int bit = 0; bit < 64; bit++) {
				if (known_flags(calls[i].cmd) >> bit & 1)
					continue;
				EXPECT_REFUSED(-EINVAL, &calls[i], calls[i].cmd, 1UL << bit, "bit");
			}
			EXPECT_REFUSED(-ENOTTY, &calls[i], with_size(calls[i].cmd, 8), 0, "size");
		}
	}
}

/* Not one of ours: another number, type, or direction. */
TEST_F(bad_calls, unknown_commands)
{
	union guest_arg arg;

	FOR_EACH_STATE(state) {
		ASSERT_EQ(0, enter_state(self, state));
		for (int i = 0; i < NR_CALLS; i++) {
			const struct call *call = &calls[i];
			unsigned int cmd = call->cmd;

			good_arg(&self->g, cmd, &arg);
			for (unsigned int dir = 0; dir < 4; dir++) {
				unsigned int wrong = _IOC(dir, _IOC_TYPE(cmd), _IOC_NR(cmd),
							  _IOC_SIZE(cmd));

				if (wrong == cmd)
					continue;
				EXPECT_REFUSED(-ENOTTY, call, wrong, &arg, "direction");
			}
			EXPECT_REFUSED(-ENOTTY, call,
				       _IOC(_IOC_DIR(cmd), 0xae, _IOC_NR(cmd), _IOC_SIZE(cmd)),
				       &arg, "type");
		}
	}
	for (unsigned int nr = 0; nr < 256; nr += guest_is_fast(&self->g) ? 1 : 3) {
		bool known = false;

		for (int i = 0; i < NR_CALLS; i++)
			known |= _IOC_NR(calls[i].cmd) == nr;
		for (int kind = DEVICE; kind < NR_KINDS && !known; kind++) {
			const struct call call = { "unknown", kind };

			for (unsigned int dir = 0; dir < 4; dir++) {
				EXPECT_REFUSED(-ENOTTY, &call, _IOC(dir, AXVCPU_IOC_MAGIC, nr, 64),
					       &arg, "number");
			}
		}
	}
}

TEST_F(bad_calls, wrong_kind_of_descriptor)
{
	int null = open("/dev/null", O_RDWR), closed = dup2(null, 500);
	union guest_arg arg;

	ASSERT_LE(0, closed);
	close(closed);
	ASSERT_EQ(0, enter_state(self, AXVCPU_STATE_READY));
	for (int i = 0; i < NR_CALLS; i++) {
		good_arg(&self->g, calls[i].cmd, &arg);
		for (int kind = DEVICE; kind < NR_KINDS; kind++) {
			if (kind == calls[i].kind)
				continue;
			EXPECT_EQ(-ENOTTY, XIOCTL(fd_of(self, kind), calls[i].cmd, &arg))
				TH_LOG("%s on %s", calls[i].name, kinds[kind]);
		}
		EXPECT_EQ(-ENOTTY, XIOCTL(null, calls[i].cmd, &arg));
		EXPECT_EQ(-EBADF, XIOCTL(closed, calls[i].cmd, &arg));
		EXPECT_EQ(-EBADF, XIOCTL(-1, calls[i].cmd, &arg));
	}
	EXPECT_TRUE(is_unchanged(self));
	close(null);
}

/* Nothing of the kernel's stack comes out: no byte is left as it was. */
TEST_F(bad_calls, results_are_defined)
{
	union guest_arg a, b;

	for (int state = AXVCPU_STATE_INVALID; state <= AXVCPU_STATE_READY; state++) {
		ASSERT_EQ(0, enter_state(self, state));
		if (state == AXVCPU_STATE_READY) {
			ASSERT_EQ(0, run_vcpu(self->v.fd, 0));
		}
		for (int i = 0; i < NR_CALLS; i++) {
			size_t size = _IOC_SIZE(calls[i].cmd);

			if (_IOC_DIR(calls[i].cmd) != _IOC_READ)
				continue;
			memset(&a, 0xaa, sizeof(a));
			memset(&b, 0x55, sizeof(b));
			ASSERT_EQ(0, XIOCTL(fd_of(self, calls[i].kind), calls[i].cmd, &a));
			ASSERT_EQ(0, XIOCTL(fd_of(self, calls[i].kind), calls[i].cmd, &b));
			/* A time, measured by a clock that runs. */
			if (calls[i].cmd == AXVCPU_GET_STATS)
				a.stats.guest_ns = b.stats.guest_ns;
			EXPECT_EQ(0, memcmp(&a, &b, size)) TH_LOG("%s", calls[i].name);
			EXPECT_EQ(0xaa, a.bytes[size]) TH_LOG("%s", calls[i].name);
		}
	}
}

static uint64_t counter(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	uint64_t value;

	asm volatile("isb\n mrs %0, cntvct_el0" : "=r" (value));
	return value;
#endif
}

/* The counter and the clock at one time: nothing comes between for long. */
static void read_both(uint64_t *ticks, int64_t *ns)
{
	int64_t before;

	do {
		before = now_ns();
		*ticks = counter();
		*ns = now_ns();
	} while (*ns - before > 200000);
}

static uint64_t measured_hz(void)
{
	uint64_t ticks[2];
	int64_t ns[2];

	read_both(&ticks[0], &ns[0]);
	sleep_ns(40000000);
	read_both(&ticks[1], &ns[1]);
	return (ticks[1] - ticks[0]) * 1000000000.0 / (ns[1] - ns[0]);
}

TEST_F(bad_calls, counter)
{
	uint64_t hz = self->g.info.counter_hz, measured = measured_hz();

	if (self->g.info.backend == AXVCPU_BACKEND_MOCK) {
		EXPECT_EQ(0, hz);
		return;
	}
	EXPECT_LE(measured / 100 * 97, hz);
	EXPECT_GE(measured / 100 * 103, hz);
}

TEST_F(bad_calls, info)
{
	struct axvcpu_info *info = &self->g.info;

	EXPECT_EQ(AXVCPU_ABI_VERSION, info->abi_version);
	EXPECT_EQ(AXVCPU_ABI_OLDEST, info->abi_oldest);
	EXPECT_LE(AXVCPU_BACKEND_MOCK, info->backend);
	EXPECT_GE(AXVCPU_BACKEND_VHE, info->backend);
	EXPECT_LE(32, info->gpa_bits);
	EXPECT_GE(57, info->gpa_bits);
	EXPECT_EQ(sysconf(_SC_PAGESIZE), info->run_size);
	EXPECT_LE(sizeof(struct axvcpu_run), info->run_size);
	EXPECT_EQ(AXVCPU_MAX_REGS, info->max_regs);
	EXPECT_TRUE(info->page_sizes & sysconf(_SC_PAGESIZE));
	EXPECT_EQ(0, info->name[sizeof(info->name) - 1]);
	EXPECT_LT(0, strlen((char *)info->name));
	for (int i = 0; i < ARRAY_SIZE(info->reserved); i++) {
		EXPECT_EQ(0, info->reserved[i]);
	}
}

static int create(FIXTURE_DATA(bad_calls) *self, const struct axvcpu_create_vcpu *args)
{
	int fd = XIOCTL(self->g.dev, AXVCPU_CREATE_VCPU, args);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

TEST_F(bad_calls, create_vcpu)
{
	static uint64_t set[MAX_PAGE / 8 + 1], none[4], beyond[4] = { 0, 0, 0, 1ULL << 63 };
	const struct {
		int err;
		const char *what;
		struct axvcpu_create_vcpu args;
	} rows[] = {
#define SET(ptr, len)	.phys_cpu_set = (uintptr_t)(ptr), .phys_cpu_set_len = (len)
		{ 0, "id", { .vcpu_id = AXVCPU_VCPU_ID_MAX, .favor_phys_cpu = -1 } },
		{ -EINVAL, "id + 1", { .vcpu_id = AXVCPU_VCPU_ID_MAX + 1, .favor_phys_cpu = -1 } },
		{ -EINVAL, "id -1", { .vcpu_id = -1, .favor_phys_cpu = -1 } },
		{ -EINVAL, "id 2^31", { .vcpu_id = 1U << 31, .favor_phys_cpu = -1 } },
		{ 0, "vm", { .vm_id = -1, .favor_phys_cpu = -1 } },
		{ 0, "favor", { .favor_phys_cpu = 0 } },
		{ -EINVAL, "favor -2", { .favor_phys_cpu = -2 } },
		{ -EINVAL, "favor 2^30", { .favor_phys_cpu = 1 << 30 } },
		{ 0, "set", { .favor_phys_cpu = -1, SET(set, 8) } },
		{ 0, "long set", { .favor_phys_cpu = -1, SET(set, PAGE) } },
		{ 0, "favor in set", { .favor_phys_cpu = 0, SET(set, 8) } },
		{ -EINVAL, "odd length", { .favor_phys_cpu = -1, SET(set, 7) } },
		{ -EINVAL, "odd length", { .favor_phys_cpu = -1, SET(set, 12) } },
		{ -EINVAL, "no length", { .favor_phys_cpu = -1, SET(set, 0) } },
		{ -EINVAL, "no set", { .favor_phys_cpu = -1, SET(NULL, 8) } },
		{ -EINVAL, "empty set", { .favor_phys_cpu = -1, SET(none, 32) } },
		{ -EINVAL, "no such CPU", { .favor_phys_cpu = -1, SET(beyond, 32) } },
		{ -EINVAL, "favor not in set", { .favor_phys_cpu = 0, SET(beyond, 32) } },
		{ -E2BIG, "too long", { .favor_phys_cpu = -1, SET(set, PAGE + 8) } },
		{ -E2BIG, "far too long", { .favor_phys_cpu = -1, SET(set, -8U) } },
		{ -EFAULT, "bad set", { .favor_phys_cpu = -1, SET(8, 8) } },
		{ -EFAULT, "kernel set", { .favor_phys_cpu = -1, SET(0xffff888000000000, 8) } },
#undef SET
	};

	set[0] = 1;
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_EQ(rows[i].err, create(self, &rows[i].args)) TH_LOG("%s", rows[i].what);
	}
}

TEST_F(bad_calls, vcpu_info)
{
	uint64_t set = 1, got[4];
	struct axvcpu_create_vcpu args = {
		.vm_id = 77,
		.vcpu_id = 3,
		.favor_phys_cpu = 0,
		.phys_cpu_set = (uintptr_t)&set,
		.phys_cpu_set_len = sizeof(set),
	};
	struct axvcpu_vcpu_info info = {
		.phys_cpu_set = (uintptr_t)got,
		.phys_cpu_set_len = sizeof(got),
	};
	int fd = XIOCTL(self->g.dev, AXVCPU_CREATE_VCPU, &args);

	ASSERT_LE(0, fd);
	memset(got, 0xaa, sizeof(got));
	ASSERT_EQ(0, XIOCTL(fd, AXVCPU_GET_VCPU_INFO, &info));
	EXPECT_EQ(77, info.vm_id);
	EXPECT_EQ(3, info.vcpu_id);
	EXPECT_EQ(0, info.favor_phys_cpu);
	EXPECT_EQ(-1, info.bound_cpu);
	EXPECT_EQ(-1, info.last_cpu);
	EXPECT_EQ(0, info.is_bsp);
	EXPECT_EQ(1, got[0]);
	EXPECT_EQ(0, got[1] | got[2] | got[3]);

	info.phys_cpu_set_len = 12;
	EXPECT_EQ(-EINVAL, XIOCTL(fd, AXVCPU_GET_VCPU_INFO, &info));
	info.phys_cpu_set_len = 0;
	EXPECT_EQ(-EINVAL, XIOCTL(fd, AXVCPU_GET_VCPU_INFO, &info));
	info.phys_cpu_set_len = PAGE + 8;
	EXPECT_EQ(-E2BIG, XIOCTL(fd, AXVCPU_GET_VCPU_INFO, &info));
	info.phys_cpu_set_len = 8;
	info.phys_cpu_set = (uintptr_t)self->read_only;
	EXPECT_EQ(-EFAULT, XIOCTL(fd, AXVCPU_GET_VCPU_INFO, &info));
	info.phys_cpu_set = 0;
	info.phys_cpu_set_len = 0;
	EXPECT_EQ(0, XIOCTL(fd, AXVCPU_GET_VCPU_INFO, &info));
	close(fd);
}

TEST_F(bad_calls, setup_arguments)
{
	struct axvcpu_setup s;

#define EXPECT_SETUP(err, ...)							\
do {										\
	setup_init(&self->g, &s, OUTS);						\
	__VA_ARGS__;								\
	EXPECT_EQ(err, XIOCTL(self->v.fd, AXVCPU_SETUP, &s));			\
	EXPECT_TRUE(is_unchanged(self));					\
} while (0)

	for (int state = AXVCPU_STATE_INVALID; state <= AXVCPU_STATE_READY; state++) {
		ASSERT_EQ(0, enter_state(self, state));
		EXPECT_SETUP(-EINVAL, s.raw_root = PAGE);
		EXPECT_SETUP(-EINVAL, s.flags = AXVCPU_SETUP_RAW_ROOT);
		EXPECT_SETUP(-EPERM, s.flags = AXVCPU_SETUP_RAW_ROOT; s.aspace_fd = -1);
		EXPECT_SETUP(-EINVAL, s.flags = AXVCPU_SETUP_STEPPED; s.aspace_fd = -1);
		EXPECT_SETUP(-EINVAL, s.flags = AXVCPU_SETUP_STEPPED; s.entry = 0);
		EXPECT_SETUP(-EINVAL, s.flags = AXVCPU_SETUP_STEPPED | AXVCPU_SETUP_RAW_ROOT;
			     s.aspace_fd = -1; s.entry = 0);
	}
#undef EXPECT_SETUP
}

TEST_F(bad_calls, bind)
{
	static const int cpus[] = { -2, 1 << 30, (int)(1U << 31), 4096 };

	for (int state = AXVCPU_STATE_INVALID; state <= AXVCPU_STATE_READY; state++) {
		ASSERT_EQ(0, enter_state(self, state));
		for (int i = 0; i < ARRAY_SIZE(cpus); i++) {
			EXPECT_EQ(-EINVAL, bind_vcpu(self->v.fd, cpus[i])) TH_LOG("%d", cpus[i]);
			EXPECT_TRUE(is_unchanged(self));
		}
	}
}

static int regs_call(int fd, unsigned int cmd, const void *regs, uint32_t count)
{
	struct axvcpu_regs args = { .regs = (uintptr_t)regs, .count = count };

	return XIOCTL(fd, cmd, &args);
}

/* The record tells which one it was, and nothing else has happened. */
#define EXPECT_REFUSED_REG(op_, reg_)						\
do {										\
	uint64_t seq_ = self->failure.seq;					\
										\
	ASSERT_EQ(0, get_failure(self->v.fd, &self->failure));			\
	EXPECT_EQ(seq_ + 1, self->failure.seq);					\
	EXPECT_EQ(op_, self->failure.op);					\
	EXPECT_EQ(AXVCPU_STATE_FREE, self->failure.actual);			\
	EXPECT_EQ(-EINVAL, self->failure.error);				\
	EXPECT_EQ(reg_, self->failure.reg);					\
	EXPECT_EQ(0, self->failure.arch_code);					\
	EXPECT_EQ(AXVCPU_STATE_FREE, get_state(self->v.fd));			\
} while (0)

TEST_F(bad_calls, registers)
{
	const struct guest_isa *isa = self->g.isa;
	const uint64_t bad_ids[] = {
		0, 1, 0xffff, ~0ULL, 1ULL << 63, isa->no_reg, 0x9fffff, 0x90001f, 0x5000000000ULL,
	};
	struct axvcpu_reg regs[AXVCPU_MAX_REGS + 1] = {};
	uint64_t good = isa->reg_id(isa->gpr[G0]), value;
	uint8_t *end = self->page + 2 * PAGE;
	static const unsigned int cmds[] = { AXVCPU_GET_REGS, AXVCPU_SET_REGS };

	for (int i = 0; i < ARRAY_SIZE(regs); i++)
		regs[i].id = good;
	ASSERT_EQ(0, enter_state(self, AXVCPU_STATE_FREE));
	for (int i = 0; i < ARRAY_SIZE(cmds); i++) {
		EXPECT_EQ(-EINVAL, regs_call(self->v.fd, cmds[i], regs, 0));
		EXPECT_EQ(0, regs_call(self->v.fd, cmds[i], regs, 1));
		EXPECT_EQ(0, regs_call(self->v.fd, cmds[i], regs, AXVCPU_MAX_REGS));
		EXPECT_EQ(-E2BIG, regs_call(self->v.fd, cmds[i], regs, AXVCPU_MAX_REGS + 1));
		EXPECT_EQ(-E2BIG, regs_call(self->v.fd, cmds[i], regs, 1U << 28));
		EXPECT_EQ(-E2BIG, regs_call(self->v.fd, cmds[i], regs, -1U));
		EXPECT_EQ(-EFAULT, regs_call(self->v.fd, cmds[i], NULL, 1));
		EXPECT_EQ(-EFAULT, regs_call(self->v.fd, cmds[i], (void *)0xffff888000000000UL, 1));
		EXPECT_EQ(-EFAULT, regs_call(self->v.fd, cmds[i], end, 1));
		EXPECT_EQ(-EFAULT, regs_call(self->v.fd, cmds[i], end - 16, 2));
		/* The id is there, its value is not. */
		memcpy(end - 8, &good, 8);
		EXPECT_EQ(-EFAULT, regs_call(self->v.fd, cmds[i], end - 8, 1));
	}
	EXPECT_TRUE(is_unchanged(self));
	/* Zeros, and zero is no register. */
	EXPECT_EQ(-EINVAL, regs_call(self->v.fd, AXVCPU_GET_REGS, self->read_only, 1));
	EXPECT_REFUSED_REG(AXVCPU_OP_GET_REGS, 0);

	for (int i = 0; i < ARRAY_SIZE(bad_ids); i++) {
		struct axvcpu_reg pair[2] = { { good, 0xdead }, { bad_ids[i], 1 } };

		ASSERT_EQ(0, set_reg(self->v.fd, good, 42));
		EXPECT_EQ(-EINVAL, regs_call(self->v.fd, AXVCPU_SET_REGS, pair, 2))
			TH_LOG("%llx", (unsigned long long)bad_ids[i]);
		EXPECT_REFUSED_REG(AXVCPU_OP_SET_REGS, bad_ids[i]);
		ASSERT_EQ(0, get_reg(self->v.fd, good, &value));
		EXPECT_EQ(42, value);
		EXPECT_EQ(-EINVAL, regs_call(self->v.fd, AXVCPU_GET_REGS, pair, 2));
		EXPECT_REFUSED_REG(AXVCPU_OP_GET_REGS, bad_ids[i]);
		EXPECT_EQ(0xdead, pair[0].value);
	}
}

static volatile bool stop_flipping;

static void *flip(void *arg)
{
	volatile struct axvcpu_regs *args = arg;

	while (!stop_flipping) {
		args->count = 1;
		args->count = AXVCPU_MAX_REGS;
		args->count = -1U;
		args->regs ^= 1UL << 62;
	}
	return NULL;
}

/* What the kernel has checked is what it uses. */
TEST_F(bad_calls, double_fetch)
{
	static struct axvcpu_reg regs[AXVCPU_MAX_REGS];
	struct axvcpu_regs args = { .regs = (uintptr_t)regs, .count = 1 };
	int rounds = guest_is_fast(&self->g) ? 20000 : 2000;
	int seen[3] = { 0 };
	pthread_t flipper;

	for (int i = 0; i < AXVCPU_MAX_REGS; i++)
		regs[i].id = self->g.isa->reg_id(self->g.isa->gpr[G0]);
	ASSERT_EQ(0, enter_state(self, AXVCPU_STATE_FREE));
	ASSERT_EQ(0, pthread_create(&flipper, NULL, flip, &args));
	for (int i = 0; i < rounds; i++) {
		int err = XIOCTL(self->v.fd, i % 2 ? AXVCPU_GET_REGS : AXVCPU_SET_REGS, &args);

		if (err && err != -E2BIG && err != -EFAULT)
			seen[2]++;
		else
			seen[!err]++;
	}
	stop_flipping = true;
	pthread_join(flipper, NULL);
	EXPECT_EQ(0, seen[2]);
	EXPECT_TRUE(is_unchanged(self));
}

static int inject(int fd, uint32_t type, uint32_t vector, uint32_t flags, uint32_t code,
		  uint32_t priority)
{
	struct axvcpu_inject args = {
		.type = type,
		.vector = vector,
		.flags = flags,
		.error_code = code,
		.priority = priority,
	};

	return XIOCTL(fd, AXVCPU_INJECT, &args);
}

TEST_F(bad_calls, inject)
{
	const struct guest_isa *isa = self->g.isa;

	ASSERT_EQ(0, enter_state(self, AXVCPU_STATE_READY));
	EXPECT_EQ(0, inject(self->v.fd, AXVCPU_EVENT_INTERRUPT, isa->max_vector, 0, 0, 0));
	EXPECT_EQ(-EINVAL, inject(self->v.fd, AXVCPU_EVENT_INTERRUPT, isa->max_vector + 1, 0, 0,
				  0));
	EXPECT_EQ(-EINVAL, inject(self->v.fd, AXVCPU_EVENT_INTERRUPT, -1, 0, 0, 0));
	EXPECT_EQ(-EINVAL, inject(self->v.fd, AXVCPU_EVENT_INTERRUPT, 32,
				  AXVCPU_INJECT_ERROR_CODE, 0, 0));
	EXPECT_EQ(-EINVAL, inject(self->v.fd, AXVCPU_EVENT_INTERRUPT, 32, 0, 0, 1));
	EXPECT_EQ(isa->priority ? 0 : -EINVAL, inject(self->v.fd, AXVCPU_EVENT_INTERRUPT, 32,
						      AXVCPU_INJECT_PRIORITY, 0, 0));
	EXPECT_EQ(-EINVAL, inject(self->v.fd, AXVCPU_EVENT_INTERRUPT, 32, AXVCPU_INJECT_PRIORITY,
				  0, 0x100));
	EXPECT_EQ(-EINVAL, inject(self->v.fd, AXVCPU_EVENT_INTERRUPT, 32,
				  AXVCPU_INJECT_PRIORITY << 1, 0, 0));
	EXPECT_EQ(-EINVAL, inject(self->v.fd, AXVCPU_EVENT_EXCEPTION, isa->exceptions[0],
				  AXVCPU_INJECT_ERROR_CODE | AXVCPU_INJECT_PRIORITY, 0, 0));
	EXPECT_EQ(-EINVAL, inject(self->v.fd, AXVCPU_EVENT_EXCEPTION, isa->max_exception + 1, 0, 0,
				  0));
	EXPECT_EQ(-EINVAL, inject(self->v.fd, AXVCPU_EVENT_NMI + 1, 32, 0, 0, 0));
	EXPECT_EQ(-EINVAL, inject(self->v.fd, -1, 32, 0, 0, 0));
	EXPECT_EQ(0, inject(self->v.fd, AXVCPU_EVENT_EXCEPTION, isa->exceptions[0],
			    AXVCPU_INJECT_ERROR_CODE, 0, 0));
	EXPECT_EQ(-EBUSY, inject(self->v.fd, AXVCPU_EVENT_EXCEPTION, isa->exceptions[0],
				 AXVCPU_INJECT_ERROR_CODE, 0, 0));
	EXPECT_TRUE(is_unchanged(self));
}

TEST_F(bad_calls, history)
{
	struct axvcpu_history args = { .entries = 8, .count = 1 };

	ASSERT_EQ(0, enter_state(self, AXVCPU_STATE_FREE));
	EXPECT_EQ(-EFAULT, XIOCTL(self->v.fd, AXVCPU_GET_HISTORY, &args));
	EXPECT_EQ(1, args.count);
	args.entries = (uintptr_t)self->page;
	args.count = -1U;
	EXPECT_EQ(0, XIOCTL(self->v.fd, AXVCPU_GET_HISTORY, &args));
	EXPECT_EQ(1, args.count);
	EXPECT_TRUE(is_unchanged(self));
}

/* The run page: one page, shared, at offset 0, never executable. */
TEST_F(bad_calls, run_page)
{
	const int rw = PROT_READ | PROT_WRITE;
	void *page;

	ASSERT_EQ(0, enter_state(self, AXVCPU_STATE_READY));
#define EXPECT_MMAP(err, size, prot, flags, fd, offset)			\
do {									\
	page = mmap(NULL, size, prot, flags, fd, offset);		\
	EXPECT_EQ(MAP_FAILED, page);					\
	EXPECT_EQ(err, errno);						\
} while (0)
	EXPECT_MMAP(EINVAL, PAGE, rw, MAP_SHARED, self->v.fd, PAGE);
	EXPECT_MMAP(EINVAL, 2 * PAGE, rw, MAP_SHARED, self->v.fd, 0);
	EXPECT_MMAP(EINVAL, PAGE, rw, MAP_PRIVATE, self->v.fd, 0);
	EXPECT_MMAP(EINVAL, PAGE, rw | PROT_EXEC, MAP_SHARED, self->v.fd, 0);
	EXPECT_MMAP(ENODEV, PAGE, rw, MAP_SHARED, self->g.aspace, 0);
	EXPECT_MMAP(ENODEV, PAGE, rw, MAP_SHARED, self->g.dev, 0);
#undef EXPECT_MMAP
	page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->v.fd, 0);
	ASSERT_NE(MAP_FAILED, page);
	EXPECT_EQ(-1, mprotect(page, PAGE, PROT_READ | PROT_EXEC));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(MAP_FAILED, mremap(page, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	EXPECT_EQ(0, memcmp(page, self->v.run, PAGE));
	EXPECT_EQ(0, munmap(page, PAGE));
}

/* These descriptors are for ioctl() and mmap() only. */
TEST_F(bad_calls, other_operations)
{
	char byte = 0;

	ASSERT_EQ(0, enter_state(self, AXVCPU_STATE_READY));
	for (int kind = DEVICE; kind < NR_KINDS; kind++) {
		int fd = fd_of(self, kind);

		EXPECT_EQ(-1, read(fd, &byte, 1));
		EXPECT_EQ(EINVAL, errno) TH_LOG("read %s", kinds[kind]);
		EXPECT_EQ(-1, write(fd, &byte, 1));
		EXPECT_EQ(EINVAL, errno) TH_LOG("write %s", kinds[kind]);
		EXPECT_EQ(-1, ftruncate(fd, 1));
		EXPECT_EQ(-1, fallocate(fd, 0, 0, 1));
		EXPECT_EQ(0, lseek(fd, 0, SEEK_CUR));
		EXPECT_EQ(FD_CLOEXEC, kind == DEVICE ? FD_CLOEXEC : fcntl(fd, F_GETFD));
	}
	EXPECT_TRUE(is_unchanged(self));
}

static int open_as_nobody(void)
{
	int status, pid = fork();

	if (!pid) {
		if (setgroups(0, NULL) || setgid(65534) || setuid(65534))
			_exit(255);
		_exit(open(GUEST_DEVICE, O_RDWR) < 0 ? errno : 0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(bad_calls, device_is_not_for_everyone)
{
	EXPECT_EQ(EACCES, open_as_nobody());
}

TEST_HARNESS_MAIN

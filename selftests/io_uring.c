// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our descriptors in the hands of io_uring and AIO: nothing can be done with
 * them there, and what they stand for ends when the last reference goes, from
 * whichever thread of the kernel.
 */
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"

#define ENTRIES		8
#define NR_KINDS	3

/* A ring with its mappings; the completion queue is in the same one as the submission queue. */
struct ring {
	int fd;
	struct io_uring_params params;
	uint8_t *queues;
	size_t size;
	struct io_uring_sqe *sqes;
};

FIXTURE(io_uring) {
	struct guest g;
	struct guest_vcpu v;
	struct ring r;
	int refs;		/* to the module, by all descriptors of the test */
};

static int module_refs(const struct guest *g)
{
	bool mock = g->info.backend == AXVCPU_BACKEND_MOCK;
	char path[64];
	int refs = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", mock ? "axvcpu_mock" : "axvcpu");
	file = fopen(path, "re");
	if (file && fscanf(file, "%d", &refs) != 1)
		refs = -1;
	if (file)
		fclose(file);
	return refs;
}

/* The last reference may go in a thread of the kernel: soon, not at once. */
static int wait_for_refs(const struct guest *g, int refs)
{
	unsigned long long end = now_ns() + PATIENCE_NS;

	while (module_refs(g) != refs && now_ns() < end)
		sleep_ns(1000000);
	return module_refs(g);
}

static int ring_create(struct ring *r)
{
	memset(r, 0, sizeof(*r));
	r->fd = syscall(SYS_io_uring_setup, ENTRIES, &r->params);
	if (r->fd < 0)
		return -errno;
	if (!(r->params.features & IORING_FEAT_SINGLE_MMAP))
		return -ENOTSUP;
	r->size = r->params.cq_off.cqes + r->params.cq_entries * sizeof(struct io_uring_cqe);
	r->queues = mmap(NULL, r->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r->fd,
			 IORING_OFF_SQ_RING);
	r->sqes = mmap(NULL, ENTRIES * sizeof(*r->sqes), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_POPULATE, r->fd, IORING_OFF_SQES);
	return r->queues == MAP_FAILED || r->sqes == MAP_FAILED ? -errno : 0;
}

static void ring_destroy(struct ring *r)
{
	if (r->fd < 0)
		return;
	munmap(r->queues, r->size);
	munmap(r->sqes, ENTRIES * sizeof(*r->sqes));
	close(r->fd);
	r->fd = -1;
}

static uint32_t *queue_word(struct ring *r, uint32_t offset)
{
	return (uint32_t *)(r->queues + offset);
}

/* One operation to its end; its result, or the negative errno of the ring. */
static int ring_do(struct ring *r, const struct io_uring_sqe *sqe)
{
	uint32_t *tail = queue_word(r, r->params.sq_off.tail);
	uint32_t *head = queue_word(r, r->params.cq_off.head);
	uint32_t *array = queue_word(r, r->params.sq_off.array);
	struct io_uring_cqe *cqes = (void *)queue_word(r, r->params.cq_off.cqes);
	uint32_t at = *tail % ENTRIES, done = *head;

	r->sqes[at] = *sqe;
	array[at] = at;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, r->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return -errno;
	__atomic_store_n(head, done + 1, __ATOMIC_RELEASE);
	return cqes[done % r->params.cq_entries].res;
}

static int ring_close(struct ring *r, int fd, int flags)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_CLOSE, .fd = fd, .flags = flags };

	return ring_do(r, &sqe);
}

static int ring_register(struct ring *r, const int *fds, int n)
{
	return syscall(SYS_io_uring_register, r->fd, IORING_REGISTER_FILES, fds, n) ? -errno : 0;
}

FIXTURE_SETUP(io_uring)
{
	self->v.fd = -1;
	ASSERT_EQ(0, guest_create(&self->g, 0));
	ASSERT_EQ(0, ring_create(&self->r));
	guest_write_programs(&self->g);
	ASSERT_EQ(0, vcpu_start(&self->g, &self->v, 0, OUTS));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	self->refs = module_refs(&self->g);
	ASSERT_LE(NR_KINDS, self->refs);
}

FIXTURE_TEARDOWN(io_uring)
{
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
	ring_destroy(&self->r);
	EXPECT_EQ(0, wait_for_refs(&self->g, 0));
}

static void descriptors(FIXTURE_DATA(io_uring) *self, int *fds)
{
	fds[0] = self->g.dev;
	fds[1] = self->g.aspace;
	fds[2] = self->v.fd;
}

/* Reading, writing, commands: not with any of the descriptors, also not from a worker. */
TEST_F(io_uring, operations)
{
	static char buf[64];
	static const struct {
		uint8_t opcode;
		int res;
	} rows[] = {
		{ IORING_OP_READ, -EINVAL },
		{ IORING_OP_WRITE, -EINVAL },
		{ IORING_OP_FSYNC, -EINVAL },
		{ IORING_OP_FALLOCATE, -ENODEV },
		{ IORING_OP_URING_CMD, -EOPNOTSUPP },
		{ IORING_OP_ACCEPT, -ENOTSOCK },
	};
	struct io_uring_sqe sqe;
	int fds[NR_KINDS];

	descriptors(self, fds);
	for (int i = 0; i < ARRAY_SIZE(rows) * NR_KINDS * 2; i++) {
		int row = i / 2 / NR_KINDS, kind = i / 2 % NR_KINDS;

		memset(&sqe, 0, sizeof(sqe));
		sqe.opcode = rows[row].opcode;
		sqe.fd = fds[kind];
		sqe.flags = i & 1 ? IOSQE_ASYNC : 0;
		if (sqe.opcode == IORING_OP_READ || sqe.opcode == IORING_OP_WRITE) {
			sqe.addr = (uintptr_t)buf;
			sqe.len = sizeof(buf);
		} else if (sqe.opcode == IORING_OP_FALLOCATE) {
			sqe.addr = sizeof(buf);
		} else if (sqe.opcode == IORING_OP_URING_CMD) {
			sqe.cmd_op = AXVCPU_KICK;
		}
		EXPECT_EQ(rows[row].res, ring_do(&self->r, &sqe))
			TH_LOG("operation %u, descriptor %d, flags %u", sqe.opcode, kind,
			       sqe.flags);
	}
	EXPECT_EQ(AXVCPU_STATE_READY, get_state(self->v.fd));
	/* The kick did not come through. */
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	EXPECT_EQ(self->refs, wait_for_refs(&self->g, self->refs));
}

/* There is nothing to wait for: they are ready at once, as for poll(). */
TEST_F(io_uring, poll)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_POLL_ADD, .poll32_events = POLLIN };
	int fds[NR_KINDS];

	descriptors(self, fds);
	for (int i = 0; i < NR_KINDS; i++) {
		sqe.fd = fds[i];
		EXPECT_EQ(POLLIN, ring_do(&self->r, &sqe));
	}
	EXPECT_EQ(self->refs, wait_for_refs(&self->g, self->refs));
}

TEST_F(io_uring, aio)
{
	static const uint16_t opcodes[] = { IOCB_CMD_PREAD, IOCB_CMD_PWRITE, IOCB_CMD_FSYNC };
	static char buf[64];
	aio_context_t context = 0;
	int fds[NR_KINDS];

	ASSERT_EQ(0, syscall(SYS_io_setup, 4, &context));
	descriptors(self, fds);
	for (int i = 0; i < ARRAY_SIZE(opcodes) * NR_KINDS; i++) {
		struct iocb iocb = {
			.aio_lio_opcode = opcodes[i / NR_KINDS],
			.aio_fildes = fds[i % NR_KINDS],
			.aio_buf = (uintptr_t)buf,
			.aio_nbytes = opcodes[i / NR_KINDS] > IOCB_CMD_PWRITE ? 0 : sizeof(buf),
		}, *list = &iocb;
		int ret = syscall(SYS_io_submit, context, 1, &list);

		EXPECT_EQ(-1, ret) TH_LOG("operation %u", opcodes[i / NR_KINDS]);
		EXPECT_EQ(EINVAL, errno);
	}
	EXPECT_EQ(0, syscall(SYS_io_destroy, context));
	EXPECT_EQ(self->refs, wait_for_refs(&self->g, self->refs));
}

/* Closed by the ring, in the caller and from a worker: as close() does it. */
TEST_F(io_uring, close)
{
	int fds[NR_KINDS], refs = self->refs;

	descriptors(self, fds);
	for (int i = 0; i < NR_KINDS; i++) {
		ASSERT_EQ(0, ring_close(&self->r, fds[i], i & 1 ? IOSQE_ASYNC : 0));
		EXPECT_EQ(-1, fcntl(fds[i], F_GETFD));
		EXPECT_EQ(-EBADF, ring_close(&self->r, fds[i], 0));
		/* The vCPU's run page is mapped still, and uses the address space. */
		refs -= fds[i] != self->v.fd;
		EXPECT_EQ(refs, wait_for_refs(&self->g, refs));
	}
	self->g.dev = -1;
	self->g.aspace = -1;
	self->v.fd = -1;
	self->v.run->regs.raw[0] = 1;
}

/* RUN holds its own reference. */
TEST_F(io_uring, close_while_running)
{
	struct vcpu_thread t;
	int copy;

	ASSERT_EQ(0, set_reg(self->v.fd, self->g.isa->reg_id(self->g.isa->pc), LOOP));
	copy = dup(self->v.fd);
	ASSERT_EQ(0, thread_start(&t, &self->v, 0));
	ASSERT_EQ(0, wait_for_state(copy, AXVCPU_STATE_RUNNING));
	ASSERT_EQ(0, ring_close(&self->r, self->v.fd, IOSQE_ASYNC));
	EXPECT_EQ(AXVCPU_STATE_RUNNING, get_state(copy));
	self->v.fd = copy;
	EXPECT_EQ(-EINTR, thread_stop(&t));
	EXPECT_EQ(AXVCPU_STATE_READY, get_state(copy));
}

/* Registered files are references that close() does not end; the ring's end does. */
TEST_F(io_uring, registered_files)
{
	int fds[NR_KINDS];

	descriptors(self, fds);
	ASSERT_EQ(0, ring_register(&self->r, fds, NR_KINDS));
	EXPECT_EQ(self->refs, module_refs(&self->g));
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
	/* Long enough for what should not happen. */
	sleep_ns(100000000);
	EXPECT_EQ(NR_KINDS, module_refs(&self->g));
	ring_destroy(&self->r);
	EXPECT_EQ(0, wait_for_refs(&self->g, 0));
}

/*
 * A process that is killed leaves the last references to its ring, and the
 * ring's end to a thread of the kernel, which has no memory of a user's.
 */
TEST_F(io_uring, process_is_killed)
{
	for (int round = 0; round < 5; round++) {
		int status, ready[2];
		pid_t pid;

		ASSERT_EQ(0, pipe2(ready, O_CLOEXEC));
		pid = fork();
		if (!pid) {
			struct guest_vcpu v;
			struct guest g;
			struct ring r;
			int fds[2];

			if (guest_create(&g, 0) || ring_create(&r))
				_exit(1);
			guest_write_programs(&g);
			if (vcpu_start(&g, &v, 0, OUTS) || run_until(&v, AXVCPU_EXIT_IO_WRITE))
				_exit(2);
			fds[0] = v.fd;
			fds[1] = g.aspace;
			if (ring_register(&r, fds, 2))
				_exit(3);
			close(v.fd);
			close(g.aspace);
			close(g.dev);
			(void)!write(ready[1], "", 1);
			for (;;)
				pause();
		}
		close(ready[1]);
		EXPECT_EQ(1, read(ready[0], &status, 1));
		close(ready[0]);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(SIGKILL, WTERMSIG(status));
		EXPECT_EQ(self->refs, wait_for_refs(&self->g, self->refs));
	}
}

TEST_HARNESS_MAIN

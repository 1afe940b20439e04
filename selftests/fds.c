// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors: whoever closes what, when, in whichever order or process, what
 * they stand for lives as long as it is used, and no longer.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"

#define PAGE	((uint64_t)sysconf(_SC_PAGESIZE))

FIXTURE(fds) {
	struct guest g;
	struct guest_vcpu v;
};

FIXTURE_SETUP(fds)
{
	ASSERT_EQ(0, guest_create(&self->g, 0));
	guest_write_programs(&self->g);
	ASSERT_EQ(0, vcpu_start(&self->g, &self->v, 0, OUTS));
}

FIXTURE_TEARDOWN(fds)
{
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
}

/*
 * Half a page for each round, less than anything that could leak there, and
 * what the CPUs' lists of free pages may differ by.
 */
static long tolerated(int rounds)
{
	return rounds * 2048L + 1024 * 1024;
}

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

TEST_F(fds, close_on_exec)
{
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->g.aspace, F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->v.fd, F_GETFD));
}

/* The vCPU needs neither the device's descriptor nor the address space's. */
TEST_F(fds, vcpu_outlives_the_others)
{
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	close(self->g.dev);
	close(self->g.aspace);
	self->g.dev = -1;
	self->g.aspace = -1;
	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	}
}

TEST_F(fds, devices_are_independent)
{
	struct guest other;

	ASSERT_EQ(0, guest_create(&other, 0));
	guest_destroy(&other);
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
}

/* Two guests whose memory holds different things at the same addresses. */
TEST_F(fds, guests_are_independent)
{
	struct guest_prog p;
	struct guest other;
	struct guest_vcpu v;
	int loop;

	ASSERT_EQ(0, guest_create(&other, 0));
	g_begin(&p, &other, OUTS);
	loop = g_here(&p);
	g_movi(&p, G1, 0x77);
	g_out(&p, 0x20, G1, 1);
	g_jmp(&p, loop);
	ASSERT_EQ(0, vcpu_start(&other, &v, 0, g_end(&p)));
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, run_until(&v, AXVCPU_EXIT_IO_WRITE));
		EXPECT_EQ(0x20, v.run->io.port);
		EXPECT_EQ(0x77, v.run->io.data);
		ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
		EXPECT_EQ(0x10, self->v.run->io.port);
	}
	vcpu_destroy(&v);
	guest_destroy(&other);
}

/* All orders in which a device, an address space, a vCPU and its page can go. */
TEST_F(fds, close_in_every_order)
{
	for (int order = 0; order < 256; order++) {
		int who[4] = { order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6 & 3 };
		struct guest_vcpu v;
		struct guest g;

		if ((1 << who[0] | 1 << who[1] | 1 << who[2] | 1 << who[3]) != 15)
			continue;
		ASSERT_EQ(0, guest_create(&g, 0));
		memcpy(g.mem + OUTS, self->g.mem + OUTS, GUEST_PROG_SIZE);
		ASSERT_EQ(0, vcpu_start(&g, &v, 0, OUTS));
		ASSERT_EQ(0, run_until(&v, AXVCPU_EXIT_IO_WRITE));
		for (int i = 0; i < 4; i++) {
			if (who[i] == 0) {
				close(g.dev);
				g.dev = -1;
			} else if (who[i] == 1) {
				close(g.aspace);
				g.aspace = -1;
			} else if (who[i] == 2) {
				close(v.fd);
				v.fd = -1;
			} else {
				munmap(v.run, g.info.run_size);
				v.run = NULL;
			}
		}
		guest_destroy(&g);
	}
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
}

/* In each state that a single thread can leave a vCPU in. */
TEST_F(fds, close_in_every_state)
{
	struct guest_vcpu v;

	for (int round = 0; round < 10; round++) {
		for (int state = AXVCPU_STATE_INVALID; state <= AXVCPU_STATE_READY; state++) {
			ASSERT_EQ(0, vcpu_create(&self->g, &v, 1));
			if (state == AXVCPU_STATE_INVALID) {
				ASSERT_EQ(-EBADFD, unbind_vcpu(v.fd));
			}
			if (state >= AXVCPU_STATE_FREE) {
				ASSERT_EQ(0, vcpu_setup(&self->g, &v, OUTS));
			}
			if (state >= AXVCPU_STATE_READY) {
				ASSERT_EQ(0, bind_vcpu(v.fd, -1));
			}
			if (round % 2 && state == AXVCPU_STATE_READY) {
				ASSERT_EQ(0, run_vcpu(v.fd, 0));
			}
			ASSERT_EQ(state, get_state(v.fd));
			vcpu_destroy(&v);
		}
	}
}

static void nothing(int sig)
{
}

/* close() does not end a RUN; a signal does, and then the vCPU goes. */
TEST_F(fds, close_while_running)
{
	static const uint64_t entries[] = { LOOP, HALT };
	static const int states[] = { AXVCPU_STATE_RUNNING, AXVCPU_STATE_BLOCKED };
	struct sigaction sa = { .sa_handler = nothing };
	struct vcpu_thread t;
	struct guest_vcpu v;

	sigaction(SIGUSR1, &sa, NULL);
	for (int i = 0; i < 2; i++) {
		int copy;

		ASSERT_EQ(0, vcpu_start(&self->g, &v, 1, entries[i]));
		ASSERT_EQ(0, thread_start(&t, &v, AXVCPU_RUN_WAIT));
		ASSERT_EQ(0, wait_for_state(v.fd, states[i]));
		copy = dup(v.fd);
		close(v.fd);
		sleep_ns(10000000);
		EXPECT_FALSE(t.done);
		EXPECT_EQ(states[i], get_state(copy));
		kick_vcpu(copy);
		EXPECT_EQ(-EINTR, thread_join(&t));
		/* Now really the last one, while the other thread is inside. */
		v.fd = copy;
		ASSERT_EQ(0, thread_start(&t, &v, AXVCPU_RUN_WAIT));
		ASSERT_EQ(0, wait_for_state(copy, states[i]));
		v.run->immediate_exit = 1;
		close(copy);
		EXPECT_EQ(-1, fcntl(copy, F_GETFD));
		/* The halted one sees immediate_exit when it is woken. */
		while (!t.done) {
			pthread_kill(t.thread, SIGUSR1);
			sleep_ns(1000000);
		}
		EXPECT_EQ(-EINTR, thread_join(&t));
		EXPECT_EQ(AXVCPU_EXIT_NOTHING, v.run->exit_reason);
		v.fd = -1;
		vcpu_destroy(&v);
	}
}

TEST_F(fds, dup_over_running)
{
	struct vcpu_thread t;
	struct guest_vcpu v;
	int keep;

	ASSERT_EQ(0, vcpu_start(&self->g, &v, 1, LOOP));
	keep = dup(v.fd);
	ASSERT_EQ(0, thread_start(&t, &v, 0));
	ASSERT_EQ(0, wait_for_state(keep, AXVCPU_STATE_RUNNING));
	ASSERT_EQ(v.fd, dup2(self->g.dev, v.fd));
	EXPECT_EQ(AXVCPU_STATE_RUNNING, get_state(keep));
	EXPECT_EQ(0, kick_vcpu(keep));
	EXPECT_EQ(-EINTR, thread_join(&t));
	EXPECT_EQ(AXVCPU_STATE_READY, get_state(keep));
	close(keep);
	vcpu_destroy(&v);
}

static volatile int closer_target;
static volatile bool closer_stop;

static void *closer(void *arg)
{
	while (!closer_stop)
		close(closer_target);
	return NULL;
}

/* Another thread closes the descriptor that CREATE is about to return. */
TEST_F(fds, close_races_create)
{
	int rounds = guest_is_fast(&self->g) ? 3000 : 300;
	unsigned long long began = now_ns();
	struct axvcpu_setup setup;
	pthread_t thread;
	int fd;

	/* The lowest free number is the next one. */
	closer_target = dup(0);
	close(closer_target);
	setup_init(&self->g, &setup, OUTS);
	ASSERT_EQ(0, pthread_create(&thread, NULL, closer, NULL));
	for (int i = 0; i < rounds && time_for_another(i, 100, began); i++) {
		fd = i % 2 ? create_vcpu(self->g.dev, 1) : create_aspace(self->g.dev);
		ASSERT_LE(0, fd);
		if (i % 2)
			XIOCTL(fd, AXVCPU_SETUP, &setup);
		close(fd);
	}
	closer_stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
}

static int send_fd(int sock, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .align = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

static int receive_fd(int sock)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	if (recvmsg(sock, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

/* In another process: 0 when all is as documented, else the line. */
static int use_as_foreigner(int vcpu, int aspace, void *mem)
{
	struct axvcpu_stats stats;

	if (run_vcpu(vcpu, 0) != -EIO)
		return __LINE__;
	if (map_memory(aspace, GUEST_HOLE, PAGE, mem, AXVCPU_MAP_READ) != -EIO)
		return __LINE__;
	if (unmap_memory(aspace, 0, GUEST_MEM_SIZE) != -EIO)
		return __LINE__;
	if (get_state(vcpu) != AXVCPU_STATE_READY)
		return __LINE__;
	if (get_stats(vcpu, &stats) || kick_vcpu(vcpu))
		return __LINE__;
	if (unbind_vcpu(vcpu) || bind_vcpu(vcpu, -1))
		return __LINE__;
	return 0;
}

static int wait_for_child(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* The child has the descriptors, but not the memory. */
TEST_F(fds, fork)
{
	pid_t pid = fork();
	int line;

	if (!pid) {
		line = use_as_foreigner(self->v.fd, self->g.aspace, self->g.mem);
		if (line)
			fprintf(stderr, "# child: line %d\n", line);
		/* With, without closing */
		_exit(!!line);
	}
	EXPECT_EQ(0, wait_for_child(pid));
	EXPECT_EQ(-EINTR, run_vcpu(self->v.fd, 0));	/* the child's kick */
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
}

TEST_F(fds, passed_to_another_process)
{
	int socks[2], line, vcpu, aspace;
	void *mem = self->g.mem;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	pid = fork();
	if (!pid) {
		vcpu_destroy(&self->v);
		guest_destroy(&self->g);
		vcpu = receive_fd(socks[1]);
		aspace = receive_fd(socks[1]);
		line = use_as_foreigner(vcpu, aspace, mem);
		if (line)
			fprintf(stderr, "# child: line %d\n", line);
		_exit(!!line);
	}
	ASSERT_EQ(0, send_fd(socks[0], self->v.fd));
	ASSERT_EQ(0, send_fd(socks[0], self->g.aspace));
	EXPECT_EQ(0, wait_for_child(pid));
	EXPECT_EQ(-EINTR, run_vcpu(self->v.fd, 0));
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	close(socks[0]);
	close(socks[1]);
}

/* The last reference is a message that nobody receives. */
TEST_F(fds, lost_in_a_socket)
{
	int socks[2];

	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
		ASSERT_EQ(0, send_fd(socks[0], self->v.fd));
		/* A cycle, for the garbage collector */
		ASSERT_EQ(0, send_fd(socks[0], socks[1]));
		vcpu_destroy(&self->v);
		close(socks[0]);
		close(socks[1]);
		ASSERT_EQ(0, vcpu_start(&self->g, &self->v, 0, OUTS));
		ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	}
}

/* An address space whose process is gone: nothing to run in. */
TEST_F(fds, owner_is_gone)
{
	int socks[2], vcpu, aspace;
	struct axvcpu_aspace_stats stats;
	struct guest_vcpu v;
	struct guest g;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	pid = fork();
	if (!pid) {
		if (guest_create(&g, 0))
			_exit(1);
		memcpy(g.mem + OUTS, self->g.mem + OUTS, GUEST_PROG_SIZE);
		if (vcpu_start(&g, &v, 0, OUTS) || run_until(&v, AXVCPU_EXIT_IO_WRITE) ||
		    send_fd(socks[1], v.fd) || send_fd(socks[1], g.aspace))
			_exit(2);
		_exit(0);
	}
	vcpu = receive_fd(socks[0]);
	aspace = receive_fd(socks[0]);
	EXPECT_EQ(0, wait_for_child(pid));
	EXPECT_EQ(-EIO, run_vcpu(vcpu, 0));
	EXPECT_EQ(-EIO, map_memory(aspace, GUEST_HOLE, PAGE, self->g.mem, AXVCPU_MAP_READ));
	EXPECT_EQ(AXVCPU_STATE_READY, get_state(vcpu));
	ASSERT_EQ(0, XIOCTL(aspace, AXVCPU_GET_ASPACE_STATS, &stats));
	EXPECT_EQ(0, stats.mapped_pages);
	EXPECT_EQ(0, unbind_vcpu(vcpu));
	close(vcpu);
	close(aspace);
	close(socks[0]);
	close(socks[1]);
}

/* As the program itself, started again by exec() with descriptors 10 and 11. */
static int after_exec(void)
{
	if (run_vcpu(10, 0) != -EIO)
		return 1;
	if (map_memory(11, GUEST_HOLE, PAGE, (void *)0x10000000, AXVCPU_MAP_READ) != -EIO)
		return 2;
	return get_state(10) == AXVCPU_STATE_READY ? 0 : 3;
}

TEST_F(fds, exec)
{
	pid_t pid = fork();

	if (!pid) {
		dup2(self->v.fd, 10);
		dup2(self->g.aspace, 11);
		execl("/proc/self/exe", "fds", "after-exec", NULL);
		_exit(127);
	}
	EXPECT_EQ(0, wait_for_child(pid));
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
}

/* The page stays while it is mapped, whatever has been closed. */
TEST_F(fds, run_page_outlives_the_descriptor)
{
	struct axvcpu_run *run = self->v.run;
	uint64_t seq;

	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	seq = run->exit_seq;
	close(self->v.fd);
	self->v.fd = -1;
	close(self->g.aspace);
	self->g.aspace = -1;
	close(self->g.dev);
	self->g.dev = -1;
	EXPECT_EQ(AXVCPU_EXIT_IO_WRITE, run->exit_reason);
	EXPECT_EQ(seq, run->exit_seq);
	run->regs.raw[3] = 0x5a5a;
	EXPECT_EQ(0x5a5a, run->regs.raw[3]);
}

TEST_F(fds, run_page_in_a_child)
{
	pid_t pid;

	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	pid = fork();
	if (!pid) {
		close(self->v.fd);
		self->v.run->regs.raw[self->v.isa->gpr[G5]] = 0x1717;
		_exit(0);
	}
	EXPECT_EQ(0, wait_for_child(pid));
	EXPECT_EQ(0x1717, *greg(&self->v, G5));
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	EXPECT_EQ(0x1717, *greg(&self->v, G5));
}

TEST_F(fds, no_descriptor_left)
{
	const int rounds = 600, warm_up = 100;
	struct rlimit old, none;
	long before = 0, growth;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	none = old;
	none.rlim_cur = 3;
	for (int i = 0; i < warm_up + rounds; i++) {
		if (i == warm_up)
			before = kernel_memory();
		setrlimit(RLIMIT_NOFILE, &none);
		EXPECT_EQ(-EMFILE, create_vcpu(self->g.dev, 1));
		EXPECT_EQ(-EMFILE, create_aspace(self->g.dev));
		setrlimit(RLIMIT_NOFILE, &old);
	}
	growth = kernel_memory_growth(before, tolerated(rounds));
	EXPECT_GT(tolerated(rounds), growth);
	TH_LOG("%ld bytes more after %d rounds", growth, rounds);
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
}

TEST_F(fds, epoll)
{
	struct epoll_event event = { .events = EPOLLIN };
	int ep = epoll_create1(0), fds[] = { self->g.dev, self->g.aspace, self->v.fd };

	for (int i = 0; i < ARRAY_SIZE(fds); i++) {
		EXPECT_EQ(-1, epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &event));
		EXPECT_EQ(EPERM, errno);
	}
	close(ep);
}

static int one_life(struct guest *like)
{
	struct guest_vcpu v;
	struct guest g;
	int err;

	err = guest_create(&g, 0);
	if (err)
		return err;
	memcpy(g.mem + OUTS, like->mem + OUTS, 4096);
	err = vcpu_start(&g, &v, 0, OUTS);
	if (!err)
		err = run_until(&v, AXVCPU_EXIT_IO_WRITE);
	if (!err)
		err = unbind_vcpu(v.fd);
	vcpu_destroy(&v);
	guest_destroy(&g);
	return err;
}

/* Nothing grows. */
TEST_F(fds, many_lives)
{
	int rounds = guest_is_fast(&self->g) ? 2000 : 600;
	int fds_before = open_fds(), n;
	unsigned long long began;
	long before, growth;

	/* What is allocated once, and what the allocator keeps at hand */
	for (int i = 0; i < 100; i++) {
		ASSERT_EQ(0, one_life(&self->g));
	}
	before = kernel_memory();
	ASSERT_LT(0, before);
	began = now_ns();
	for (n = 0; n < rounds && time_for_another(n, 600, began); n++) {
		ASSERT_EQ(0, one_life(&self->g));
	}
	EXPECT_EQ(fds_before, open_fds());
	growth = kernel_memory_growth(before, tolerated(n));
	EXPECT_GT(tolerated(n), growth);
	TH_LOG("%ld bytes more after %d rounds", growth, n);
}

static int state_for_child(struct guest *g, struct guest_vcpu *v, struct vcpu_thread *t, int state)
{
	int err;

	err = vcpu_create(g, v, 0);
	if (!err && state == AXVCPU_STATE_INVALID)
		unbind_vcpu(v->fd);
	if (!err && state >= AXVCPU_STATE_FREE)
		err = vcpu_setup(g, v, state == AXVCPU_STATE_RUNNING ? LOOP : HALT);
	if (!err && state >= AXVCPU_STATE_READY)
		err = bind_vcpu(v->fd, -1);
	if (!err && state >= AXVCPU_STATE_RUNNING)
		err = thread_start(t, v, AXVCPU_RUN_WAIT);
	return err ? err : wait_for_state(v->fd, state);
}

/* A process with a guest in some state, to be ended; it says so by a byte. */
static pid_t make_victim(FIXTURE_DATA(fds) *self, int state, int *pipe_fd)
{
	struct vcpu_thread threads[4];
	struct guest_vcpu vcpus[4];
	int pipe_fds[2], err = 0;
	struct guest g;
	pid_t pid;

	if (pipe(pipe_fds))
		return -1;
	*pipe_fd = pipe_fds[0];
	pid = fork();
	if (pid) {
		close(pipe_fds[1]);
		return pid;
	}
	err = guest_create(&g, 0);
	if (!err)
		memcpy(g.mem + OUTS, self->g.mem + OUTS, 3 * GUEST_PROG_SIZE);
	for (int i = 0; i < 4 && !err; i++)
		err = state_for_child(&g, &vcpus[i], &threads[i], state);
	if (err)
		_exit(100);
	(void)!write(pipe_fds[1], "x", 1);
	sleep_ns(state % 2 ? 0 : 1000000);
	if (state == AXVCPU_STATE_FREE || state == AXVCPU_STATE_RUNNING)
		_exit(0);	/* all threads at once, without closing anything */
	for (;;)
		pause();
}

/* exit_group() and SIGKILL in each state, with four vCPUs. */
TEST_F(fds, killed_in_every_state)
{
	int rounds = guest_is_fast(&self->g) ? 4 : 1, pipe_fd, status;
	char byte;

	for (int i = 0; i < rounds * 6; i++) {
		pid_t pid = make_victim(self, i % 6, &pipe_fd);

		ASSERT_LT(0, pid);
		ASSERT_EQ(1, read(pipe_fd, &byte, 1));
		close(pipe_fd);
		if (i / 6 % 2)
			sleep_ns(3000000);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_NE(100 << 8, status);
	}
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
}

/* No thread that runs a guest resists. */
TEST_F(fds, killed_while_waiting_for_the_vcpu)
{
	struct vcpu_thread first, second;
	struct guest_vcpu v;
	pid_t pid = fork();

	if (!pid) {
		struct guest g;

		if (guest_create(&g, 0))
			_exit(1);
		memcpy(g.mem + OUTS, self->g.mem + OUTS, 3 * GUEST_PROG_SIZE);
		if (vcpu_start(&g, &v, 0, LOOP) || thread_start(&first, &v, 0) ||
		    wait_for_state(v.fd, AXVCPU_STATE_RUNNING) || thread_start(&second, &v, 0))
			_exit(2);
		sleep_ns(10000000);
		kill(getpid(), SIGKILL);
	}
	EXPECT_EQ(-SIGKILL, wait_for_child(pid));
}

TEST_F(fds, stolen)
{
	int pidfd, stolen;
	pid_t pid = fork();

	if (!pid)
		for (;;)
			pause();
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	stolen = syscall(SYS_pidfd_getfd, pidfd, self->v.fd, 0);
	ASSERT_LE(0, stolen);
	kill(pid, SIGKILL);
	wait_for_child(pid);
	/* It is the same file. */
	EXPECT_EQ(0, run_vcpu(stolen, 0));
	vcpu_destroy(&self->v);
	EXPECT_EQ(0, run_vcpu(stolen, 0));
	close(stolen);
	close(pidfd);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "after-exec"))
		return after_exec();
	return test_harness_run(argc, argv);
}

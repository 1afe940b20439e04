// SPDX-License-Identifier: GPL-2.0-only
/*
 * What debugfs tells of all vCPUs: the same as their ioctls, and at any time.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "axvcpu_names.h"
#include "guest.h"

#define FIRST_ID	201		/* nobody else's */
#define MAX_TEXT	(1 << 18)

#define NAME(value, name) [value] = name,
static const char *const op_names[] = { AXVCPU_OP_NAMES(NAME, NAME) };
static const char *const exit_names[AXVCPU_NR_EXITS] = { AXVCPU_EXIT_NAMES(NAME, NAME) };
static const char *const class_names[AXVCPU_NR_CLASSES] = { AXVCPU_CLASS_NAMES(NAME, NAME) };

FIXTURE(debugfs) {
	struct guest g;
	struct guest_vcpu v[2];
	const char *path;
	char *text;
};

FIXTURE_SETUP(debugfs)
{
	for (int i = 0; i < 2; i++)
		self->v[i].fd = -1;
	ASSERT_EQ(0, guest_create(&self->g, 0));
	guest_write_programs(&self->g);
	self->path = self->g.info.backend == AXVCPU_BACKEND_MOCK ?
		     "/sys/kernel/debug/axvcpu_mock/vcpus" : "/sys/kernel/debug/axvcpu/vcpus";
	self->text = malloc(MAX_TEXT);
	ASSERT_NE(NULL, self->text);
}

FIXTURE_TEARDOWN(debugfs)
{
	for (int i = 0; i < 2; i++)
		vcpu_destroy(&self->v[i]);
	guest_destroy(&self->g);
	free(self->text);
}

static int read_all(FIXTURE_DATA(debugfs) *self)
{
	int fd = open(self->path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, self->text + len, MAX_TEXT - 1 - len)) > 0)
		len += n;
	self->text[len] = '\0';
	close(fd);
	return n ? -EIO : 0;
}

/* Reads anew, and cuts out what is said of one vCPU. NULL: nothing */
static char *section(FIXTURE_DATA(debugfs) *self, unsigned int id)
{
	char head[40], *at, *end;

	if (read_all(self))
		return NULL;
	snprintf(head, sizeof(head), "vm 0 vcpu %u ", id);
	at = strstr(self->text, head);
	if (!at || (at > self->text && at[-1] != '\n'))
		return NULL;
	end = strstr(at, "\nvm ");
	if (end)
		end[1] = '\0';
	return at;
}

static bool says(const char *section, const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (section && strstr(section, line))
		return true;
	fprintf(stderr, "# it does not say: %s\n%s", line, section ?: "(nothing)\n");
	return false;
}

TEST_F(debugfs, is_the_administrators)
{
	struct stat st;

	ASSERT_EQ(0, stat(self->path, &st));
	EXPECT_EQ(S_IFREG | 0400, st.st_mode);
	EXPECT_EQ(0, st.st_uid);
	EXPECT_EQ(0, read_all(self));
}

TEST_F(debugfs, counts_and_history)
{
	struct axvcpu_history_entry entries[AXVCPU_HISTORY_LEN];
	struct axvcpu_history history = { (uintptr_t)entries, AXVCPU_HISTORY_LEN };
	struct guest_vcpu *v = &self->v[0];
	struct axvcpu_stats stats;
	char *text;

	ASSERT_EQ(0, vcpu_start(&self->g, v, FIRST_ID, OUTS));
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, run_until(v, AXVCPU_EXIT_IO_WRITE));
	ASSERT_EQ(0, kick_vcpu(v->fd));
	EXPECT_EQ(-EINTR, run_vcpu(v->fd, 0));
	/* Not get_stats(), to which some exits are others. */
	ASSERT_EQ(0, XIOCTL(v->fd, AXVCPU_GET_STATS, &stats));
	ASSERT_EQ(0, XIOCTL(v->fd, AXVCPU_GET_HISTORY, &history));

	text = section(self, FIRST_ID);
	ASSERT_TRUE(says(text, "vm 0 vcpu %u Ready bound_cpu ", FIRST_ID));
	/* The kernel may have calibrated the clock anew between the two. */
	EXPECT_TRUE(says(text, "\n  runs %llu entries %llu guest_ns ", stats.runs, stats.entries));
	EXPECT_TRUE(says(text, " migrations %llu faults %llu\n", stats.migrations, stats.faults));
	EXPECT_TRUE(says(text, "\n  injections %llu kicks %llu kernel exits %llu interrupts %llu\n",
			 stats.injections, stats.kicks, stats.kernel_exits, stats.interrupts));
	EXPECT_TRUE(says(text, "\n  exits by reason"));
	for (unsigned int i = 0; i < ARRAY_SIZE(stats.exits); i++)
		EXPECT_EQ(!!stats.exits[i], stats.exits[i] &&
			  says(text, " %s:%llu", exit_names[i], stats.exits[i]));
	EXPECT_TRUE(says(text, "\n  kernel exits by class"));
	for (unsigned int i = 0; i < ARRAY_SIZE(stats.handled); i++)
		EXPECT_EQ(!!stats.handled[i], stats.handled[i] &&
			  says(text, " %s:%llu", class_names[i], stats.handled[i]));
	EXPECT_EQ(NULL, strstr(text, "failure"));
	ASSERT_LT(2, history.count);
	for (unsigned int i = 0; i < history.count; i++) {
		struct axvcpu_history_entry *e = &entries[i];

		EXPECT_TRUE(says(text, "\n  #%llu %s ", e->seq, op_names[e->op]));
		EXPECT_TRUE(says(text, " error %d tid %d cpu %u time %llu repeat %llu\n",
				 e->error, e->tid, e->cpu, e->time_ns, e->repeat));
	}
	EXPECT_TRUE(says(text, " Created -> Free error 0 "));
	EXPECT_TRUE(says(text, " Ready -> Running error 0 "));
}

TEST_F(debugfs, failure)
{
	struct axvcpu_failure f;
	char *text;

	ASSERT_EQ(0, vcpu_create(&self->g, &self->v[0], FIRST_ID));
	ASSERT_EQ(0, vcpu_create(&self->g, &self->v[1], FIRST_ID + 1));
	EXPECT_EQ(NULL, strstr(section(self, FIRST_ID) ?: "failure", "failure"));
	EXPECT_GT(0, run_vcpu(self->v[0].fd, 0));
	ASSERT_EQ(0, get_failure(self->v[0].fd, &f));
	ASSERT_LT(0, f.seq);
	text = section(self, FIRST_ID);
	EXPECT_TRUE(says(text, "vm 0 vcpu %u Invalid ", FIRST_ID));
	EXPECT_TRUE(says(text, "\n  failure %llu: RUN expected Ready actual Created error %d ",
			 f.seq, f.error));
	EXPECT_TRUE(says(text, " arch code 0x%llx reg 0x%llx tid %d\n", f.arch_code, f.reg, f.tid));
	EXPECT_TRUE(says(text, "\n  cause %llu: RUN expected Ready actual Created error %d ",
			 f.seq, f.error));
	text = section(self, FIRST_ID + 1);
	EXPECT_TRUE(says(text, "vm 0 vcpu %u Created ", FIRST_ID + 1));
	EXPECT_EQ(NULL, strstr(text ?: "failure", "failure"));
}

/* A reader does not wait for a guest. */
TEST_F(debugfs, of_one_that_runs)
{
	struct vcpu_thread t;

	ASSERT_EQ(0, vcpu_start(&self->g, &self->v[0], FIRST_ID, LOOP));
	ASSERT_EQ(0, thread_start(&t, &self->v[0], 0));
	ASSERT_EQ(0, wait_for_state(self->v[0].fd, AXVCPU_STATE_RUNNING));
	for (int i = 0; i < 10; i++) {
		EXPECT_TRUE(says(section(self, FIRST_ID), "vcpu %u Running ", FIRST_ID));
		EXPECT_FALSE(t.done);
	}
	ASSERT_EQ(0, kick_vcpu(self->v[0].fd));
	EXPECT_EQ(-EINTR, thread_join(&t));
}

static volatile bool stop;
static volatile long made;

static void *make_and_end(void *arg)
{
	struct guest *g = arg;

	while (!stop) {
		int fd = create_vcpu(g->dev, FIRST_ID + 2);

		if (fd < 0)
			return (void *)-1;
		close(fd);
		made++;
	}
	return NULL;
}

TEST_F(debugfs, goes_with_the_vcpu)
{
	pthread_t thread;
	void *problem;

	ASSERT_EQ(0, vcpu_create(&self->g, &self->v[0], FIRST_ID));
	ASSERT_NE(NULL, section(self, FIRST_ID));
	vcpu_destroy(&self->v[0]);
	EXPECT_EQ(NULL, section(self, FIRST_ID));

	ASSERT_EQ(0, vcpu_create(&self->g, &self->v[1], FIRST_ID + 1));
	stop = false;
	made = 0;
	ASSERT_EQ(0, pthread_create(&thread, NULL, make_and_end, &self->g));
	for (int i = 0; i < 50 || made < 10; i++) {
		ASSERT_NE(NULL, section(self, FIRST_ID + 1));
	}
	stop = true;
	ASSERT_EQ(0, pthread_join(thread, &problem));
	EXPECT_EQ(NULL, problem);
	EXPECT_EQ(NULL, section(self, FIRST_ID + 2));
}

TEST_HARNESS_MAIN

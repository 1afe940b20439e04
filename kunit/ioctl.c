// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls of a vCPU, through its descriptor: what they do in every state,
 * which lock they take, and what becomes of a caller that is killed.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "fixture.h"

static struct {
	struct file *file;		/* of the vCPU */
	struct axvcpu *vcpu;
	struct mm_struct *mm;
	unsigned long buf;		/* user memory: the argument */
	unsigned long aux;		/* and what the argument points to */
} f;

static long call(unsigned int cmd, unsigned long arg)
{
	return f.file->f_op->unlocked_ioctl(f.file, cmd, arg);
}

static void release_vcpu(void)
{
	if (!f.file)
		return;
	fput(f.file);
	flush_delayed_fput();
	f.file = NULL;
}

static int create_vcpu(struct file *device)
{
	struct axvcpu_create_vcpu args = { .favor_phys_cpu = -1 };
	long fd;

	if (copy_to_user((void __user *)f.buf, &args, sizeof(args)))
		return -EFAULT;
	fd = device->f_op->unlocked_ioctl(device, AXVCPU_CREATE_VCPU, f.buf);
	if (fd < 0)
		return fd;
	f.file = fget(fd);
	close_fd(fd);
	if (!f.file)
		return -EBADF;
	f.vcpu = f.file->private_data;
	return 0;
}

static int new_vcpu(void)
{
	struct file *device = filp_open("/dev/axvcpu", O_RDWR, 0);
	int ret;

	if (IS_ERR(device))
		return PTR_ERR(device);
	release_vcpu();
	ret = create_vcpu(device);
	fput(device);
	flush_delayed_fput();
	return ret;
}

static int ioctl_init(struct kunit *test)
{
	memset(&f, 0, sizeof(f));
	f.buf = kunit_vm_mmap(test, NULL, 0, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (!f.buf)
		return -ENOMEM;
	f.aux = f.buf + PAGE_SIZE;
	f.mm = current->mm;
	return axvcpu_kunit_init(test);
}

static void ioctl_exit(struct kunit *test)
{
	release_vcpu();
	axvcpu_kunit_exit(test);
}

/* Arguments that are good; what is not listed is zero. */

union arg {
	struct axvcpu_setup setup;
	struct axvcpu_bind bind;
	struct axvcpu_set_state set_state;
	struct axvcpu_set_ept_root set_ept_root;
	struct axvcpu_regs regs;
	struct axvcpu_reg_list reg_list;
	struct axvcpu_inject inject;
	struct axvcpu_history history;
	struct axvcpu_call_log call_log;
	u8 raw[512];
};

static_assert(sizeof(struct axvcpu_stats) <= sizeof(union arg));

static void fill(unsigned int cmd, union arg *arg)
{
	memset(arg, 0, sizeof(*arg));
	switch (cmd) {
	case AXVCPU_SETUP:
		arg->setup.raw_root = axvcpu_kunit_root().val;
		arg->setup.aspace_fd = -1;
		arg->setup.flags = AXVCPU_SETUP_RAW_ROOT;
		break;
	case AXVCPU_BIND:
		arg->bind.cpu = -1;
		break;
	case AXVCPU_SET_STATE:
		arg->set_state.state = AXVCPU_STATE_FREE;
		break;
	case AXVCPU_SET_EPT_ROOT:
		arg->set_ept_root.raw_root = axvcpu_kunit_root().val;
		arg->set_ept_root.aspace_fd = -1;
		arg->set_ept_root.flags = AXVCPU_SETUP_RAW_ROOT;
		break;
	case AXVCPU_GET_REGS:
	case AXVCPU_SET_REGS:
		arg->regs.regs = f.aux;
		arg->regs.count = 1;
		break;
	case AXVCPU_INJECT:
		arg->inject.vector = 32;
		break;
	case AXVCPU_WITHDRAW:
		arg->inject.vector = 33;
		break;
	case AXVCPU_GET_REG_LIST:
		arg->reg_list.ids = f.aux;
		arg->reg_list.count = AXVCPU_MOCK_NR_REGS;
		break;
	case AXVCPU_GET_HISTORY:
		arg->history.entries = f.aux;
		arg->history.count = 2;
		break;
	case AXVCPU_GET_CALL_LOG:
		arg->call_log.entries = f.aux;
		arg->call_log.count = 2;
		break;
	}
}

static long call_well(unsigned int cmd)
{
	struct axvcpu_reg reg = { .id = AXVCPU_MOCK_REG(0) };
	union arg arg;

	if (!_IOC_SIZE(cmd))
		return call(cmd, 0);
	fill(cmd, &arg);
	if (copy_to_user((void __user *)f.buf, &arg, sizeof(arg)) ||
	    copy_to_user((void __user *)f.aux, &reg, sizeof(reg)))
		return -EFAULT;
	return call(cmd, f.buf);
}

#define INV	AXVCPU_STATE_INVALID
#define CRE	AXVCPU_STATE_CREATED
#define FRE	AXVCPU_STATE_FREE
#define RDY	AXVCPU_STATE_READY
#define NR	(AXVCPU_STATE_READY + 1)

/* The normative matrix once more, as a VMM sees it: state afterwards, and errno. */
static const struct {
	unsigned int cmd;
	u8 to[NR];
	int error[NR];
} specified[] = {
	{ AXVCPU_SETUP,		{ INV, FRE, INV, INV }, { EBADFD, 0, EBADFD, EBADFD } },
	{ AXVCPU_BIND,		{ INV, INV, RDY, INV }, { EBADFD, EBADFD, 0, EBADFD } },
	{ AXVCPU_RUN,		{ INV, INV, INV, RDY }, { EBADFD, EBADFD, EBADFD, 0 } },
	{ AXVCPU_UNBIND,	{ INV, INV, INV, FRE }, { EBADFD, EBADFD, EBADFD, 0 } },
	{ AXVCPU_RESET,		{ CRE, CRE, CRE, RDY }, { 0, EBADFD, 0, EBUSY } },
	{ AXVCPU_GET_STATE,	{ INV, CRE, FRE, RDY } },
	{ AXVCPU_SET_STATE,	{ FRE, FRE, FRE, FRE } },
	{ AXVCPU_SET_ENTRY,	{ INV, CRE, INV, INV }, { EBADFD, 0, EBADFD, EBADFD } },
	{ AXVCPU_SET_EPT_ROOT,	{ INV, CRE, INV, INV }, { EBADFD, 0, EBADFD, EBADFD } },
	{ AXVCPU_GET_VCPU_INFO,	{ INV, CRE, FRE, RDY } },
	{ AXVCPU_GET_REGS,	{ INV, CRE, FRE, RDY } },
	{ AXVCPU_SET_REGS,	{ INV, CRE, FRE, RDY }, { EBADFD } },
	{ AXVCPU_INJECT,	{ INV, CRE, FRE, RDY }, { EBADFD } },
	{ AXVCPU_KICK,		{ INV, CRE, FRE, RDY } },
	{ AXVCPU_GET_STATS,	{ INV, CRE, FRE, RDY } },
	{ AXVCPU_GET_HISTORY,	{ INV, CRE, FRE, RDY } },
	{ AXVCPU_GET_CALL_LOG,	{ INV, CRE, FRE, RDY } },
	/* The mock has no debugger. */
	{ AXVCPU_SET_DEBUG,	{ INV, CRE, FRE, RDY },
				{ EBADFD, EOPNOTSUPP, EOPNOTSUPP, EOPNOTSUPP } },
	{ AXVCPU_GET_REG_LIST,	{ INV, CRE, FRE, RDY } },
	{ AXVCPU_KEEP_STATE,	{ INV, CRE, FRE, RDY }, { EBADFD, EBADFD } },
	/* Nothing is kept, and nothing is queued. */
	{ AXVCPU_RESTORE_STATE,	{ INV, CRE, FRE, RDY }, { EBADFD, EBADFD, ENOENT, ENOENT } },
	{ AXVCPU_WITHDRAW,	{ INV, CRE, FRE, RDY }, { EBADFD, ENOENT, ENOENT, ENOENT } },
};

static void vcpu_in_state(struct kunit *test, enum axvcpu_state state)
{
	int ret = new_vcpu();

	if (ret == -ENOENT)
		kunit_skip(test, "no /dev/axvcpu here");
	KUNIT_ASSERT_EQ(test, ret, 0);
	if (state == AXVCPU_STATE_INVALID)
		KUNIT_ASSERT_EQ(test, call_well(AXVCPU_BIND), -EBADFD);
	if (state >= AXVCPU_STATE_FREE)
		KUNIT_ASSERT_EQ(test, call_well(AXVCPU_SETUP), 0);
	if (state >= AXVCPU_STATE_READY)
		KUNIT_ASSERT_EQ(test, call_well(AXVCPU_BIND), 0);
	KUNIT_ASSERT_EQ(test, axvcpu_state(f.vcpu), state);
}

/* D01: every ioctl in every state that a vCPU rests in. */
static void every_ioctl_in_every_state(struct kunit *test)
{
	unsigned int i, state, nr;

	for (i = 0; i < ARRAY_SIZE(specified); i++) {
		for (state = 0; state < NR; state++) {
			nr = _IOC_NR(specified[i].cmd);
			vcpu_in_state(test, state);
			KUNIT_EXPECT_EQ_MSG(test, call_well(specified[i].cmd),
					    -specified[i].error[state], "ioctl %#x in %u", nr,
					    state);
			KUNIT_EXPECT_EQ_MSG(test, axvcpu_state(f.vcpu), specified[i].to[state],
					    "ioctl %#x in %u", nr, state);
		}
	}
}

/* D03: what is wrong with the call leaves the vCPU alone, in every state. */
static void bad_calls_change_nothing(struct kunit *test)
{
	unsigned int i, state, cmd, nr;
	u64 failures;

	for (i = 0; i < ARRAY_SIZE(specified); i++) {
		for (state = 0; state < NR; state++) {
			cmd = specified[i].cmd;
			nr = _IOC_NR(cmd);
			vcpu_in_state(test, state);
			failures = f.vcpu->failure.seq;
			if (_IOC_SIZE(cmd)) {
				/* A pointer to nowhere; a struct that is too short. */
				KUNIT_EXPECT_EQ_MSG(test, call(cmd, 8), -EFAULT, "ioctl %#x", nr);
				KUNIT_EXPECT_EQ_MSG(test, call(cmd - (8U << _IOC_SIZESHIFT),
							       f.buf), -EINVAL, "ioctl %#x", nr);
			} else {
				KUNIT_EXPECT_EQ_MSG(test, call(cmd, ~0UL), -EINVAL, "ioctl %#x",
						    nr);
			}
			/* The other direction; another family. */
			KUNIT_EXPECT_EQ_MSG(test, call(cmd ^ (_IOC_WRITE << _IOC_DIRSHIFT), f.buf),
					    -ENOTTY, "ioctl %#x", nr);
			KUNIT_EXPECT_EQ_MSG(test, call(cmd ^ (1U << _IOC_TYPESHIFT), f.buf),
					    -ENOTTY, "ioctl %#x", nr);
			KUNIT_EXPECT_EQ_MSG(test, axvcpu_state(f.vcpu), state, "ioctl %#x", nr);
			KUNIT_EXPECT_EQ_MSG(test, f.vcpu->failure.seq, failures, "ioctl %#x", nr);
		}
	}
}

static int run_thread(void *arg)
{
	return call(AXVCPU_RUN, (unsigned long)arg);
}

/* A caller that waits for RUN to end, and is killed. */
static int killed_caller(void *arg)
{
	long ret;

	kthread_use_mm(f.mm);
	allow_signal(SIGKILL);
	ret = call_well((unsigned long)arg);
	flush_signals(current);
	kthread_unuse_mm(f.mm);
	return ret;
}

static bool in_state(void *arg)
{
	return axvcpu_state(f.vcpu) == (enum axvcpu_state)(unsigned long)arg;
}

static bool sleeps(void *arg)
{
	struct axvcpu_kunit_thread *thread = arg;

	return READ_ONCE(thread->task->__state) & TASK_INTERRUPTIBLE;
}

/* What each ioctl does while another thread is inside RUN. */
static const struct {
	unsigned int cmd;
	int error;		/* -1: it waits */
} during_run[] = {
	{ AXVCPU_SETUP,		-1 },
	{ AXVCPU_BIND,		-1 },
	{ AXVCPU_RUN,		-1 },
	{ AXVCPU_UNBIND,	-1 },
	{ AXVCPU_SET_ENTRY,	-1 },
	{ AXVCPU_SET_EPT_ROOT,	-1 },
	{ AXVCPU_RESET,		EBUSY },
	{ AXVCPU_SET_STATE,	EBUSY },
	{ AXVCPU_GET_REGS,	EBUSY },
	{ AXVCPU_SET_REGS,	EBUSY },
	{ AXVCPU_GET_CALL_LOG,	EBUSY },
	{ AXVCPU_SET_DEBUG,	EBUSY },
	{ AXVCPU_GET_REG_LIST,	EBUSY },
	{ AXVCPU_KEEP_STATE,	EBUSY },
	{ AXVCPU_RESTORE_STATE,	EBUSY },
	{ AXVCPU_WITHDRAW,	ENOENT },
	{ AXVCPU_GET_STATE,	0 },
	{ AXVCPU_GET_VCPU_INFO,	0 },
	{ AXVCPU_INJECT,	0 },
	{ AXVCPU_GET_STATS,	0 },
	{ AXVCPU_GET_HISTORY,	0 },
};

/* D02, D06, R61: EBUSY, or an answer at once, or a wait that a signal ends, and no effect. */
static void against_run(struct kunit *test, unsigned long flags, enum axvcpu_state state)
{
	struct axvcpu_kunit_thread runner, other;
	unsigned int i, nr;

	vcpu_in_state(test, AXVCPU_STATE_READY);
	KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&runner, -1, run_thread, (void *)flags), 0);
	KUNIT_EXPECT_TRUE(test, axvcpu_kunit_wait(in_state, (void *)(unsigned long)state));
	for (i = 0; i < ARRAY_SIZE(during_run); i++) {
		nr = _IOC_NR(during_run[i].cmd);
		if (during_run[i].error >= 0) {
			KUNIT_EXPECT_EQ_MSG(test, call_well(during_run[i].cmd),
					    -during_run[i].error, "ioctl %#x", nr);
		} else {
			void *cmd = (void *)(unsigned long)during_run[i].cmd;

			KUNIT_ASSERT_EQ(test, axvcpu_kunit_start(&other, -1, killed_caller, cmd),
					0);
			KUNIT_EXPECT_TRUE_MSG(test, axvcpu_kunit_wait(sleeps, &other),
					      "ioctl %#x", nr);
			send_sig(SIGKILL, other.task, 1);
			KUNIT_EXPECT_EQ_MSG(test, axvcpu_kunit_join(&other), -EINTR,
					    "ioctl %#x", nr);
		}
		KUNIT_EXPECT_EQ_MSG(test, axvcpu_state(f.vcpu), state, "ioctl %#x", nr);
	}
	KUNIT_EXPECT_EQ(test, call(AXVCPU_RUN, AXVCPU_RUN_NOWAIT), -EBUSY);
	KUNIT_EXPECT_EQ(test, call_well(AXVCPU_KICK), 0);
	KUNIT_EXPECT_EQ(test, axvcpu_kunit_join(&runner), -EINTR);
	KUNIT_EXPECT_EQ(test, axvcpu_state(f.vcpu), AXVCPU_STATE_READY);
	KUNIT_EXPECT_EQ(test, f.vcpu->failure.seq, 0);
}

static void while_running(struct kunit *test)
{
	static const struct axvcpu_mock_insn endless[] = {
		{ .op = MOCK_JMP, .imm = 0 },
	};

	axvcpu_kunit_program(endless, ARRAY_SIZE(endless));
	against_run(test, 0, AXVCPU_STATE_RUNNING);
}

static void while_blocked(struct kunit *test)
{
	/* The interrupt that is injected is masked: the wait goes on. */
	against_run(test, AXVCPU_RUN_WAIT, AXVCPU_STATE_BLOCKED);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(every_ioctl_in_every_state),
	KUNIT_CASE(bad_calls_change_nothing),
	KUNIT_CASE(while_running),
	KUNIT_CASE(while_blocked),
	{}
};

static struct kunit_suite suite = {
	.name = "axvcpu_ioctl",
	.suite_init = axvcpu_kunit_suite_init,
	.init = ioctl_init,
	.exit = ioctl_exit,
	.test_cases = cases,
};

kunit_test_suites(&suite);

// SPDX-License-Identifier: GPL-2.0-only
/* From a kick by another thread to the return of the run: two CPUs. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#include "bench.h"

/* The kicks come from CPU 0, the guest is on CPU 1. */
#define KICKER	0
#define RUNNER	1

/**
 * struct kick - what the two threads share
 * @vm: whose guest spins
 * @rounds: how many times
 * @go: the round that the runner is to begin
 * @done: the round that has ended
 * @ended: when it did
 * @err: of the runner
 */
struct kick {
	struct vm *vm;
	unsigned int rounds;
	atomic_uint go;
	atomic_uint done;
	uint64_t ended;
	int err;
};

/* Where CPUs take turns, the other one's is next. */
static inline void relax(void)
{
#if defined(__x86_64__)
	asm volatile("pause");
#elif defined(__aarch64__)
	asm volatile("yield");
#endif
}

static int pin(unsigned int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	return sched_setaffinity(0, sizeof(cpus), &cpus) ? -errno : 0;
}

/* A signal that stays pending is what KVM's run ends for: no handler has to run. */
static void block_signal(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, KICK_SIGNAL);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void eat_signal(void)
{
	const struct timespec none = {};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, KICK_SIGNAL);
	sigtimedwait(&set, NULL, &none);
}

static int run_until_kicked(struct kick *kick)
{
	long err = vm_run(kick->vm);

	kick->ended = now();
	eat_signal();
	return err == -EINTR ? 0 : err ?: -EPROTO;
}

static void *runner(void *arg)
{
	struct kick *kick = arg;

	block_signal();
	kick->err = pin(RUNNER);
	if (!kick->err)
		kick->err = kick->vm->hv->kick_init(kick->vm);
	for (unsigned int i = 1; i <= kick->rounds; i++) {
		while (atomic_load(&kick->go) != i)
			relax();
		if (!kick->err)
			kick->err = run_until_kicked(kick);
		atomic_store(&kick->done, i);
	}
	return NULL;
}

/* The guest is in its loop when what it counts moves. */
static void wait_for_guest(struct kick *kick, unsigned int round)
{
	const volatile uint64_t *count = (uint64_t *)(kick->vm->mem + GUEST_DATA);
	uint64_t before = *count;

	while (*count - before < 16 && atomic_load(&kick->done) != round)
		relax();
}

static int kick_often(struct kick *kick, pthread_t thread, uint64_t *ticks)
{
	uint64_t began;
	int err = 0;

	for (unsigned int i = 1; i <= kick->rounds; i++) {
		atomic_store(&kick->go, i);
		wait_for_guest(kick, i);
		began = now();
		err = kick->vm->hv->kick(kick->vm, thread) ?: err;
		while (atomic_load(&kick->done) != i)
			relax();
		*ticks += kick->ended - began;
	}
	return err;
}

/**
 * measure_kick() - from a kick to the return of the run
 * @vm: the machine
 * @rounds: how many times
 * @cost: ticks for one
 *
 * Return: 0 or a negative errno.
 */
int measure_kick(struct vm *vm, unsigned int rounds, double *cost)
{
	struct kick kick = { .vm = vm, .rounds = rounds };
	uint64_t ticks = 0;
	pthread_t thread;
	int err;

	err = vm->hv->start(vm, PROGRAM_SPIN, 0, GUEST_DATA);
	if (!err)
		err = pin(KICKER);
	if (!err)
		err = -pthread_create(&thread, NULL, runner, &kick);
	if (err)
		return err;
	err = kick_often(&kick, thread, &ticks);
	pthread_join(thread, NULL);
	*cost = (double)ticks / rounds;
	return err ?: kick.err;
}

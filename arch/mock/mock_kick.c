// SPDX-License-Identifier: GPL-2.0-only
/* The interrupt that makes a CPU leave a guest of the mock's: that it is pending is all. */
#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/smp.h>

#include "axvcpu_mock.h"

static DEFINE_PER_CPU(call_single_data_t, kicks);

static void take_kick(void *info)
{
}

static bool kick_pending(int cpu)
{
	return READ_ONCE(per_cpu(kicks.node.u_flags, cpu)) & CSD_FLAG_LOCK;
}

/**
 * axvcpu_mock_kick_init() - make the interrupts
 *
 * Context: module load.
 */
void axvcpu_mock_kick_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		INIT_CSD(&per_cpu(kicks, cpu), take_kick, NULL);
}

/**
 * axvcpu_mock_kick_exit() - take_kick() has returned everywhere, before its code goes
 *
 * Context: module unload.
 */
void axvcpu_mock_kick_exit(void)
{
	int cpu;

	for_each_online_cpu(cpu) {
		while (kick_pending(cpu))
			cpu_relax();
	}
	kick_all_cpus_sync();
}

/**
 * axvcpu_mock_kick() - interrupt a CPU
 * @cpu: the CPU
 *
 * Context: preemption off.
 */
void axvcpu_mock_kick(int cpu)
{
	/* -EBUSY: it is pending already, which is as good. */
	smp_call_function_single_async(cpu, &per_cpu(kicks, cpu));
}

/**
 * axvcpu_mock_interrupted() - is an interrupt of axvcpu_mock_kick() pending here?
 *
 * Context: interrupts off.
 * Return: whether.
 */
bool axvcpu_mock_interrupted(void)
{
	return kick_pending(smp_processor_id());
}

// SPDX-License-Identifier: GPL-2.0-only
/* The module and the device, which makes address spaces and vCPUs. */
#include <linux/anon_inodes.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "axvcpu_age.h"
#include "axvcpu_arch.h"
#include "axvcpu_aspace.h"
#include "axvcpu_compat.h"
#include "axvcpu_debugfs.h"
#include "axvcpu_ioctl.h"
#include "axvcpu_percpu.h"
#include "axvcpu_run.h"
#include "axvcpu_vcpu.h"

/* A vCPU's descriptor */

static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct axvcpu *vcpu = file->private_data;

	if (vma->vm_pgoff || vma_pages(vma) != 1)
		return -EINVAL;
	if (!(vma->vm_flags & VM_SHARED) || vma->vm_flags & VM_EXEC)
		return -EINVAL;
	vm_flags_mod(vma, VM_DONTEXPAND | VM_DONTDUMP, VM_MAYEXEC);
	return vm_insert_page(vma, vma->vm_start, virt_to_page(vcpu->run));
}

static void end_vcpu(struct axvcpu *vcpu)
{
	axvcpu_debugfs_del(vcpu);
	axvcpu_vcpu_destroy(vcpu);
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	end_vcpu(file->private_data);
	return 0;
}

static const struct file_operations vcpu_fops = {
	.owner = THIS_MODULE,
	.release = vcpu_release,
	.unlocked_ioctl = axvcpu_vcpu_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = vcpu_mmap,
	.llseek = noop_llseek,
};

/* The device's operations */

/* The descriptor is the last thing: once it is there, close() may come. */
static long install_fd(const char *name, const struct file_operations *fops, void *object)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	struct file *file;

	if (fd < 0)
		return fd;
	file = anon_inode_getfile(name, fops, object, O_RDWR);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

static long ioctl_get_info(union axvcpu_ioctl_arg *arg)
{
	const struct axvcpu_s2_format *s2 = axvcpu_arch.s2;
	struct axvcpu_info *info = &arg->info;
	unsigned int level;

	info->abi_version = AXVCPU_ABI_VERSION;
	info->abi_oldest = AXVCPU_ABI_OLDEST;
	info->map_access = s2->accesses;
	info->backend = axvcpu_arch.backend;
	info->caps = axvcpu_arch.caps();
	if (axvcpu_raw_root_enabled())
		info->caps |= AXVCPU_CAP_RAW_ROOT;
	info->gpa_bits = s2->gpa_bits;
	info->max_gpt_levels = s2->levels;
	info->run_size = PAGE_SIZE;
	info->max_regs = AXVCPU_MAX_REGS;
	for (level = 0; level < s2->levels; level++)
		if (s2->leaf_levels & BIT(level))
			info->page_sizes |= BIT_ULL(axvcpu_s2_level_shift(s2, level));
	strscpy(info->name, axvcpu_arch.name, sizeof(info->name));
	if (axvcpu_arch.counter_hz)
		info->counter_hz = axvcpu_arch.counter_hz();
	return 0;
}

static long ioctl_create_aspace(union axvcpu_ioctl_arg *arg)
{
	struct axvcpu_aspace *aspace;
	long fd;

	if (arg->create_aspace.flags || arg->create_aspace.reserved)
		return -EINVAL;
	aspace = axvcpu_aspace_create();
	if (IS_ERR(aspace))
		return PTR_ERR(aspace);
	fd = install_fd("[axvcpu-aspace]", &axvcpu_aspace_fops, aspace);
	if (fd < 0)
		axvcpu_aspace_put(aspace);
	return fd;
}

/* As sched_setaffinity() reads it: bits beyond the kernel's are ignored. */
static int copy_cpus(struct cpumask *cpus, const struct axvcpu_create_vcpu *args)
{
	size_t len = min_t(size_t, args->phys_cpu_set_len, axvcpu_cpumask_bytes());

	if (args->phys_cpu_set_len % sizeof(u64) || !args->phys_cpu_set != !args->phys_cpu_set_len)
		return -EINVAL;
	if (args->phys_cpu_set_len > PAGE_SIZE)
		return -E2BIG;
	if (!len) {
		cpumask_copy(cpus, cpu_possible_mask);
		return 0;
	}
	cpumask_clear(cpus);
	if (copy_from_user(cpumask_bits(cpus), u64_to_user_ptr(args->phys_cpu_set), len))
		return -EFAULT;
	cpumask_and(cpus, cpus, cpu_possible_mask);
	return cpumask_intersects(cpus, cpu_online_mask) ? 0 : -EINVAL;
}

static int check_create_vcpu(struct cpumask *cpus, const struct axvcpu_create_vcpu *args)
{
	int ret;

	if (args->flags || args->reserved0 || !axvcpu_reserved_ok(args->reserved))
		return -EINVAL;
	if (args->vcpu_id > AXVCPU_VCPU_ID_MAX)
		return -EINVAL;
	ret = copy_cpus(cpus, args);
	if (ret)
		return ret;
	if (args->favor_phys_cpu == -1)
		return 0;
	if (args->favor_phys_cpu < 0 || args->favor_phys_cpu >= nr_cpu_ids)
		return -EINVAL;
	return cpumask_test_cpu(args->favor_phys_cpu, cpus) ? 0 : -EINVAL;
}

static long ioctl_create_vcpu(union axvcpu_ioctl_arg *arg)
{
	struct axvcpu *vcpu;
	cpumask_var_t cpus;
	long ret;

	if (!zalloc_cpumask_var(&cpus, GFP_KERNEL))
		return -ENOMEM;
	ret = check_create_vcpu(cpus, &arg->create_vcpu);
	if (ret)
		goto out;
	vcpu = axvcpu_vcpu_create(&arg->create_vcpu, cpus);
	if (IS_ERR(vcpu)) {
		ret = PTR_ERR(vcpu);
		goto out;
	}
	axvcpu_debugfs_add(vcpu);
	ret = install_fd("[axvcpu-vcpu]", &vcpu_fops, vcpu);
	if (ret < 0)
		end_vcpu(vcpu);
out:
	free_cpumask_var(cpus);
	return ret;
}

#define DEVICE_FIRST	_IOC_NR(AXVCPU_GET_INFO)

static const struct axvcpu_ioctl device_ioctls[] = {
#define I(name, handler) \
	[_IOC_NR(AXVCPU_##name) - DEVICE_FIRST] = { AXVCPU_ROW_CMD(name), .device = handler }
	I(GET_INFO,		ioctl_get_info),
	I(CREATE_ASPACE,	ioctl_create_aspace),
	I(CREATE_VCPU,		ioctl_create_vcpu),
#undef I
};

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long uarg)
{
	const struct axvcpu_ioctl *ioctl = axvcpu_ioctl_find(device_ioctls, DEVICE_FIRST,
							     ARRAY_SIZE(device_ioctls), cmd);
	union axvcpu_ioctl_arg arg;

	return axvcpu_ioctl_with_arg(ioctl, &arg, cmd, uarg, ioctl->device(&arg));
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "axvcpu",
	.fops = &device_fops,
	.mode = 0660,
};

static int __init axvcpu_init(void)
{
	int ret;

	ret = axvcpu_arch.init();
	if (ret)
		return ret;
	axvcpu_run_init();
	ret = axvcpu_percpu_init();
	if (ret)
		goto err_arch;
	axvcpu_debugfs_init();
	ret = misc_register(&device);
	if (ret)
		goto err_percpu;
	pr_info("%s backend, %u-bit guest-physical addresses, capabilities %#llx\n",
		axvcpu_arch.name, axvcpu_arch.s2->gpa_bits, axvcpu_arch.caps());
	return 0;

err_percpu:
	axvcpu_debugfs_exit();
	axvcpu_percpu_exit();
err_arch:
	axvcpu_arch.exit();
	return ret;
}
module_init(axvcpu_init);

static void __exit axvcpu_exit(void)
{
	misc_deregister(&device);
	axvcpu_debugfs_exit();
	axvcpu_percpu_exit();
	axvcpu_arch.exit();
	axvcpu_age_exit();
}
module_exit(axvcpu_exit);

MODULE_DESCRIPTION("Hardware vCPUs as file descriptors");
MODULE_AUTHOR("The axvcpu developers");
MODULE_VERSION("0.2");
MODULE_LICENSE("GPL");

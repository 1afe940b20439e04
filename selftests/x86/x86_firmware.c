// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PC's firmware starts on the library's CPUID of a PC: from the reset vector to where it
 * looks for devices, on the PCI bus and in QEMU's way. selftests/Makefile has the images.
 */
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../tools/lib/include/libaxvcpu.h"
#include "kselftest_harness.h"

#define TOP		(1ULL << 32)
#define RAM_SIZE	(64UL << 20)
#define OLD_BIOS	0xe0000UL	/* the image's end is there, too */
#define OLD_BIOS_SIZE	0x20000UL
#define APIC		0xfee00000ULL
#define PAGE_SIZE	4096UL

#define PCI_ADDRESS	0xcf8
#define PCI_DATA	0xcfc
#define I440FX		0x12378086	/* the bridge that SeaBIOS and OVMF know */
#define FW_CFG		0x510

#define NR_MSRS		0x400
#define MSR_APIC_BASE	0x1b
#define MSR_MTRRCAP	0xfe

#define MAX_EXITS	100000

/* A machine without devices: memory, and MSRs that keep what is written */
struct pc {
	struct axvcpu_device *dev;
	struct axvcpu_aspace *aspace;
	struct axvcpu_vcpu *vcpu;
	uint8_t *ram, *flash, *apic;
	size_t flash_size;
	uint64_t msrs[NR_MSRS];
	unsigned int exits;
	bool pci, fw_cfg;	/* the guest has looked there */
};

FIXTURE(x86_firmware) {
	struct pc pc;
};

FIXTURE_VARIANT(x86_firmware) {
	const char *name;
	bool sets_mce;
};

FIXTURE_VARIANT_ADD(x86_firmware, ovmf) {
	.name = "ovmf",
	.sets_mce = true,
};

FIXTURE_VARIANT_ADD(x86_firmware, seabios) {
	.name = "seabios",
};

static void *anonymous(size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* The image stands beside the program. */
static int open_image(const char *name)
{
	char self[PATH_MAX] = "", path[PATH_MAX + 64];

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/x86_firmware-%s", dirname(self), name);
	return open(path, O_RDONLY);
}

static bool load_image(struct pc *pc, const char *name)
{
	int fd = open_image(name);
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat))
		return false;
	pc->flash_size = stat.st_size;
	pc->flash = mmap(NULL, pc->flash_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	close(fd);
	if (pc->flash == MAP_FAILED || pc->flash_size < OLD_BIOS_SIZE)
		return false;
	memcpy(pc->ram + OLD_BIOS, pc->flash + pc->flash_size - OLD_BIOS_SIZE, OLD_BIOS_SIZE);
	return true;
}

static int map(struct pc *pc, uint64_t gpa, void *mem, size_t size)
{
	return axvcpu_aspace_map(pc->aspace, gpa, mem, size, AXVCPU_MAP_ALL);
}

FIXTURE_SETUP(x86_firmware)
{
	struct pc *pc = &self->pc;

	pc->ram = anonymous(RAM_SIZE);
	pc->apic = anonymous(PAGE_SIZE);
	ASSERT_NE(MAP_FAILED, pc->ram);
	ASSERT_NE(MAP_FAILED, pc->apic);
	if (!load_image(pc, variant->name))
		SKIP(return, "no image of this firmware");
	ASSERT_EQ(0, axvcpu_device_open(NULL, &pc->dev));
	ASSERT_EQ(0, axvcpu_aspace_create(pc->dev, &pc->aspace));
	ASSERT_EQ(0, map(pc, 0, pc->ram, RAM_SIZE));
	ASSERT_EQ(0, map(pc, APIC, pc->apic, PAGE_SIZE));
	ASSERT_EQ(0, map(pc, TOP - pc->flash_size, pc->flash, pc->flash_size));
	ASSERT_EQ(0, axvcpu_vcpu_create(pc->dev, NULL, &pc->vcpu));
	pc->msrs[MSR_APIC_BASE] = APIC | 0x900;		/* on, of the bootstrap processor */
	pc->msrs[MSR_MTRRCAP] = 0x508;			/* 8, fixed ones, write combining */
}

FIXTURE_TEARDOWN(x86_firmware)
{
	struct pc *pc = &self->pc;

	axvcpu_vcpu_close(pc->vcpu);
	axvcpu_aspace_close(pc->aspace);
	axvcpu_device_close(pc->dev);
}

static int on_any(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct pc *pc = data;

	return ++pc->exits > MAX_EXITS;
}

/* All that there is on the bus is a bridge. */
static int on_io(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	unsigned int pci_byte = run->io.port - PCI_DATA;
	struct pc *pc = data;

	pc->pci |= run->io.port == PCI_ADDRESS;
	pc->fw_cfg |= run->io.port == FW_CFG;
	axvcpu_answer_io(run, pci_byte < 4 ? I440FX >> 8 * pci_byte : UINT64_MAX);
	return pc->fw_cfg;
}

static int on_msr(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	struct pc *pc = data;

	if (run->sysreg.addr >= NR_MSRS) {
		axvcpu_fault_sysreg(run);
		return 0;
	}
	if (run->exit_reason == AXVCPU_EXIT_SYSREG_WRITE)
		pc->msrs[run->sysreg.addr] = run->sysreg.value;
	axvcpu_answer_sysreg(run, pc->msrs[run->sysreg.addr]);
	return 0;
}

static int on_end(struct axvcpu_vcpu *vcpu, struct axvcpu_run *run, void *data)
{
	return 1;
}

static const struct axvcpu_handlers handlers = {
	.before = on_any,
	.other = on_end,
	.exit = {
		[AXVCPU_EXIT_IO_READ] = on_io,
		[AXVCPU_EXIT_IO_WRITE] = on_io,
		[AXVCPU_EXIT_SYSREG_READ] = on_msr,
		[AXVCPU_EXIT_SYSREG_WRITE] = on_msr,
	},
};

static int start(struct pc *pc)
{
	int err = axvcpu_vcpu_setup_reset(pc->vcpu, pc->aspace);

	if (!err)
		err = axvcpu_vcpu_bind(pc->vcpu, -1);
	return err ? err : axvcpu_vcpu_loop(pc->vcpu, 0, &handlers, pc);
}

TEST_F(x86_firmware, looks_for_devices)
{
	struct pc *pc = &self->pc;
	char text[160];

	ASSERT_EQ(0, axvcpu_x86_set_cpuid_preset(pc->vcpu, AXVCPU_X86_PRESET_PC));
	ASSERT_EQ(1, start(pc)) TH_LOG("%s", axvcpu_error_text());
	axvcpu_vcpu_exit_text(pc->vcpu, text, sizeof(text));
	EXPECT_TRUE(pc->pci) TH_LOG("the last of %u exits: %s", pc->exits, text);
	EXPECT_TRUE(pc->fw_cfg) TH_LOG("the last of %u exits: %s", pc->exits, text);
}

/* Without it, setting CR4.MCE is the end. */
TEST_F(x86_firmware, on_the_minimal_cpuid)
{
	struct pc *pc = &self->pc;

	ASSERT_EQ(0, axvcpu_x86_set_cpuid_preset(pc->vcpu, AXVCPU_X86_PRESET_MINIMAL));
	ASSERT_EQ(1, start(pc));
	EXPECT_EQ(variant->sets_mce,
		  axvcpu_vcpu_page(pc->vcpu)->exit_reason == AXVCPU_EXIT_SHUTDOWN);
	EXPECT_EQ(!variant->sets_mce, pc->fw_cfg);
}

TEST_HARNESS_MAIN

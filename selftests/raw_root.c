// SPDX-License-Identifier: GPL-2.0-only
/*
 * A second-stage table that the VMM made by hand, out of its own memory: who
 * may hand it in, and that the guest then runs on it.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"

#define PAGE		4096UL
#define ENTRIES		512

/* EPT, whose form the mock's tables have too: SDM vol. 3, 29.3.2 */
#define EPT_READ	(1 << 0)
#define EPT_WRITE	(1 << 1)
#define EPT_EXEC	(1 << 2)
#define EPT_ALL		(EPT_READ | EPT_WRITE | EPT_EXEC)
#define EPT_WB		(6 << 3)

#define PAGEMAP_PRESENT	(1ULL << 63)
#define PAGEMAP_PFN	((1ULL << 55) - 1)

struct table {
	uint64_t entry[ENTRIES];
};

FIXTURE(raw_root) {
	struct guest g;
	struct guest_vcpu v;
	struct table *table;		/* four levels, the root first */
	uint64_t root;
	const char *module;
};

/* Where a page of ours is in the host's memory; 0: the kernel doesn't tell */
static uint64_t physical_address(const void *p)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (pread(fd, &entry, sizeof(entry), (uintptr_t)p / PAGE * sizeof(entry)) != sizeof(entry))
		entry = 0;
	close(fd);
	return entry & PAGEMAP_PRESENT ? (entry & PAGEMAP_PFN) * PAGE : 0;
}

/* Memory that stays where it is */
static void *fixed_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_LOCKED, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* The guest's memory at guest-physical 0, as MAP would have it. */
static void make_table(FIXTURE_DATA(raw_root) *self)
{
	for (int level = 0; level < 3; level++)
		self->table[level].entry[0] =
			physical_address(&self->table[level + 1]) | EPT_ALL;
	for (size_t i = 0; i < self->g.size / PAGE; i++)
		self->table[3].entry[i] =
			physical_address(self->g.mem + i * PAGE) | EPT_ALL | EPT_WB;
	self->root = physical_address(&self->table[0]);
}

/* The module is loaded anew, with the parameter. */
static int open_with(FIXTURE_DATA(raw_root) *self, const char *args)
{
	int err = guest_open(&self->g);

	if (err)
		return err;
	self->module = self->g.info.backend == AXVCPU_BACKEND_MOCK ? "axvcpu_mock" : "axvcpu";
	close(self->g.dev);
	err = module_unload(self->module);
	if (!err)
		err = module_load(self->module, args);
	return err ? err : guest_open(&self->g);
}

FIXTURE_SETUP(raw_root)
{
	self->v.fd = -1;
	ASSERT_EQ(0, open_with(self, "raw_root=1"));
	self->g.size = GUEST_MEM_SIZE;
	self->g.mem = fixed_memory(self->g.size);
	self->table = fixed_memory(4 * PAGE);
	ASSERT_NE(NULL, self->g.mem);
	ASSERT_NE(NULL, self->table);
	self->g.isa->init_memory(self->g.mem);
	make_table(self);
	ASSERT_NE(0, self->root);
	ASSERT_EQ(0, vcpu_create(&self->g, &self->v, 0));
}

FIXTURE_TEARDOWN(raw_root)
{
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
	module_unload(self->module);
	module_load(self->module, "");
}

static int setup(FIXTURE_DATA(raw_root) *self, uint64_t root)
{
	struct axvcpu_setup args;

	setup_init(&self->g, &args, GUEST_PROG(0));
	args.flags = AXVCPU_SETUP_RAW_ROOT;
	args.raw_root = root;
	args.aspace_fd = -1;
	return XIOCTL(self->v.fd, AXVCPU_SETUP, &args);
}

static int set_root(FIXTURE_DATA(raw_root) *self, uint64_t root)
{
	struct axvcpu_set_ept_root args = {
		.raw_root = root,
		.aspace_fd = -1,
		.flags = AXVCPU_SETUP_RAW_ROOT,
	};

	return XIOCTL(self->v.fd, AXVCPU_SET_EPT_ROOT, &args);
}

/* Adds one to the word at GUEST_DATA and says so, over and over. */
static void write_program(FIXTURE_DATA(raw_root) *self)
{
	struct guest_prog p;
	int loop;

	g_begin(&p, &self->g, GUEST_PROG(0));
	g_movi(&p, G0, GUEST_DATA);
	loop = g_here(&p);
	g_load(&p, G1, G0, 8);
	g_addi(&p, G1, 1);
	g_store(&p, G1, G0, 8);
	g_out(&p, 0x10, G1, 4);
	g_jmp(&p, loop);
	g_end(&p);
}

static int have_capability(bool on)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2], *word = &data[CAP_TO_INDEX(CAP_SYS_RAWIO)];

	if (syscall(SYS_capget, &header, data))
		return -errno;
	word->effective &= ~CAP_TO_MASK(CAP_SYS_RAWIO);
	if (on)
		word->effective |= CAP_TO_MASK(CAP_SYS_RAWIO);
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

#define EXPECT_REFUSED()						\
do {									\
	EXPECT_EQ(-EPERM, setup(self, self->root));			\
	EXPECT_EQ(-EPERM, set_root(self, self->root));			\
	EXPECT_EQ(AXVCPU_STATE_CREATED, get_state(self->v.fd));		\
} while (0)

/* Without the capability or the parameter, which is shown, nothing happens. */
TEST_F(raw_root, permission)
{
	EXPECT_NE(0, self->g.info.caps & AXVCPU_CAP_RAW_ROOT);
	ASSERT_EQ(0, have_capability(false));
	EXPECT_REFUSED();
	ASSERT_EQ(0, have_capability(true));
	vcpu_destroy(&self->v);
	close(self->g.dev);

	ASSERT_EQ(0, module_unload(self->module));
	ASSERT_EQ(0, module_load(self->module, ""));
	self->g.dev = open(GUEST_DEVICE, O_RDWR | O_CLOEXEC);
	ASSERT_EQ(0, XIOCTL(self->g.dev, AXVCPU_GET_INFO, &self->g.info));
	EXPECT_EQ(0, self->g.info.caps & AXVCPU_CAP_RAW_ROOT);
	ASSERT_EQ(0, vcpu_create(&self->g, &self->v, 0));
	EXPECT_REFUSED();
}

/* What is not a root makes the vCPU Invalid. */
TEST_F(raw_root, malformed)
{
	const uint64_t roots[] = { 0, self->root + 8, self->root | 1ULL << 52, ~0xfffULL };

	for (int i = 0; i < ARRAY_SIZE(roots); i++) {
		EXPECT_EQ(-EINVAL, i & 1 ? setup(self, roots[i]) : set_root(self, roots[i]));
		EXPECT_EQ(AXVCPU_STATE_INVALID, get_state(self->v.fd));
		ASSERT_EQ(0, reset_vcpu(self->v.fd));
	}
}

static int start(FIXTURE_DATA(raw_root) *self, bool stepped)
{
	struct axvcpu_set_entry entry = { .entry = GUEST_PROG(0) };
	struct axvcpu_setup args;
	int err;

	if (!stepped) {
		err = setup(self, self->root);
		return err ? err : bind_vcpu(self->v.fd, -1);
	}
	setup_init(&self->g, &args, 0);
	args.flags = AXVCPU_SETUP_STEPPED;
	args.aspace_fd = -1;
	err = set_root(self, self->root);
	if (!err)
		err = XIOCTL(self->v.fd, AXVCPU_SET_ENTRY, &entry);
	if (!err)
		err = XIOCTL(self->v.fd, AXVCPU_SETUP, &args);
	return err ? err : bind_vcpu(self->v.fd, -1);
}

/* The guest runs on the table: its memory is ours, what is not there faults. */
TEST_F(raw_root, guest_runs)
{
	volatile uint64_t *word = (uint64_t *)(self->g.mem + GUEST_DATA);
	uint64_t *leaf = &self->table[3].entry[GUEST_DATA / PAGE], was = *leaf;

	write_program(self);
	for (int stepped = 0; stepped < 2; stepped++) {
		*word = 41;
		ASSERT_EQ(0, start(self, stepped));
		ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
		EXPECT_EQ(42, self->v.run->io.data);
		EXPECT_EQ(42, *word);
		ASSERT_EQ(0, unbind_vcpu(self->v.fd));
		ASSERT_EQ(0, reset_vcpu(self->v.fd));
	}

	*leaf = 0;
	ASSERT_EQ(0, start(self, false));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_NESTED_PAGE_FAULT));
		EXPECT_EQ(GUEST_DATA, self->v.run->fault.gpa);
		EXPECT_EQ(AXVCPU_MAP_READ, self->v.run->fault.access);
	}
	*leaf = was & ~EPT_WRITE;
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_NESTED_PAGE_FAULT));
	EXPECT_EQ(GUEST_DATA, self->v.run->fault.gpa);
	EXPECT_NE(0, self->v.run->fault.access & AXVCPU_MAP_WRITE);
	EXPECT_EQ(42, *word);
	*leaf = was;
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	EXPECT_EQ(43, *word);
	/* A misconfiguration: writable and not readable. */
	*leaf = was & ~EPT_READ;
	ASSERT_EQ(0, unbind_vcpu(self->v.fd));
	ASSERT_EQ(0, reset_vcpu(self->v.fd));
	ASSERT_EQ(0, start(self, false));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_UNKNOWN));
	*leaf = was;
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	EXPECT_EQ(44, *word);
	EXPECT_EQ(self->root, physical_address(&self->table[0])) TH_LOG("the table has moved");
}

TEST_HARNESS_MAIN

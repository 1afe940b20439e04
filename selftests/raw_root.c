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
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"

#define PAGE		((uint64_t)sysconf(_SC_PAGESIZE))
#define SECURITY	"/sys/kernel/security"
#define MAX_LEVELS	4
#define NR_PAGES	64		/* of which the tables are chosen */

#define PAGEMAP_PRESENT	(1ULL << 63)
#define PAGEMAP_PFN	((1ULL << 55) - 1)

/**
 * struct format - how a table is written
 * @table: an entry that leads to another table
 * @page: one that leads to a page, with all access
 * @write: what is missing in one without write access
 * @need: a bit without which hardware can't use the entry, and exits in another way
 */
struct format {
	uint64_t table, page, write, need;
};

/* EPT, whose form the mock's tables have too: SDM vol. 3, 29.3.2 */
static const struct format ept = {
	.table = 7,
	.page = 7 | 6 << 3,
	.write = 1 << 1,
	.need = 1 << 0,			/* a misconfiguration: writable, not readable */
};

/*
 * Stage 2: Arm ARM, D8.3. The memory type is write-back or whatever stage 1
 * says, with FWB; without, it is cacheable by the inner caches, which are all
 * there are.
 */
static const struct format stage2 = {
	.table = 3,
	.page = 3 | 7 << 2 | 3 << 6 | 3 << 8 | 1 << 10,
	.write = 1 << 7,
	.need = 1 << 10,		/* AF */
};

FIXTURE(raw_root) {
	struct guest g;
	struct guest_vcpu v;
	const struct format *format;
	int levels;
	uint64_t *tables[MAX_LEVELS];	/* the root first */
	uint64_t root;
	const char *module;
	bool locked;	/* no module can be loaded any more */
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

static uint64_t *leaf(FIXTURE_DATA(raw_root) *self, uint64_t gpa)
{
	return &self->tables[self->levels - 1][gpa / PAGE];
}

/* Stage 2 has as few levels as it can when the root is up to 16 tables side by side. */
static void choose_format(FIXTURE_DATA(raw_root) *self)
{
	int page_bits = __builtin_ctzll(PAGE), level_bits = page_bits - 3;

	if (self->g.info.backend == AXVCPU_BACKEND_VHE) {
		self->format = &stage2;
		self->levels = (self->g.info.gpa_bits - 4 - page_bits + level_bits - 1) /
			       level_bits;
	} else {
		self->format = &ept;
		self->levels = 4;
	}
}

/*
 * The root is aligned to its size; no address leads to any part of it but the
 * first page.
 */
static int choose_tables(FIXTURE_DATA(raw_root) *self)
{
	uint8_t *pages = fixed_memory(NR_PAGES * PAGE);
	int page_bits = __builtin_ctzll(PAGE), bits, level = 1;
	uint64_t align;

	if (!pages)
		return -ENOMEM;
	bits = page_bits + self->levels * (page_bits - 3);
	align = self->g.info.gpa_bits > bits ? PAGE << (self->g.info.gpa_bits - bits) : PAGE;
	for (int i = 0; i < NR_PAGES; i++) {
		uint64_t *page = (uint64_t *)(pages + i * PAGE);

		if (!self->tables[0] && !(physical_address(page) & (align - 1)))
			self->tables[0] = page;
		else if (level < self->levels)
			self->tables[level++] = page;
	}
	return self->tables[0] ? 0 : -ENOMEM;
}

/* The guest's memory at guest-physical 0, as MAP would have it. */
static void make_table(FIXTURE_DATA(raw_root) *self)
{
	for (int level = 0; level < self->levels - 1; level++)
		*self->tables[level] =
			physical_address(self->tables[level + 1]) | self->format->table;
	for (uint64_t gpa = 0; gpa < self->g.size; gpa += PAGE)
		*leaf(self, gpa) = physical_address(self->g.mem + gpa) | self->format->page;
	self->root = physical_address(self->tables[0]);
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
	ASSERT_NE(NULL, self->g.mem);
	choose_format(self);
	ASSERT_EQ(0, choose_tables(self));
	self->g.isa->init_memory(self->g.mem);
	make_table(self);
	ASSERT_NE(0, self->root);
	ASSERT_EQ(0, vcpu_create(&self->g, &self->v, 0));
}

FIXTURE_TEARDOWN(raw_root)
{
	vcpu_destroy(&self->v);
	guest_destroy(&self->g);
	if (self->locked)
		return;
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

/* Another entry for the word's page; hardware forgets the old one with the root. */
static int change_leaf(FIXTURE_DATA(raw_root) *self, uint64_t entry)
{
	int err = unbind_vcpu(self->v.fd);

	*(volatile uint64_t *)leaf(self, GUEST_DATA) = entry;
	if (!err)
		err = reset_vcpu(self->v.fd);
	return err ? err : start(self, false);
}

/* The guest runs on the table: its memory is ours, what is not there faults. */
TEST_F(raw_root, guest_runs)
{
	volatile uint64_t *word = (uint64_t *)(self->g.mem + GUEST_DATA);
	uint64_t was = *leaf(self, GUEST_DATA);

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

	ASSERT_EQ(0, start(self, false));
	ASSERT_EQ(0, change_leaf(self, 0));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_NESTED_PAGE_FAULT));
		EXPECT_EQ(GUEST_DATA, self->v.run->fault.gpa);
		EXPECT_EQ(AXVCPU_MAP_READ, self->v.run->fault.access);
	}
	ASSERT_EQ(0, change_leaf(self, was & ~self->format->write));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_NESTED_PAGE_FAULT));
	EXPECT_EQ(GUEST_DATA, self->v.run->fault.gpa);
	EXPECT_NE(0, self->v.run->fault.access & AXVCPU_MAP_WRITE);
	EXPECT_EQ(42, *word);
	ASSERT_EQ(0, change_leaf(self, was));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	EXPECT_EQ(43, *word);
	ASSERT_EQ(0, change_leaf(self, was & ~self->format->need));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_UNKNOWN));
	ASSERT_EQ(0, change_leaf(self, was));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
	EXPECT_EQ(44, *word);
	EXPECT_EQ(self->root, physical_address(self->tables[0])) TH_LOG("the table has moved");
}

/* What the table names and no memory answers to: an abort from outside ends the guest only. */
TEST_F(raw_root, memory_that_does_not_answer)
{
	uint64_t was = *leaf(self, GUEST_DATA);

	if (self->g.info.backend != AXVCPU_BACKEND_VHE)
		SKIP(return, "x86 reads all ones there");
	write_program(self);
	ASSERT_EQ(0, start(self, false));
	ASSERT_EQ(0, change_leaf(self, 0xff0000000000 | self->format->page));
	/* QEMU gives it to the guest, which then turns itself off, whatever HCR_EL2.TEA says. */
	ASSERT_EQ(0, run_vcpu(self->v.fd, 0));
	if (self->v.run->exit_reason != AXVCPU_EXIT_SHUTDOWN) {
		ASSERT_EQ(AXVCPU_EXIT_UNKNOWN, self->v.run->exit_reason);
		EXPECT_EQ(0x10, self->v.run->unknown.hw_reason & 0x3f);
	}
	ASSERT_EQ(0, change_leaf(self, was));
	ASSERT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
}

/* The last one here, and of a boot: there is no way back. */
TEST_F(raw_root, kernel_is_locked_down)
{
	mount("none", SECURITY, "securityfs", 0, NULL);
	write_program(self);
	ASSERT_EQ(0, set_root(self, self->root));
	vcpu_destroy(&self->v);
	if (write_text(SECURITY "/lockdown", "integrity"))
		SKIP(return, "no lockdown: %s", strerror(errno));
	self->locked = true;
	ASSERT_EQ(0, vcpu_create(&self->g, &self->v, 0));
	EXPECT_REFUSED();

	/* What is not raw is as it was. */
	self->g.aspace = create_aspace(self->g.dev);
	ASSERT_EQ(0, map_memory(self->g.aspace, 0, self->g.size, self->g.mem, AXVCPU_MAP_ALL));
	ASSERT_EQ(0, vcpu_setup(&self->g, &self->v, GUEST_PROG(0)));
	ASSERT_EQ(0, bind_vcpu(self->v.fd, -1));
	EXPECT_EQ(0, run_until(&self->v, AXVCPU_EXIT_IO_WRITE));
}

TEST_HARNESS_MAIN

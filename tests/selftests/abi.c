// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctl interface with every argument that is wrong: the right errno, and
 * nothing changed. Then the few unusual calls that have to work.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "libcoll.h"
#include "libfs.h"

#define DIMS	10
#define ROWS	20
/* An address that no process has. */
#define NOWHERE	0xffff800000000000ull

union arg {
	struct {
		__u32 size;
		__u32 flags;
	};
	struct vexfs_create create;
	struct vexfs_info info;
	struct vexfs_search search;
	struct vexfs_insert insert;
	struct vexfs_delete del;
	struct vexfs_get get;
	struct vexfs_iterate iterate;
	struct vexfs_wait wait;
	char bytes[2 * 4096];
};

static const struct cmd {
	const char	*name;
	unsigned int	nr;
	size_t		size;
	bool		writes;
} cmds[] = {
	{ "info", VEXFS_IOC_INFO, sizeof(struct vexfs_info), false },
	{ "search", VEXFS_IOC_SEARCH, sizeof(struct vexfs_search), false },
	{ "insert", VEXFS_IOC_INSERT, sizeof(struct vexfs_insert), true },
	{ "delete", VEXFS_IOC_DELETE, sizeof(struct vexfs_delete), true },
	{ "get", VEXFS_IOC_GET, sizeof(struct vexfs_get), false },
	{ "iterate", VEXFS_IOC_ITERATE, sizeof(struct vexfs_iterate), false },
	{ "wait", VEXFS_IOC_WAIT, sizeof(struct vexfs_wait), false },
};

#define NCMDS	(sizeof(cmds) / sizeof(cmds[0]))

FIXTURE(abi) {
	char		dir[256];
	int		fd;
	uint64_t	before;
	float		rows[ROWS * DIMS];
	uint64_t	ids[ROWS];
	struct vexfs_hit hits[ROWS];
	uint8_t		found[ROWS];
	union arg	a;
	unsigned int	nr;
};

FIXTURE_SETUP(abi)
{
	int i;

	ASSERT_EQ(0, fs_enter(self->dir, sizeof(self->dir)));
	self->fd = coll_create("c", DIMS, VEXFS_L2, VEXFS_HNSW);
	ASSERT_LE(0, self->fd);
	for (i = 0; i < ROWS; i++) {
		coll_fill_ints(self->rows + i * DIMS, DIMS, i + 1);
		self->ids[i] = 100 + i;
	}
	ASSERT_EQ(0, coll_insert(self->fd, self->ids, self->rows, ROWS, 0,
				 NULL));
	ASSERT_EQ(0, coll_wait(self->fd, 60000));
	self->before = coll_digest(self->fd);
	ASSERT_NE(0, self->before);
}

FIXTURE_TEARDOWN(abi)
{
	if (self->fd >= 0)
		close(self->fd);
	EXPECT_EQ(0, fs_leave(self->dir));
}

#define SELF	FIXTURE_DATA(abi)

/* Arguments with which @nr succeeds; an insert adds one vector. */
static void good(SELF *self, unsigned int nr)
{
	union arg *a = &self->a;

	self->nr = nr;
	memset(a, 0, sizeof(*a));
	a->size = _IOC_SIZE(nr);
	switch (nr) {
	case VEXFS_IOC_SEARCH:
		a->search.queries = (uintptr_t)self->rows;
		a->search.hits = (uintptr_t)self->hits;
		a->search.nqueries = 1;
		a->search.k = 5;
		break;
	case VEXFS_IOC_INSERT:
		a->insert.vectors = (uintptr_t)self->rows;
		a->insert.count = 1;
		break;
	case VEXFS_IOC_DELETE:
		a->del.ids = (uintptr_t)self->ids;
		a->del.count = 1;
		break;
	case VEXFS_IOC_GET:
		a->get.ids = (uintptr_t)self->ids;
		a->get.vectors = (uintptr_t)self->rows;
		a->get.found = (uintptr_t)self->found;
		a->get.count = 2;
		break;
	case VEXFS_IOC_ITERATE:
		a->iterate.ids = (uintptr_t)self->ids;
		a->iterate.max = 3;
		break;
	case VEXFS_IOC_CREATE:
		a->create.dims = DIMS;
		a->create.type = VEXFS_TYPE_F32;
		a->create.metric = VEXFS_L2;
		a->create.index = VEXFS_HNSW;
		break;
	}
}

static int call(int fd, unsigned int nr, void *arg)
{
	return ioctl(fd, nr, arg) ? errno : 0;
}

static void check(struct __test_metadata *_metadata, int want, int got,
		  const char *what)
{
	EXPECT_EQ(want, got) {
		TH_LOG("%s: errno %d, not %d", what, got, want);
	}
}

static void unchanged(struct __test_metadata *_metadata, SELF *self,
		      const char *what)
{
	EXPECT_EQ(self->before, coll_digest(self->fd)) {
		TH_LOG("%s changed the collection", what);
	}
}

/* The call that good() prepared, with something set wrong since. */
static void bad(struct __test_metadata *_metadata, SELF *self, int want,
		const char *what)
{
	check(_metadata, want, call(self->fd, self->nr, &self->a), what);
	unchanged(_metadata, self, what);
}

#define CHECK(want, got, what)	check(_metadata, want, got, what)
#define UNCHANGED(what)		unchanged(_metadata, self, what)
#define BAD(cmd, want, set) do {					\
	good(self, cmd);						\
	set;								\
	bad(_metadata, self, want, #set);				\
} while (0)

#define A	(self->a)

TEST_F(abi, sizes)
{
	size_t i;

	for (i = 0; i < NCMDS; i++) {
		const struct cmd *c = &cmds[i];

		good(self, c->nr);
		A.size = 0;
		CHECK(EINVAL, call(self->fd, c->nr, &A), c->name);
		A.size = c->size - 1;
		CHECK(EINVAL, call(self->fd, c->nr, &A), c->name);
		A.size = c->size + 8;
		A.bytes[c->size + 7] = 1;
		CHECK(E2BIG, call(self->fd, c->nr, &A), c->name);
		A.bytes[c->size + 7] = 0;
		A.size = 4097;
		CHECK(E2BIG, call(self->fd, c->nr, &A), c->name);
		A.size = UINT_MAX;
		CHECK(E2BIG, call(self->fd, c->nr, &A), c->name);
	}
	UNCHANGED("a wrong size");
}

/* What a program built with a later header would pass. */
TEST_F(abi, larger_structures_with_zeroes)
{
	size_t i;

	for (i = 0; i < NCMDS; i++) {
		const struct cmd *c = &cmds[i];
		unsigned int nr = _IOC(_IOC_READ | _IOC_WRITE, 'V',
				       _IOC_NR(c->nr), c->size + 16);

		good(self, c->nr);
		A.size = c->size + 16;
		CHECK(0, call(self->fd, nr, &A), c->name);
		EXPECT_EQ(c->size + 16, A.size);
	}
}

TEST_F(abi, unknown_flags)
{
	size_t i;
	int bit;

	for (i = 0; i < NCMDS; i++)
		for (bit = 0; bit < 32; bit++) {
			if (bit == 0 && (cmds[i].writes ||
					 cmds[i].nr == VEXFS_IOC_SEARCH))
				continue;
			good(self, cmds[i].nr);
			A.flags = 1u << bit;
			CHECK(EINVAL, call(self->fd, cmds[i].nr, &A),
			      cmds[i].name);
		}
	UNCHANGED("an unknown flag");
}

TEST_F(abi, reserved_fields)
{
	BAD(VEXFS_IOC_SEARCH, EINVAL, A.search.filter = 1);
	BAD(VEXFS_IOC_SEARCH, EINVAL, A.search.reserved0 = 1);
	BAD(VEXFS_IOC_SEARCH, EINVAL, A.search.reserved[3] = 1);
	BAD(VEXFS_IOC_INSERT, EINVAL, A.insert.columns = 1);
	BAD(VEXFS_IOC_INSERT, EINVAL, A.insert.reserved[0] = 1);
	BAD(VEXFS_IOC_INSERT, EINVAL, A.insert.reserved[1] = 1);
	BAD(VEXFS_IOC_DELETE, EINVAL, A.del.reserved[0] = 1);
	BAD(VEXFS_IOC_DELETE, EINVAL, A.del.reserved[1] = 1);
	BAD(VEXFS_IOC_GET, EINVAL, A.get.columns = 1);
	BAD(VEXFS_IOC_GET, EINVAL, A.get.reserved[1] = 1);
	BAD(VEXFS_IOC_ITERATE, EINVAL, A.iterate.columns = 1);
	BAD(VEXFS_IOC_ITERATE, EINVAL, A.iterate.reserved[1] = 1);
	BAD(VEXFS_IOC_WAIT, EINVAL, A.wait.reserved0 = 1);
	BAD(VEXFS_IOC_WAIT, EINVAL, A.wait.reserved[1] = 1);
}

TEST_F(abi, argument_pointer)
{
	void *ro = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	ASSERT_NE(MAP_FAILED, ro);
	for (i = 0; i < NCMDS; i++) {
		const struct cmd *c = &cmds[i];

		CHECK(EFAULT, call(self->fd, c->nr, NULL), c->name);
		CHECK(EFAULT, call(self->fd, c->nr, (void *)NOWHERE), c->name);
		/* No room for the results, and no harm done. */
		good(self, c->nr);
		ASSERT_EQ(0, mprotect(ro, 4096, PROT_READ | PROT_WRITE));
		memcpy(ro, &A, c->size);
		ASSERT_EQ(0, mprotect(ro, 4096, PROT_READ));
		CHECK(EFAULT, call(self->fd, c->nr, ro), c->name);
	}
	munmap(ro, 4096);
	UNCHANGED("a bad argument pointer");
}

TEST_F(abi, insert_arguments)
{
	static const uint64_t twice[2] = { 7, 7 };
	static const uint64_t last[1] = { UINT64_MAX };
	static const uint64_t wrong[2] = { 500, 105 };

	BAD(VEXFS_IOC_INSERT, EFAULT, A.insert.vectors = 0);
	BAD(VEXFS_IOC_INSERT, EFAULT, A.insert.vectors = NOWHERE);
	BAD(VEXFS_IOC_INSERT, EFAULT, A.insert.vectors = UINT64_MAX - 3);
	BAD(VEXFS_IOC_INSERT, EFAULT, A.insert.ids = 8);
	BAD(VEXFS_IOC_INSERT, EFAULT, A.insert.ids = NOWHERE);
	BAD(VEXFS_IOC_INSERT, EINVAL, A.insert.count = 0);
	BAD(VEXFS_IOC_INSERT, EINVAL, A.insert.count = VEXFS_BATCH_MAX + 1);
	BAD(VEXFS_IOC_INSERT, EINVAL, A.insert.count = UINT_MAX);
	BAD(VEXFS_IOC_INSERT, EINVAL, A.insert.stride = 1);
	BAD(VEXFS_IOC_INSERT, EINVAL, A.insert.stride = DIMS * 4 - 1);
	BAD(VEXFS_IOC_INSERT, EFAULT, A.insert.count = 1000000;
	    A.insert.stride = 0xfffffff0);
	BAD(VEXFS_IOC_INSERT, EINVAL, A.insert.ids = (uintptr_t)last);
	BAD(VEXFS_IOC_INSERT, EEXIST, A.insert.ids = (uintptr_t)twice;
	    A.insert.count = 2);
	BAD(VEXFS_IOC_INSERT, EEXIST, A.insert.ids = (uintptr_t)self->ids);
	BAD(VEXFS_IOC_INSERT, EEXIST, A.insert.ids = (uintptr_t)wrong;
	    A.insert.count = 2);
}

/* Twice in a batch that replaces: the later vector counts. */
TEST_F(abi, upsert_twice)
{
	static const uint64_t twice[2] = { 7, 7 };
	struct vexfs_info info;
	float v[DIMS];

	ASSERT_EQ(0, coll_insert(self->fd, twice, self->rows, 2,
				 VEXFS_INSERT_UPSERT, NULL));
	ASSERT_EQ(0, coll_info(self->fd, &info));
	EXPECT_EQ(ROWS + 1, info.count);
	EXPECT_EQ(1, coll_get(self->fd, twice, 1, v, NULL));
	EXPECT_EQ(0, memcmp(v, self->rows + DIMS, sizeof(v)));
}

/* The last of a large batch is where a buffer has been filled many times. */
TEST_F(abi, insert_faults_late)
{
	size_t len = 4 << 20;
	uint32_t n = len / (DIMS * 4);
	char *p = mmap(NULL, len + 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, mprotect(p + len, 4096, PROT_NONE));
	BAD(VEXFS_IOC_INSERT, EFAULT, A.insert.vectors = (uintptr_t)p;
	    A.insert.count = n + 1);
	((float *)p)[n * DIMS - 1] = NAN;
	BAD(VEXFS_IOC_INSERT, EINVAL, A.insert.vectors = (uintptr_t)p;
	    A.insert.count = n);
	munmap(p, len + 4096);
}

TEST_F(abi, elements_not_finite)
{
	static const float wrong[] = { NAN, INFINITY, -INFINITY };
	size_t i, at;

	for (i = 0; i < 3; i++)
		for (at = 0; at < DIMS; at += DIMS - 1) {
			float v[DIMS] = { 0 };

			v[at] = wrong[i];
			BAD(VEXFS_IOC_INSERT, EINVAL,
			    A.insert.vectors = (uintptr_t)v);
			BAD(VEXFS_IOC_SEARCH, EINVAL,
			    A.search.queries = (uintptr_t)v);
			BAD(VEXFS_IOC_SEARCH, EINVAL,
			    A.search.queries = (uintptr_t)v;
			    A.flags = VEXFS_SEARCH_EXACT);
		}
}

TEST_F(abi, delete_arguments)
{
	static const uint64_t missing[2] = { 100, 99 };

	BAD(VEXFS_IOC_DELETE, EFAULT, A.del.ids = 0);
	BAD(VEXFS_IOC_DELETE, EFAULT, A.del.ids = NOWHERE);
	BAD(VEXFS_IOC_DELETE, EINVAL, A.del.count = 0);
	BAD(VEXFS_IOC_DELETE, EINVAL, A.del.count = VEXFS_BATCH_MAX + 1);
	BAD(VEXFS_IOC_DELETE, EINVAL, A.del.count = UINT_MAX);
	BAD(VEXFS_IOC_DELETE, ENOENT, A.del.ids = (uintptr_t)missing;
	    A.del.count = 2);
}

TEST_F(abi, get_arguments)
{
	BAD(VEXFS_IOC_GET, EFAULT, A.get.ids = 0);
	BAD(VEXFS_IOC_GET, EFAULT, A.get.ids = NOWHERE);
	BAD(VEXFS_IOC_GET, EFAULT, A.get.vectors = NOWHERE);
	BAD(VEXFS_IOC_GET, EFAULT, A.get.vectors = 16);
	BAD(VEXFS_IOC_GET, EFAULT, A.get.found = NOWHERE);
	BAD(VEXFS_IOC_GET, EFAULT, A.get.found = 16);
	BAD(VEXFS_IOC_GET, EINVAL, A.get.count = 0);
	BAD(VEXFS_IOC_GET, EINVAL, A.get.count = VEXFS_BATCH_MAX + 1);
	BAD(VEXFS_IOC_GET, EINVAL, A.get.count = UINT_MAX);
}

TEST_F(abi, iterate_arguments)
{
	BAD(VEXFS_IOC_ITERATE, EFAULT, A.iterate.ids = 0);
	BAD(VEXFS_IOC_ITERATE, EFAULT, A.iterate.ids = NOWHERE);
	BAD(VEXFS_IOC_ITERATE, EFAULT, A.iterate.vectors = NOWHERE);
	BAD(VEXFS_IOC_ITERATE, EFAULT, A.iterate.vectors = 16);
	BAD(VEXFS_IOC_ITERATE, EINVAL, A.iterate.max = 0);
	BAD(VEXFS_IOC_ITERATE, EINVAL, A.iterate.max = VEXFS_BATCH_MAX + 1);
	BAD(VEXFS_IOC_ITERATE, EINVAL, A.iterate.cursor = UINT64_MAX);
	BAD(VEXFS_IOC_ITERATE, EINVAL, A.iterate.cursor = 1ull << 32);
	good(self, VEXFS_IOC_ITERATE);
	A.iterate.cursor = 1000000;
	EXPECT_EQ(0, call(self->fd, VEXFS_IOC_ITERATE, &A));
	EXPECT_EQ(0, A.iterate.count);
}

TEST_F(abi, search_arguments)
{
	BAD(VEXFS_IOC_SEARCH, EFAULT, A.search.queries = 0);
	BAD(VEXFS_IOC_SEARCH, EFAULT, A.search.queries = NOWHERE);
	BAD(VEXFS_IOC_SEARCH, EFAULT, A.search.hits = 0);
	BAD(VEXFS_IOC_SEARCH, EFAULT, A.search.hits = NOWHERE);
	BAD(VEXFS_IOC_SEARCH, EFAULT, A.search.counts = 4);
	BAD(VEXFS_IOC_SEARCH, EFAULT, A.search.counts = NOWHERE);
	BAD(VEXFS_IOC_SEARCH, EINVAL, A.search.nqueries = 0);
	BAD(VEXFS_IOC_SEARCH, EINVAL,
	    A.search.nqueries = VEXFS_QUERIES_MAX + 1);
	BAD(VEXFS_IOC_SEARCH, EINVAL, A.search.k = 0);
	BAD(VEXFS_IOC_SEARCH, EINVAL, A.search.k = VEXFS_K_MAX + 1);
	BAD(VEXFS_IOC_SEARCH, EINVAL, A.search.k = UINT_MAX);
	BAD(VEXFS_IOC_SEARCH, EINVAL, A.search.nqueries = VEXFS_QUERIES_MAX;
	    A.search.k = VEXFS_K_MAX);
	BAD(VEXFS_IOC_SEARCH, EINVAL, A.search.ef = VEXFS_EF_MAX + 1);
	BAD(VEXFS_IOC_SEARCH, EINVAL, A.search.stride = DIMS * 4 - 1);
	BAD(VEXFS_IOC_SEARCH, EFAULT, A.search.nqueries = VEXFS_QUERIES_MAX;
	    A.search.stride = 0xfffffff0);
}

static void bad_create(struct __test_metadata *_metadata, SELF *self, int fd,
		       int want, const char *what)
{
	check(_metadata, want, call(fd, VEXFS_IOC_CREATE, &self->a), what);
	good(self, VEXFS_IOC_INFO);
	check(_metadata, ENOTTY, call(fd, VEXFS_IOC_INFO, &self->a), what);
}

#define BAD_CREATE(want, set) do {					\
	good(self, VEXFS_IOC_CREATE);					\
	set;								\
	bad_create(_metadata, self, fd, want, #set);			\
} while (0)

TEST_F(abi, create_arguments)
{
	int fd = open("new", O_RDWR | O_CREAT, 0644);

	ASSERT_LE(0, fd);
	BAD_CREATE(EINVAL, A.size--);
	BAD_CREATE(E2BIG, A.size += 8; A.bytes[sizeof(A.create)] = 1);
	BAD_CREATE(EINVAL, A.flags = 1);
	BAD_CREATE(EINVAL, A.create.dims = VEXFS_DIMS_MAX + 1);
	BAD_CREATE(EINVAL, A.create.dims = UINT_MAX);
	BAD_CREATE(EINVAL, A.create.type = 0);
	BAD_CREATE(EINVAL, A.create.type = 7);
	BAD_CREATE(EINVAL, A.create.type = 255);
	BAD_CREATE(EINVAL, A.create.metric = 0);
	BAD_CREATE(EINVAL, A.create.metric = 6);
	BAD_CREATE(EINVAL, A.create.index = 0);
	BAD_CREATE(EINVAL, A.create.index = 4);
	BAD_CREATE(EOPNOTSUPP, A.create.metric = VEXFS_HAMMING);
	BAD_CREATE(EINVAL, A.create.ncolumns = 1);
	BAD_CREATE(EINVAL, A.create.columns = 1);
	BAD_CREATE(EINVAL, A.create.m = 3);
	BAD_CREATE(EINVAL, A.create.m = VEXFS_M_MAX + 1);
	BAD_CREATE(EINVAL, A.create.m = 32; A.create.ef_construction = 31);
	BAD_CREATE(EINVAL, A.create.ef_construction = VEXFS_EF_MAX + 1);
	BAD_CREATE(EINVAL, A.create.ef = VEXFS_EF_MAX + 1);
	BAD_CREATE(EINVAL, A.create.reserved0 = 1);
	BAD_CREATE(EINVAL, A.create.reserved[0] = 1);
	BAD_CREATE(EINVAL, A.create.reserved[1] = 1);
	BAD_CREATE(EINVAL, A.create.reserved1 = 1);
	BAD_CREATE(EINVAL, A.create.lsh_recall = 9000);
	BAD_CREATE(EINVAL, A.create.lsh_tables = 16);
	BAD_CREATE(EINVAL, A.create.index = VEXFS_LSH; A.create.m = 16);
	BAD_CREATE(EINVAL, A.create.index = VEXFS_LSH;
		   A.create.lsh_recall = 10000);
	BAD_CREATE(EINVAL, A.create.index = VEXFS_LSH;
		   A.create.lsh_tables = VEXFS_LSH_TABLES_MAX + 1);
	BAD_CREATE(EINVAL, A.create.index = VEXFS_LSH;
		   A.create.lsh_bits = VEXFS_LSH_BITS_MAX + 1);
	CHECK(EFAULT, call(fd, VEXFS_IOC_CREATE, NULL), "create");
	CHECK(EFAULT, call(fd, VEXFS_IOC_CREATE, (void *)NOWHERE), "create");
	/* After all that it still becomes one. */
	good(self, VEXFS_IOC_CREATE);
	EXPECT_EQ(0, call(fd, VEXFS_IOC_CREATE, &A));
	EXPECT_EQ(EEXIST, call(fd, VEXFS_IOC_CREATE, &A));
	close(fd);
}

TEST_F(abi, create_on_what)
{
	int fd = open("data", O_RDWR | O_CREAT, 0644);
	void *p;

	ASSERT_LE(0, fd);
	ASSERT_EQ(1, write(fd, "x", 1));
	good(self, VEXFS_IOC_CREATE);
	CHECK(ENOTEMPTY, call(fd, VEXFS_IOC_CREATE, &A), "a file with data");
	ASSERT_EQ(0, ftruncate(fd, 0));
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	CHECK(EBUSY, call(fd, VEXFS_IOC_CREATE, &A), "a mapped file");
	munmap(p, 4096);
	close(fd);

	fd = open("data", O_RDONLY);
	CHECK(EBADF, call(fd, VEXFS_IOC_CREATE, &A), "a read-only fd");
	close(fd);
	fd = open("data", O_WRONLY);
	CHECK(EBADF, call(fd, VEXFS_IOC_CREATE, &A), "a write-only fd");
	close(fd);
	fd = open(".", O_RDONLY | O_DIRECTORY);
	CHECK(EINVAL, call(fd, VEXFS_IOC_CREATE, &A), "a directory");
	close(fd);
}

#define EACH(fd, want, what, only) do {					\
	size_t _i;							\
									\
	for (_i = 0; _i < NCMDS; _i++) {				\
		if (!(only))						\
			continue;					\
		good(self, cmds[_i].nr);				\
		CHECK(want, call(fd, cmds[_i].nr, &A), what);		\
	}								\
} while (0)

TEST_F(abi, descriptors)
{
	int fd = open("c", O_RDONLY);

	ASSERT_LE(0, fd);
	EACH(fd, EBADF, "a read-only fd", cmds[_i].writes);
	EACH(fd, 0, "a read-only fd", !cmds[_i].writes);
	close(fd);
	fd = open("c", O_WRONLY);
	EACH(fd, EBADF, "a write-only fd", !cmds[_i].writes);
	close(fd);
	fd = open("c", O_PATH);
	EACH(fd, EBADF, "an O_PATH fd", true);
	close(fd);
	EACH(fd, EBADF, "a closed fd", true);
	fd = open(".", O_RDONLY | O_DIRECTORY);
	EACH(fd, ENOTTY, "a directory", true);
	close(fd);
	fd = open("plain", O_RDWR | O_CREAT, 0644);
	EACH(fd, ENOTTY, "a plain file", true);
	close(fd);
	fd = open("/tmp", O_RDWR | O_TMPFILE, 0600);
	if (fd >= 0)
		EACH(fd, ENOTTY, "another filesystem", true);
	close(fd);
	UNCHANGED("a wrong descriptor");
}

TEST_F(abi, unknown_commands)
{
	unsigned int nr;

	for (nr = 0; nr < 256; nr++) {
		if (nr >= 1 && nr <= 8)
			continue;
		CHECK(ENOTTY, call(self->fd, _IOWR('V', nr, union arg), &A),
		      "an unknown number");
	}
	CHECK(ENOTTY, call(self->fd, _IO('V', 2), &A), "no direction");
	CHECK(ENOTTY, call(self->fd, _IOWR('v', 2, struct vexfs_info), &A),
	      "another letter");
	UNCHANGED("an unknown command");
}

TEST_F(abi, immutable)
{
	int flags = 0;

	if (ioctl(self->fd, _IOR('f', 1, long), &flags))
		SKIP(return, "no file attributes");
	flags |= 0x10;
	ASSERT_EQ(0, ioctl(self->fd, _IOW('f', 2, long), &flags));
	EACH(self->fd, EPERM, "an immutable file", cmds[_i].writes);
	UNCHANGED("a change of an immutable file");
	flags &= ~0x10;
	ASSERT_EQ(0, ioctl(self->fd, _IOW('f', 2, long), &flags));
	EACH(self->fd, 0, "a file again mutable", cmds[_i].writes);
}

TEST_F(abi, unlinked_but_open)
{
	uint64_t id = 0;

	ASSERT_EQ(0, unlink("c"));
	UNCHANGED("unlink");
	EXPECT_EQ(0, coll_insert(self->fd, NULL, self->rows, 1, 0, &id));
	EXPECT_EQ(1, coll_get(self->fd, &id, 1, NULL, NULL));
	EXPECT_EQ(5, coll_search(self->fd, self->rows, 5, 0, 0, self->hits));
	EXPECT_EQ(1, coll_delete(self->fd, &id, 1, 0));
	EXPECT_EQ(0, fsync(self->fd));
}

/* Rows from a mapping of the very file they go to. */
TEST_F(abi, insert_from_itself)
{
	struct vexfs_info info;
	char *p;

	ASSERT_EQ(0, coll_info(self->fd, &info));
	p = mmap(NULL, ROWS * info.stride, PROT_READ, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	good(self, VEXFS_IOC_INSERT);
	A.insert.vectors = (uintptr_t)p;
	A.insert.count = ROWS;
	A.insert.stride = info.stride;
	EXPECT_EQ(0, call(self->fd, VEXFS_IOC_INSERT, &A));
	EXPECT_EQ(0, memcmp(p, self->rows, DIMS * 4));
	munmap(p, ROWS * info.stride);
	ASSERT_EQ(0, coll_info(self->fd, &info));
	EXPECT_EQ(2 * ROWS, info.count);
}

TEST_F(abi, wait_times_out)
{
	good(self, VEXFS_IOC_WAIT);
	EXPECT_EQ(0, call(self->fd, VEXFS_IOC_WAIT, &A));
	EXPECT_EQ(0, A.wait.pending);
	A.wait.timeout_ms = UINT_MAX;
	EXPECT_EQ(0, call(self->fd, VEXFS_IOC_WAIT, &A));
}

TEST_HARNESS_MAIN

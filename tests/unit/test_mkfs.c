// SPDX-License-Identifier: GPL-2.0
/*
 * mkfs.vexfs as a program: what it prints, what it makes, what it refuses.
 *
 * Copyright (C) 2026 The VexFS authors
 */
#include "core_util.h"

#include <blkid/blkid.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char mkfs[PATH_MAX];
static char image[32] = "/tmp/test_mkfs.XXXXXX";
static char top[PATH_MAX + 8];		/* of the source */
static char output[16384];		/* of the last run, stderr too */
static rlim_t file_limit = RLIM_INFINITY;

/* build/obj/tests/unit/test_mkfs -> build/bin/mkfs.vexfs */
static void find_mkfs(void)
{
	const char *env = getenv("MKFS_VEXFS");
	ssize_t n = readlink("/proc/self/exe", mkfs, sizeof(mkfs) - 32);
	int up;

	CHECK(n > 0);
	mkfs[n] = 0;
	for (up = 0; up < 4; up++)
		*strrchr(mkfs, '/') = 0;
	snprintf(top, sizeof(top), "%s/..", mkfs);
	strcat(mkfs, "/bin/mkfs.vexfs");
	if (env)
		snprintf(mkfs, sizeof(mkfs), "%s", env);
	CHECK(!access(mkfs, X_OK));
}

/* Runs it with the arguments in @args, split at blanks, on the image. */
static int run(const char *args, bool with_image)
{
	struct rlimit limit = { file_limit, RLIM_INFINITY };
	char *argv[32], copy[512];
	int n = 0, pipes[2], status;
	size_t len = 0;
	ssize_t got;
	pid_t pid;

	snprintf(copy, sizeof(copy), "%s", args);
	argv[n++] = mkfs;
	for (argv[n] = strtok(copy, " "); argv[n]; argv[n] = strtok(NULL, " "))
		n++;
	if (with_image)
		argv[n++] = image;
	argv[n] = NULL;
	CHECK(!pipe(pipes));
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		dup2(pipes[1], 1);
		dup2(pipes[1], 2);
		close(0);
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		execv(mkfs, argv);
		_exit(127);
	}
	close(pipes[1]);
	while ((got = read(pipes[0], output + len,
			   sizeof(output) - 1 - len)) > 0)
		len += (size_t)got;
	output[len] = 0;
	close(pipes[0]);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void new_image(u64 bytes)
{
	CHECK(!truncate(image, 0));
	CHECK(!truncate(image, (off_t)bytes));
}

/* The output has @line, from its beginning to its end. */
static void has_line(const char *line)
{
	const char *p = output;
	size_t len = strlen(line);

	while ((p = strstr(p, line))) {
		if ((p == output || p[-1] == '\n') && p[len] == '\n')
			return;
		p++;
	}
	printf("# no line '%s' in:\n%s\n", line, output);
	cu_fail(__FILE__, __LINE__, "line missing");
}

/* One line with @word in it and nothing else; status @status. */
static void refuses(const char *args, int status, const char *word)
{
	const char *end;

	CHECK_EQ(run(args, true), status);
	end = strchr(output, '\n');
	if (strncmp(output, "mkfs.vexfs: ", 12) || !strstr(output, word) ||
	    !end || end[1]) {
		printf("# %s: %s\n", args, output);
		cu_fail(__FILE__, __LINE__, word);
	}
}

static u64 image_used(void)
{
	struct stat st;

	CHECK(!stat(image, &st));
	return (u64)st.st_blocks * 512;
}

static struct vexfs_fs fs;

static void load_image(void)
{
	const char *why = NULL;

	memset(&fs, 0, sizeof(fs));
	fs.dev = vexfs_dev_open(image, O_RDONLY);
	CHECK(!IS_ERR(fs.dev));
	CHECK_EQ(vexfs_fs_load(&fs, &why), 0);
	CHECK(!why);
}

static void unload_image(void)
{
	vexfs_fs_unload(&fs);
	CHECK_EQ(vexfs_dev_close(fs.dev), 0);
}

/* jbd2's superblock, by offsets from its documentation; the rest is zero. */
static void check_journal(void)
{
	struct vexfs_dev *dev = fs.dev;
	u8 b[VEXFS_BLOCK_SIZE], zero[VEXFS_BLOCK_SIZE] = { };
	u64 i, n = vexfs_journal_blocks(&fs.geom);

	CHECK_EQ(vexfs_dev_read(dev, vexfs_journal_block(&fs.geom, 0), b), 0);
	CHECK_EQ(get_unaligned_be32(b), 0xc03b3998);
	CHECK_EQ(get_unaligned_be32(b + 4), 4);
	CHECK_EQ(get_unaligned_be32(b + 12), 4096);
	CHECK_EQ(get_unaligned_be32(b + 16), n);
	CHECK_EQ(get_unaligned_be32(b + 20), 1);
	CHECK_EQ(get_unaligned_be32(b + 24), 1);
	CHECK_EQ(get_unaligned_be32(b + 28), 0);
	CHECK(!memchr_inv(b + 32, 0, 16));
	CHECK(!memcmp(b + 48, vexfs_super(&fs)->s_uuid, 16));
	CHECK_EQ(get_unaligned_be32(b + 64), 1);
	CHECK(!memchr_inv(b + 68, 0, sizeof(b) - 68));
	for (i = 1; i < n; i += 1 + n / 500) {
		CHECK_EQ(vexfs_dev_read(dev, vexfs_journal_block(&fs.geom, i),
					b), 0);
		CHECK(!memcmp(b, zero, sizeof(b)));
	}
}

static void check_backups(void)
{
	struct vexfs_super_block sb;
	u8 b[VEXFS_BLOCK_SIZE];
	u32 nr;

	CHECK_EQ(vexfs_dev_read(fs.dev, vexfs_backup_block(&fs.geom, 0), b), 0);
	memcpy(&sb, b + VEXFS_SUPER_OFFSET, sizeof(sb));
	CHECK(!vexfs_verify_super(&sb));
	CHECK_EQ(le32_to_cpu(sb.s_backup_nr), 1);
	sb.s_backup_nr = 0;
	sb.s_checksum = vexfs_super(&fs)->s_checksum;
	CHECK(!memcmp(&sb, vexfs_super(&fs), sizeof(sb)));
	for (nr = 0; nr < fs.geom.gdt_blocks; nr++) {
		CHECK_EQ(vexfs_dev_read(fs.dev,
					vexfs_backup_block(&fs.geom, nr + 1),
					b), 0);
		CHECK(!memcmp(b, vexfs_buf_data(fs.gdt[nr]), sizeof(b)));
	}
}

static void check_root(void)
{
	struct vexfs_inode *di;
	struct vexfs_buf *buf = vexfs_inode_read(&fs, VEXFS_ROOT_INO, &di);
	struct vexfs_node root;
	struct vexfs_dirent de;
	struct vexfs_map map;

	CHECK(!IS_ERR(buf));
	CHECK_EQ(le16_to_cpu(di->i_mode), S_IFDIR | 0755);
	CHECK_EQ(le32_to_cpu(di->i_nlink), 2);
	CHECK_EQ(le64_to_cpu(di->i_parent), VEXFS_ROOT_INO);
	CHECK(di->i_generation && di->i_mtime && di->i_crtime);
	vexfs_node_init(&root, &fs, VEXFS_ROOT_INO,
			le32_to_cpu(di->i_generation));
	root.root = di->i_root;
	CHECK_EQ(le64_to_cpu(di->i_blocks), fs.geom.cluster_blocks);
	CHECK_EQ(vexfs_ext_lookup(&root, 0, 1, &map), 0);
	CHECK(map.pblk && !map.unwritten);
	CHECK_EQ(vexfs_dir_next(&root, 0, &de), -ENOENT);
	CHECK_EQ(vexfs_dir_empty(&root), 1);
	vexfs_buf_put(buf);
	CHECK_EQ(percpu_counter_sum(&fs.dirs), 1);
	CHECK_EQ(percpu_counter_sum(&fs.free_clusters),
		 fs.geom.data_clusters + fs.geom.vector_clusters - 1);
	CHECK_EQ(percpu_counter_sum(&fs.vector_free), fs.geom.vector_clusters);
}

static void check_image(void)
{
	load_image();
	CHECK_EQ(le32_to_cpu(vexfs_super(&fs)->s_errors), VEXFS_ERRORS_RO);
	CHECK_EQ(le32_to_cpu(vexfs_super(&fs)->s_state), VEXFS_STATE_CLEAN);
	CHECK_EQ(fs.csum_seed, crc32c(~0u, vexfs_super(&fs)->s_uuid, 16));
	CHECK(fs.hash_key[0] && fs.hash_key[1]);
	CHECK_EQ(fs.reserved_clusters,
		 min_t(u64, fs.geom.data_clusters / 100,
		       (16u << 20) / fs.geom.cluster_size));
	check_journal();
	check_backups();
	check_root();
	unload_image();
}

/* As if a log of an earlier volume were there. */
static void spoil_journal(void)
{
	u8 b[VEXFS_BLOCK_SIZE];
	struct vexfs_dev *dev;
	u64 i, n;

	load_image();
	n = vexfs_journal_blocks(&fs.geom);
	dev = vexfs_dev_open(image, O_RDWR);
	CHECK(!IS_ERR(dev));
	memset(b, 0xc0, sizeof(b));
	for (i = 1; i < n; i += 1 + n / 500)
		CHECK_EQ(vexfs_dev_write(dev, vexfs_journal_block(&fs.geom, i),
					 b), 0);
	CHECK_EQ(vexfs_dev_close(dev), 0);
	unload_image();
}

static void test_seed_figures(void)
{
	u64 start;

	new_image(488369940ull * 4096);
	CHECK_EQ(run("-n -V -D 768 -L VectorDB", true), 0);
	has_line("Total blocks: 488,369,940 (4KB each)");
	has_line("Block groups: 14,904");
	has_line("Blocks per group: 32,768");
	has_line("Inodes per group: 8,192");
	has_line("Journal blocks: 32,768");
	has_line("Vector blocks: 131,072");
	has_line("Data blocks: 480,545,326");
	has_line("Efficiency: 98.4%");
	has_line("Label: VectorDB");
	has_line("Vector dimensions: 768");
	CHECK_EQ(image_used(), 0);
	start = ktime_get_ns();
	CHECK_EQ(run("-V -D 768 -L VectorDB", true), 0);
	CHECK(ktime_get_ns() - start < 2 * NSEC_PER_SEC);
	CHECK(image_used() < 64u << 20);
	check_image();
}

static void test_volumes(void)
{
	static const struct {
		const char *args;
		u64 bytes;
	} all[] = {
		{ "", 300u << 20 },
		{ "-V -D 768 -L VectorDB", 300u << 20 },
		{ "-b 8192 -i 8192 -V -D 1024", 300u << 20 },
		{ "-b 64K -V", 300u << 20 },
		{ "-b 65536", 8u << 20 },
		{ "", 8u << 20 },
		{ "-i 1024", 300u << 20 },
		{ "-i 64M -J 2000", 300u << 20 },
		{ "-b 16384 -i 3000 -V", (1ull << 30) + 12345 },
		{ "-b 32768", 20ull << 30 },
		{ "", 6ull << 40 },
	};
	char args[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		new_image(all[i].bytes);
		CHECK_EQ(run(all[i].args, true), 0);
		check_image();
		/* And over what is there */
		spoil_journal();
		snprintf(args, sizeof(args), "-f -v %s", all[i].args);
		CHECK_EQ(run(args, true), 0);
		check_image();
	}
}

static void test_fields(void)
{
	static const char uuid[16] = "\x12\x34\x56\x78\x9a\xbc\xde\xf0"
				     "\x0f\xed\xcb\xa9\x87\x65\x43\x21";
	static const char label64[] =
"0123456789012345678901234567890123456789012345678901234567890123";
	char args[128];

	new_image(64u << 20);
	CHECK_EQ(run("-U 12345678-9abc-def0-0fed-cba987654321 -D 5", true), 0);
	has_line("UUID: 12345678-9abc-def0-0fed-cba987654321");
	load_image();
	CHECK(!memcmp(vexfs_super(&fs)->s_uuid, uuid, 16));
	CHECK_EQ(le32_to_cpu(vexfs_super(&fs)->s_vector_dims), 5);
	CHECK(fs.geom.vector_clusters);
	CHECK(!vexfs_super(&fs)->s_label[0]);
	unload_image();
	snprintf(args, sizeof(args), "-f -L %s", label64);
	CHECK_EQ(run(args, true), 0);
	load_image();
	CHECK(!memcmp(vexfs_super(&fs)->s_label, label64, 64));
	CHECK(!fs.geom.vector_clusters);
	unload_image();
	/* The operand: fewer blocks than the device has */
	snprintf(args, sizeof(args), "-f -b 8192 %s 4096", image);
	CHECK_EQ(run(args, false), 0);
	has_line("Total blocks: 4,096 (8KB each)");
	check_image();
	snprintf(args, sizeof(args), "-f -b 8192 %s 8193", image);
	CHECK_EQ(run(args, false), 1);
	CHECK(strstr(output, "has 8192 blocks"));
}

static void test_refused(void)
{
	char args[128];

	new_image(300u << 20);
	refuses("-b 4097", 2, "block size");
	refuses("-b 2048", 2, "block size");
	refuses("-b 128K", 2, "block size");
	refuses("-b big", 2, "block size");
	refuses("-b -4096", 2, "block size");
	refuses("-i 1000", 2, "bytes per inode");
	refuses("-i 65M", 2, "bytes per inode");
	refuses("-J 0", 2, "journal");
	refuses("-J 100", 2, "journal");
	refuses("-J 99999999999999999999", 2, "journal");
	refuses("-J 999999", 1, "too small");
	refuses("-D 0", 2, "dimension");
	refuses("-D 16385", 2, "dimension");
	refuses("-D 7x", 2, "dimension");
	refuses("-L 01234567890123456789012345678901234567890123456789012345678901234",
		2, "label");
	refuses("-U 1234", 2, "UUID");
	refuses("-x", 2, "unknown option -x");
	refuses("--force", 2, "unknown option");
	refuses("dev 5 6", 2, "operands");
	CHECK_EQ(run("", false), 2);
	CHECK_EQ(run("-L", false), 2);
	CHECK_EQ(run("/nonexistent/device", false), 1);
	CHECK_EQ(run("/dev/null", false), 1);
	CHECK_EQ(run("/tmp", false), 1);
	snprintf(args, sizeof(args), "%s 0", image);
	CHECK_EQ(run(args, false), 2);
	CHECK_EQ(image_used(), 0);
	CHECK_EQ(run("--help", false), 0);
	CHECK(strstr(output, "Usage: mkfs.vexfs"));
	CHECK_EQ(run("--version", false), 0);
	CHECK(strstr(output, "mkfs.vexfs"));
}

static void test_sizes(void)
{
	new_image(0);
	refuses("", 1, "too small");
	new_image(1 << 20);
	refuses("", 1, "too small");
	new_image(1556 * 4096 - 1);
	refuses("", 1, "too small");
	CHECK_EQ(image_used(), 0);
	new_image(1556 * 4096);
	CHECK_EQ(run("", true), 0);
	check_image();
}

/* libblkid knows nothing of what is there. */
static void nothing_known(void)
{
	int fd = open(image, O_RDONLY);
	blkid_probe pr = blkid_new_probe();

	CHECK(fd >= 0 && pr);
	CHECK_EQ(blkid_probe_set_device(pr, fd, 0, 0), 0);
	blkid_probe_enable_partitions(pr, 1);
	CHECK_EQ(blkid_do_probe(pr), 1);
	blkid_free_probe(pr);
	close(fd);
}

/* Writes @text at @off, and expects the probe to name @what. */
static void holds(u64 bytes, u64 off, const char *text, size_t len,
		  const char *what)
{
	int fd;

	new_image(bytes);
	fd = open(image, O_WRONLY);
	CHECK(fd >= 0);
	CHECK(pwrite(fd, text, len, (off_t)off) == (ssize_t)len);
	close(fd);
	refuses("", 1, what);
	CHECK_EQ(run("-n", true), 0);
	CHECK_EQ(run("-f", true), 0);
	check_image();
	nothing_known();
	refuses("", 1, "vexfs");
}

static void test_signatures(void)
{
	char ext4[1024] = { }, mbr[512] = { }, swap[4096] = { };

	ext4[56] = 0x53;
	ext4[57] = (char)0xef;
	ext4[0x18] = 2;
	ext4[0x4c] = 1;
	memcpy(ext4 + 120, "oldname", 7);
	holds(64u << 20, 1024, ext4, sizeof(ext4), "ext");
	swap[1024] = 1;
	swap[1028] = 100;
	memcpy(swap + 4086, "SWAPSPACE2", 10);
	holds(64u << 20, 0, swap, sizeof(swap), "swap");
	mbr[446] = (char)0x80;
	mbr[446 + 4] = (char)0x83;
	mbr[446 + 8] = 1;
	mbr[446 + 13] = 8;
	mbr[510] = 0x55;
	mbr[511] = (char)0xaa;
	holds(64u << 20, 0, mbr, sizeof(mbr), "partition table (dos)");
	holds(64u << 20, 1024, "VexFSv1", 8, "vexfs");
	holds(64u << 20, 65600, "_BHRfS_M", 8, "btrfs");
	holds(64u << 20, 1 << 20, "\x0d\xd0\x01\xc0", 4, "VMFS");
}

/* What file(1) says with our magic entry */
static void test_magic(void)
{
	char command[2 * PATH_MAX + 64];
	FILE *f;

	new_image(64u << 20);
	CHECK_EQ(run("-D 768 -L VectorDB", true), 0);
	snprintf(command, sizeof(command),
		 "file -b -m %s/Documentation/vexfs.magic %s", top, image);
	f = popen(command, "r");
	CHECK(f && fgets(output, sizeof(output), f));
	CHECK_EQ(pclose(f), 0);
	CHECK(strstr(output, "VexFS filesystem revision 1, "));
	CHECK(strstr(output, " label \"VectorDB\", 16384 blocks of 4096 "));
	CHECK(strstr(output, " vectors of 768 dimensions, UUID="));
}

/* A write beyond the limit fails with EFBIG, as on a full or bad device. */
static void test_errors(void)
{
	new_image(64u << 20);
	file_limit = 40u << 20;
	CHECK_EQ(run("", true), 1);
	CHECK(strstr(output, "\nmkfs.vexfs: can't write"));
	file_limit = 64u << 20;
	CHECK_EQ(run("-f", true), 0);
	file_limit = RLIM_INFINITY;
	check_image();
}

int main(void)
{
	int fd = mkstemp(image);

	if (fd >= 0)
		close(fd);
	find_mkfs();
	cu_plan(8);
	cu_run("the seed's figures, fast and small", test_seed_figures);
	cu_run("volumes of all kinds verify", test_volumes);
	cu_run("label, UUID, dimension, size", test_fields);
	cu_run("bad options are refused", test_refused);
	cu_run("small devices are refused", test_sizes);
	cu_run("what holds something is refused", test_signatures);
	cu_run("errors are reported", test_errors);
	if (access("/usr/bin/file", X_OK))
		puts("ok 8 known to file # SKIP no file(1)");
	else
		cu_run("known to file(1)", test_magic);
	unlink(image);
	return 0;
}

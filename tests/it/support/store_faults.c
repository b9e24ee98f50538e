/* A disk that fails on request, put before the real one with LD_PRELOAD. Only files below STORE_FAULTS_FOLDER
   are concerned. The orders are in the file STORE_FAULTS_ORDERS, which the test may change at any time:
   a row of 64-bit numbers, in the order of `enum order`. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum order {
    SYNCS,        /* told to the test: how many there were, failed ones included */
    WRITE_ERROR,  /* every write fails with this errno */
    ONLY_GROWING, /* ... if it makes the file longer */
    SYNC_ERROR,   /* this sync and all later ones fail with this errno */
    FAIL_FROM,    /* ... from this one on, counted from 1 */
    SPARE_LOG,    /* ... except those of the write-ahead log */
    KILL_AT,      /* the process is killed at this sync */
    KILL_AFTER,   /* ... after it was done, not before */
    KEEP_SYNCED,  /* what was synced is copied to STORE_FAULTS_SYNCED */
    ORDERS
};

static _Atomic uint64_t *orders;
static char folder[PATH_MAX];
static char synced[PATH_MAX];

__attribute__((constructor)) static void take_orders(void) {
    const char *where = getenv("STORE_FAULTS_FOLDER"), *file = getenv("STORE_FAULTS_ORDERS");
    const char *copies = getenv("STORE_FAULTS_SYNCED");
    if (!where || !file || !copies || !realpath(where, folder) || !realpath(copies, synced)) return;
    int fd = open(file, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void *mapped = mmap(NULL, ORDERS * sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped != MAP_FAILED) orders = mapped;
}

static uint64_t order(enum order which) { return orders ? atomic_load(&orders[which]) : 0; }

/* Whether the file is one of the ledger's; its path. */
static int is_ours(int fd, char path[PATH_MAX]) {
    char link[64];
    if (!orders) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strncmp(path, folder, strlen(folder)) == 0;
}

/* The errno with which a write is to fail, if it is. `end` is how long the file would be. */
static int write_fault(int fd, off_t end) {
    char path[PATH_MAX];
    struct stat now;
    int error = (int)order(WRITE_ERROR);
    if (!error || !is_ours(fd, path)) return 0;
    if (order(ONLY_GROWING) && (fstat(fd, &now) != 0 || end <= now.st_size)) return 0;
    return error;
}

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))

ssize_t write(int fd, const void *from, size_t size) {
    int error = order(WRITE_ERROR) ? write_fault(fd, lseek(fd, 0, SEEK_CUR) + (off_t)size) : 0;
    if (error) return errno = error, -1;
    return REAL("write", ssize_t(*)(int, const void *, size_t))(fd, from, size);
}

ssize_t pwrite(int fd, const void *from, size_t size, off_t at) {
    int error = write_fault(fd, at + (off_t)size);
    if (error) return errno = error, -1;
    return REAL("pwrite", ssize_t(*)(int, const void *, size_t, off_t))(fd, from, size, at);
}

ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at) { return pwrite(fd, from, size, (off_t)at); }

int ftruncate(int fd, off_t size) {
    int error = write_fault(fd, size);
    if (error) return errno = error, -1;
    return REAL("ftruncate", int (*)(int, off_t))(fd, size);
}

int ftruncate64(int fd, off64_t size) { return ftruncate(fd, (off_t)size); }

/* A folder that was synced has lost for good what was removed from it. */
static void forget_removed(void) {
    char path[PATH_MAX * 2], copy[PATH_MAX * 2];
    struct dirent *entry;
    DIR *copies = opendir(synced);
    if (!copies) abort();
    while ((entry = readdir(copies))) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        snprintf(copy, sizeof copy, "%s/%s", synced, entry->d_name);
        if (!strstr(entry->d_name, ".failed") && access(path, F_OK) != 0) unlink(copy);
    }
    closedir(copies);
}

static void copy_name(char copy[PATH_MAX * 2], const char *path, const char *what) {
    snprintf(copy, PATH_MAX * 2, "%s%s%s", synced, strrchr(path, '/'), what);
}

/* What would be there after the power has failed now: what was synced, and nothing else. Read through the
   descriptor at hand: closing another one would give up SQLite's locks on the file. */
static void keep(int fd, const char *path) {
    char copy[PATH_MAX * 2], block[4096], failed[4096];
    struct stat kind;
    if (!order(KEEP_SYNCED) || fstat(fd, &kind) != 0) return;
    if (S_ISDIR(kind.st_mode)) forget_removed();
    if (!S_ISREG(kind.st_mode)) return;
    copy_name(copy, path, ".failed");
    int lost = open(copy, O_RDONLY | O_CLOEXEC);
    copy_name(copy, path, "");
    int to = open(copy, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (to < 0 || REAL("ftruncate", int (*)(int, off_t))(to, kind.st_size) != 0) abort();
    for (off_t at = 0; at < kind.st_size; at += sizeof block) {
        ssize_t size = pread(fd, block, sizeof block, at);
        /* The kernel takes for written what was there when a sync failed, and does not write it again. */
        if (lost >= 0 && pread(lost, failed, sizeof failed, at) == size && memcmp(block, failed, size) == 0) continue;
        if (size < 0 || REAL("pwrite", ssize_t(*)(int, const void *, size_t, off_t))(to, block, size, at) != size)
            abort();
    }
    close(to);
    if (lost >= 0) close(lost);
}

/* A sync of the log has failed: what it has now and the disk has not is lost, unless it is written anew. */
static void lose(int fd, const char *path) {
    char copy[PATH_MAX * 2], block[4096], there[4096];
    ssize_t size;
    off_t at = 0;
    if (!order(KEEP_SYNCED)) return;
    copy_name(copy, path, "");
    int kept = open(copy, O_RDONLY | O_CLOEXEC);
    copy_name(copy, path, ".failed");
    int to = open(copy, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (to < 0) abort();
    for (; (size = pread(fd, block, sizeof block, at)) > 0; at += size) {
        int same = kept >= 0 && pread(kept, there, sizeof there, at) == size && memcmp(block, there, size) == 0;
        /* A hole stands for what is the same. */
        if (!same && REAL("pwrite", ssize_t(*)(int, const void *, size_t, off_t))(to, block, size, at) != size) abort();
    }
    close(to);
    if (kept >= 0) close(kept);
}

static int sync_by(const char *name, int fd) {
    char path[PATH_MAX];
    int (*real)(int) = REAL(name, int (*)(int));
    if (!is_ours(fd, path)) return real(fd);
    uint64_t number = atomic_fetch_add(&orders[SYNCS], 1) + 1;
    int killed = order(KILL_AT) == number;
    if (killed && !order(KILL_AFTER)) kill(getpid(), SIGKILL);
    size_t length = strlen(path);
    int is_log = length > 4 && strcmp(path + length - 4, "-wal") == 0;
    if (order(FAIL_FROM) && number >= order(FAIL_FROM) && !(is_log && order(SPARE_LOG))) {
        if (is_log) lose(fd, path);
        return errno = (int)order(SYNC_ERROR), -1;
    }
    int done = real(fd);
    if (done == 0) keep(fd, path);
    if (killed) kill(getpid(), SIGKILL);
    return done;
}

int fsync(int fd) { return sync_by("fsync", fd); }

int fdatasync(int fd) { return sync_by("fdatasync", fd); }

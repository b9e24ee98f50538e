/* Loaded before the C library into the service: each sync of a file is measured, and can be made slower. What is
   shared with the benchmark is a file that both map: `struct shared` in `syncs.rs`. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define KEPT 65536

struct shared {
    volatile uint64_t longer_us; /* how much longer each sync takes */
    uint64_t count;              /* how many there were */
    uint32_t took_us[KEPT];      /* how long each took, the oldest overwritten first */
};

static struct shared *shared;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("HIREBRIDGE_BENCH_SYNCS");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) shared = mapped;
    close(file);
}

static uint64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int measured(const char *name, int file) {
    int (*sync)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    if (!shared) return sync(file);
    uint64_t began = now_us();
    int result = sync(file);
    if (shared->longer_us) {
        struct timespec pause = {(time_t)(shared->longer_us / 1000000), (long)(shared->longer_us % 1000000) * 1000};
        nanosleep(&pause, NULL);
    }
    uint64_t n = __atomic_fetch_add(&shared->count, 1, __ATOMIC_RELAXED);
    shared->took_us[n % KEPT] = (uint32_t)(now_us() - began);
    return result;
}

int fsync(int file) { return measured("fsync", file); }
int fdatasync(int file) { return measured("fdatasync", file); }

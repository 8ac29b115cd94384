/* Preloaded into a service: its wall clock is off by as many seconds as the file named by SKEW_FILE holds (an int64).
 *
 * Only the wall clock: CLOCK_MONOTONIC and CLOCK_BOOTTIME stay, as they do when somebody sets a machine's time.
 * libfaketime would do, were it not that it sets an environment variable while it loads: Swift finds the arguments of
 * the process beside the environment's first place, so under libfaketime no service hears that it is to `serve`. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *skew;
static int (*real_clock_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
    real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    const char *path = getenv("SKEW_FILE");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *page = mmap(NULL, sizeof *skew, PROT_READ, MAP_SHARED, file, 0);
    if (page != MAP_FAILED) skew = page;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    if (!real_clock_gettime) begin();
    int status = real_clock_gettime(clock, now);
    if (status == 0 && skew && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *skew;
    return status;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec precise;
    int status = clock_gettime(CLOCK_REALTIME, &precise);
    if (status == 0) *now = (struct timeval){precise.tv_sec, precise.tv_nsec / 1000};
    return status;
}

time_t time(time_t *now) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (now) *now = precise.tv_sec;
    return precise.tv_sec;
}

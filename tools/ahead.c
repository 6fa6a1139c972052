/* Shift the wall clock of a program and its children, for running the tests in another year, and for crash tests in
   which every process's clock jumps at once while it runs: by CLOCK_AHEAD seconds, and by the seconds that the file
   CLOCK_AHEAD_FILE holds (8 bytes, a signed integer in the machine's own order), which is mapped once and read each time.
   Only the wall clock: monotonic time, sleeps and file times stay as they are.
   cc -shared -fPIC -o ahead.so tools/ahead.c -ldl && LD_PRELOAD=./ahead.so CLOCK_AHEAD=126230400 date */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shared;

__attribute__((constructor)) static void map(void) {
  const char *path = getenv("CLOCK_AHEAD_FILE");
  if (!path) return;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  void *found = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *shared, PROT_READ, MAP_SHARED, file, 0);
  if (found == MAP_FAILED) { /* a program on another clock than its fellows would prove nothing */
    perror(path);
    _exit(126);
  }
  close(file);
  shared = found;
}

static long ahead(void) {
  const char *text = getenv("CLOCK_AHEAD");
  return (text ? atol(text) : 0) + (shared ? *shared : 0);
}

int clock_gettime(clockid_t clock, struct timespec *out) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int status = real(clock, out);
  if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) out->tv_sec += ahead();
  return status;
}

time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}

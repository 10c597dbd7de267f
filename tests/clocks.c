// For LD_PRELOAD: sets two clocks of one process forward or back, as an operator or a suspension would, by what stands in the file
// CLOCK_OFFSETS: seconds for the wall clock, and seconds for the boot clock.
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
  long wall = 0, boot = 0;
  if (syscall(SYS_clock_gettime, clock, now) != 0) return -1;
  if (clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME) {
    FILE *offsets = fopen(getenv("CLOCK_OFFSETS"), "re");
    if (offsets == NULL || fscanf(offsets, "%ld %ld", &wall, &boot) != 2) abort();
    fclose(offsets);
    now->tv_sec += clock == CLOCK_REALTIME ? wall : boot;
  }
  return 0;
}

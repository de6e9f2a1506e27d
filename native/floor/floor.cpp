// Functions that the oldest glibc of the prebuilt addons (scripts/prebuilds/toolchain.mjs) does not have. Linked into those only,
// and hidden there.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace {

constexpr long kNanosecondsPerSecond = 1'000'000'000;

timespec Later(timespec time, const timespec& from, const timespec& to) {
  time.tv_sec += to.tv_sec - from.tv_sec;
  time.tv_nsec += to.tv_nsec - from.tv_nsec;
  const long carry = time.tv_nsec < 0 ? -1 : time.tv_nsec / kNanosecondsPerSecond;
  return {time.tv_sec + carry, time.tv_nsec - carry * kNanosecondsPerSecond};
}

bool IsBefore(const timespec& a, const timespec& b) {
  return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec);
}

}  // namespace

extern "C" {

// The C++ library asks it whether it may do without atomic operations.
extern char __libc_single_threaded;
char __libc_single_threaded = 0;

// With 64 bits the C library's `struct stat` is the kernel's.
int fstat(int fd, struct stat* facts) noexcept {
  return static_cast<int>(syscall(SYS_newfstatat, fd, "", facts, AT_EMPTY_PATH));
}

int stat(const char* path, struct stat* facts) noexcept {
  return static_cast<int>(syscall(SYS_newfstatat, AT_FDCWD, path, facts, 0));
}

// Conditions wait by the real-time clock: where that was set forward the wait ends early, as any wait may.
int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock, const timespec* until) {
  timespec now = {};
  timespec real = {};
  if (clock_gettime(clock, &now) != 0 || clock_gettime(CLOCK_REALTIME, &real) != 0) return errno;
  const timespec deadline = Later(real, now, *until);
  const int result = pthread_cond_timedwait(condition, mutex, &deadline);
  if (result != ETIMEDOUT || clock_gettime(clock, &now) != 0) return result;
  return IsBefore(now, *until) ? 0 : result;
}
}

// Functions that the oldest glibc of the prebuilt addons (scripts/prebuilds/toolchain.mjs) does not have. Linked into those only,
// and hidden there.
#include <dlfcn.h>
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

/// glibc's own, from 2.30 on.
const auto own_clockwait = reinterpret_cast<decltype(&pthread_cond_clockwait)>(dlsym(RTLD_DEFAULT, "pthread_cond_clockwait"));

}  // namespace

extern "C" {

// The C++ library asks it whether it may do without atomic operations.
extern char __libc_single_threaded;
char __libc_single_threaded = 0;

// With 64 bits the C library's `struct stat` is the kernel's.
int fstat(int fd, struct stat* facts) noexcept {
  return static_cast<int>(syscall(SYS_fstat, fd, facts));
}

int stat(const char* path, struct stat* facts) noexcept {
  return static_cast<int>(syscall(SYS_newfstatat, AT_FDCWD, path, facts, 0));
}

// Conditions of glibc 2.28 and 2.29 wait by the real-time clock. Where that is set forward the wait ends early, as any wait may;
// where it is set back the wait takes as much longer.
int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock, const timespec* until) {
  if (own_clockwait != nullptr) return own_clockwait(condition, mutex, clock, until);
  timespec now = {};
  timespec real = {};
  if (clock_gettime(clock, &now) != 0 || clock_gettime(CLOCK_REALTIME, &real) != 0) return errno;
  const timespec deadline = Later(real, now, *until);
  const int result = pthread_cond_timedwait(condition, mutex, &deadline);
  if (result != ETIMEDOUT || clock_gettime(clock, &now) != 0) return result;
  return IsBefore(now, *until) ? 0 : result;
}
}

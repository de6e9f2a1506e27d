// Calls what floor.cpp supplies, linked before the system's own; prints what is wrong.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include <initializer_list>

namespace {

int failures = 0;

void Expect(bool holds, const char* what) {
  if (holds) return;
  puts(what);
  failures += 1;
}

long MillisecondsOf(const timespec& time) { return time.tv_sec * 1000 + time.tv_nsec / 1'000'000; }

long NowMs(clockid_t clock) {
  timespec now = {};
  clock_gettime(clock, &now);
  return MillisecondsOf(now);
}

void StatusOfFiles(const char* path) {
  struct stat by_path = {};
  struct stat by_fd = {};
  FILE* file = fopen(path, "r");
  Expect(file != nullptr && stat(path, &by_path) == 0 && fstat(fileno(file), &by_fd) == 0, "a file has a status");
  Expect(by_path.st_ino == by_fd.st_ino && by_path.st_size == by_fd.st_size && S_ISREG(by_path.st_mode), "by path and descriptor it is the same");
  if (file == nullptr) return;
  fseek(file, 0, SEEK_END);
  Expect(by_path.st_size == ftell(file), "its size is the file's");
  fclose(file);
  Expect(stat("/nonexistent/file", &by_path) == -1 && errno == ENOENT, "an absent file is told as such");
  for (const int fd : {-1, AT_FDCWD}) Expect(fstat(fd, &by_fd) == -1 && errno == EBADF, "so is a bad descriptor");
}

void WaitEndsAtItsTime(clockid_t clock, long milliseconds) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  timespec until = {};
  clock_gettime(clock, &until);
  until.tv_nsec += milliseconds * 1'000'000;
  until.tv_sec += until.tv_nsec / 1'000'000'000;
  until.tv_nsec %= 1'000'000'000;
  pthread_mutex_lock(&mutex);
  int result = 0;
  int wakeups = 0;
  for (; result == 0; ++wakeups) result = pthread_cond_clockwait(&condition, &mutex, clock, &until);
  pthread_mutex_unlock(&mutex);
  Expect(result == ETIMEDOUT, "a wait that nobody ends times out");
  Expect(wakeups < 100, "it sleeps until then");
  const long late = NowMs(clock) - MillisecondsOf(until);
  Expect(late >= 0 && late < 5000, "it does so at its time");
}

}  // namespace

int main(int, char** arguments) {
  StatusOfFiles(arguments[0]);
  for (const clockid_t clock : {CLOCK_MONOTONIC, CLOCK_REALTIME}) {
    for (const long milliseconds : {0L, 30L, 1050L}) WaitEndsAtItsTime(clock, milliseconds);
  }
  return failures == 0 ? 0 : 1;
}

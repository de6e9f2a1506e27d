// Device memory that processes share. A second SharedMemory of this process counts as another process.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "simulator/shared_memory.h"
#include "test/harness.h"

namespace {

using vram::simulator::SharedMemory;

constexpr std::size_t kCapacity = 100;
constexpr std::size_t kContenders = 4;
constexpr std::size_t kMostProcesses = 64;

class Folder {
 public:
  Folder() { EXPECT(mkdtemp(path_.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string File(const std::string& name = "memory") const { return path_ + "/" + name; }

 private:
  std::string path_ = std::filesystem::temp_directory_path() / "vram-shared-XXXXXX";
};

struct Pipe {
  Pipe() { EXPECT_EQUAL(pipe(ends.data()), 0); }
  ~Pipe() {
    for (const int end : ends) close(end);
  }
  std::array<int, 2> ends{};
};

// Starts a process that opens the file and says so, waits for a byte, takes all memory, says whether it got it, and waits to be killed.
pid_t Contend(const std::string& path, const Pipe& start, const Pipe& answers) {
  const pid_t child = fork();
  if (child != 0) return child;
  alarm(30);
  const auto memory = SharedMemory::Open(path);
  char byte = 0;
  if (memory == nullptr || write(answers.ends[1], "o", 1) != 1 || read(start.ends[0], &byte, 1) != 1) _exit(1);
  if (write(answers.ends[1], memory->Take(kCapacity, kCapacity) ? "w" : "l", 1) != 1) _exit(1);
  for (;;) pause();
}

std::string ReadAnswers(const Pipe& answers) {
  std::string said(kContenders, ' ');
  for (char& each : said) EXPECT_EQUAL(read(answers.ends[0], &each, 1), 1);
  std::sort(said.begin(), said.end());
  return said;
}

void Kill(pid_t child) {
  int status = 0;
  kill(child, SIGKILL);
  EXPECT_EQUAL(waitpid(child, &status, 0), child);
  EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

}  // namespace

TEST("simulator: shared memory is counted over all, and is free again when it is given back or its owner ends") {
  const Folder folder;
  const auto one = SharedMemory::Open(folder.File());
  auto other = SharedMemory::Open(folder.File());
  EXPECT(one->Take(30, kCapacity));
  EXPECT(other->Take(60, kCapacity));
  EXPECT_EQUAL(one->UsedBytes(), 90u);
  EXPECT(!one->Take(11, kCapacity));
  EXPECT(!other->Take(SIZE_MAX, kCapacity));
  EXPECT(!other->Take(1, kCapacity - 11));
  one->Give(30);
  EXPECT_EQUAL(other->UsedBytes(), 60u);
  other.reset();
  EXPECT_EQUAL(one->UsedBytes(), 0u);
  EXPECT(one->Take(kCapacity, kCapacity));
}

TEST("simulator: one of several processes that race for all shared memory gets it, and kill -9 frees it") {
  const Folder folder;
  const auto mine = SharedMemory::Open(folder.File());
  for (int round = 0; round < 20; ++round) {
    const Pipe start;
    const Pipe answers;
    std::vector<pid_t> children;
    for (std::size_t k = 0; k < kContenders; ++k) children.push_back(Contend(folder.File(), start, answers));
    EXPECT_EQUAL(ReadAnswers(answers), "oooo");
    EXPECT_EQUAL(write(start.ends[1], "....", kContenders), static_cast<ssize_t>(kContenders));
    EXPECT_EQUAL(ReadAnswers(answers), "lllw");
    EXPECT_EQUAL(mine->UsedBytes(), kCapacity);
    for (const pid_t child : children) Kill(child);
    EXPECT(mine->Take(kCapacity, kCapacity));
    mine->Give(kCapacity);
  }
}

TEST("simulator: as many processes as the file has slots share memory, and a slot is free again when its owner ends") {
  const Folder folder;
  std::vector<std::unique_ptr<SharedMemory>> all;
  for (std::size_t k = 0; k < kMostProcesses; ++k) all.push_back(SharedMemory::Open(folder.File()));
  EXPECT(std::find(all.begin(), all.end(), nullptr) == all.end());
  EXPECT(SharedMemory::Open(folder.File()) == nullptr);
  EXPECT(all.front()->Take(kCapacity, kCapacity));
  all.erase(all.begin());
  const auto next = SharedMemory::Open(folder.File());
  EXPECT(next != nullptr);
  EXPECT_EQUAL(next->UsedBytes(), 0u);
}

TEST("simulator: the shared file is its owner's alone, and what is something else's is refused and left as it was") {
  const Folder folder;
  const mode_t mask = umask(0);
  EXPECT(SharedMemory::Open(folder.File()) != nullptr);
  umask(mask);
  struct stat status {};
  EXPECT_EQUAL(stat(folder.File().c_str(), &status), 0);
  EXPECT_EQUAL(status.st_mode & 07777u, 0600u);

  std::filesystem::create_symlink(folder.File(), folder.File("link"));
  EXPECT(SharedMemory::Open(folder.File("link")) == nullptr);
  EXPECT(SharedMemory::Open(folder.File("missing/memory")) == nullptr);
  EXPECT(SharedMemory::Open(folder.File("")) == nullptr);
  EXPECT(SharedMemory::Open("/dev/null") == nullptr);
  for (const off_t size : {off_t{1}, status.st_size}) {
    const std::string text(static_cast<std::size_t>(size), 'x');
    std::ofstream(folder.File("other")) << text;
    EXPECT(SharedMemory::Open(folder.File("other")) == nullptr);
    std::string left;
    std::getline(std::ifstream(folder.File("other")), left);
    EXPECT_EQUAL(left, text);
  }
  std::filesystem::resize_file(folder.File(), 8);
  EXPECT(SharedMemory::Open(folder.File()) == nullptr);
}

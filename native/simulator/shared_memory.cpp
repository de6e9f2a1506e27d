#include "shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace vram::simulator {
namespace {

// The table's entries: a mark of whose file it is, then the slots. Each is locked by its own bytes; the mark's lock is for
// whoever reads or writes slots. The locks are the open file's, not the process's, so that one process may open it twice.
constexpr std::uint64_t kMark = 0x4d454d5348415245;
constexpr std::size_t kSlots = 64;
constexpr std::size_t kTableBytes = (1 + kSlots) * sizeof(std::uint64_t);

struct flock LockOf(std::size_t entry, int type) {
  struct flock lock {};
  lock.l_type = static_cast<short>(type);
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(entry * sizeof(std::uint64_t));
  lock.l_len = sizeof(std::uint64_t);
  return lock;
}

bool SetLock(int file, std::size_t entry, int type) {
  struct flock lock = LockOf(entry, type);
  return fcntl(file, F_OFD_SETLK, &lock) == 0;
}

class Turn {
 public:
  explicit Turn(int file) : file_(file) {
    struct flock lock = LockOf(0, F_WRLCK);
    while (fcntl(file_, F_OFD_SETLKW, &lock) != 0) {
      if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "shared memory file");
    }
  }
  ~Turn() { SetLock(file_, 0, F_UNLCK); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  int file_;
};

}  // namespace

std::unique_ptr<SharedMemory> SharedMemory::Open(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return nullptr;
  std::unique_ptr<SharedMemory> memory(new SharedMemory(file));
  try {
    const Turn turn(file);
    return memory->MapTable() && memory->ClaimSlot() ? std::move(memory) : nullptr;
  } catch (const std::system_error&) {
    return nullptr;
  }
}

// A mapping keeps the open file, and so its locks, alive.
SharedMemory::~SharedMemory() {
  if (table_ != nullptr) munmap(table_, kTableBytes);
  close(file_);
}

bool SharedMemory::MapTable() {
  struct stat status {};
  if (fstat(file_, &status) != 0) return false;
  const bool is_new = status.st_size == 0;
  if (!is_new && status.st_size != static_cast<off_t>(kTableBytes)) return false;
  if (is_new && posix_fallocate(file_, 0, static_cast<off_t>(kTableBytes)) != 0) return false;
  void* const mapped = mmap(nullptr, kTableBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
  if (mapped == MAP_FAILED) return false;
  table_ = static_cast<std::uint64_t*>(mapped);
  if (is_new) table_[0] = kMark;
  return table_[0] == kMark;
}

bool SharedMemory::ClaimSlot() {
  for (slot_ = 1; slot_ <= kSlots; ++slot_) {
    if (!SetLock(file_, slot_, F_WRLCK)) continue;
    table_[slot_] = 0;
    return true;
  }
  return false;
}

bool SharedMemory::IsLive(std::size_t entry) const {
  struct flock lock = LockOf(entry, F_WRLCK);
  return entry == slot_ || fcntl(file_, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

std::size_t SharedMemory::SumSlots() {
  std::size_t sum = 0;
  for (std::size_t entry = 1; entry <= kSlots; ++entry) {
    if (!IsLive(entry)) table_[entry] = 0;
    sum += table_[entry];
  }
  return sum;
}

std::size_t SharedMemory::UsedBytes() {
  const Turn turn(file_);
  return SumSlots();
}

bool SharedMemory::Take(std::size_t bytes, std::size_t capacity) {
  const Turn turn(file_);
  const std::size_t used = SumSlots();
  if (used > capacity || bytes > capacity - used) return false;
  table_[slot_] += bytes;
  return true;
}

void SharedMemory::Give(std::size_t bytes) {
  const Turn turn(file_);
  table_[slot_] -= bytes;
}

}  // namespace vram::simulator

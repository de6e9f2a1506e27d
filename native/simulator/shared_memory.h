// How much of a simulated device's memory each of several processes uses, told in a file that they share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace vram::simulator {

// One process's slot in the file. It is locked while the process lives; what an unlocked slot says is not used any more.
class SharedMemory {
 public:
  // Makes the file where there is none. Null: it cannot be shared, is something else's, or has no slot left.
  static std::unique_ptr<SharedMemory> Open(const std::string& path);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  // Take, Give and UsedBytes throw std::system_error where the file can no longer be locked.

  // False if all processes together would use more than `capacity`.
  bool Take(std::size_t bytes, std::size_t capacity);
  void Give(std::size_t bytes);
  std::size_t UsedBytes();

 private:
  explicit SharedMemory(int file) : file_(file) {}
  bool MapTable();
  bool ClaimSlot();
  bool IsLive(std::size_t entry) const;
  std::size_t SumSlots();

  int file_;
  std::uint64_t* table_ = nullptr;
  std::size_t slot_ = 0;
};

}  // namespace vram::simulator

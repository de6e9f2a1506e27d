// Objects of one environment by slot and generation: a handle that outlived its object finds nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace vram::binding {

struct HandleKey {
  std::size_t slot;
  std::uint64_t generation;
};

template <class T>
class HandleTable {
 public:
  HandleKey Add(std::shared_ptr<T> object) {
    if (free_.empty()) {
      free_.push_back(slots_.size());
      slots_.push_back({});
    }
    const std::size_t slot = free_.back();
    free_.pop_back();
    slots_[slot].object = std::move(object);
    return {slot, slots_[slot].generation};
  }

  std::shared_ptr<T> Find(HandleKey key) const {
    if (key.slot >= slots_.size() || slots_[key.slot].generation != key.generation) return nullptr;
    return slots_[key.slot].object;
  }

  /// Ends every handle of the object. A stale key is ignored.
  std::shared_ptr<T> Remove(HandleKey key) {
    if (Find(key) == nullptr) return nullptr;
    ++slots_[key.slot].generation;
    free_.push_back(key.slot);
    return std::exchange(slots_[key.slot].object, nullptr);
  }

 private:
  struct Slot {
    std::uint64_t generation = 1;
    std::shared_ptr<T> object;
  };
  std::vector<Slot> slots_;
  std::vector<std::size_t> free_;
};

}  // namespace vram::binding

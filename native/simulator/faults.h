// Faults that a test asks for. Counts are of calls since the fault was set.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "../driver/abi.h"

namespace vram::simulator {

// Skips `after` occasions, then applies to one, or to every one if sticky.
struct Trigger {
  std::uint64_t after = 0;
  bool sticky = false;
  bool spent = false;

  // Counts one occasion; true if the fault applies to it.
  bool Fires() {
    if (spent) return false;
    if (after > 0) {
      --after;
      return false;
    }
    spent = !sticky;
    return true;
  }
};

struct CallFault {
  Trigger trigger;
  CUresult code = driver::kSuccess;
};

struct BitFlip {
  Trigger trigger;
  std::uint64_t buffer_id = 0;
  std::uint64_t byte_offset = 0;
  int bit = 0;
};

enum class CopyMode { kDrop, kShort, kLate };

struct CopyFault {
  Trigger trigger;
  CopyMode mode = CopyMode::kDrop;
};

struct AttributeOverride {
  CUresult result = driver::kSuccess;
  std::uint64_t value = 0;
};

struct Faults {
  std::map<std::string, std::vector<CallFault>> calls;
  std::map<std::string, std::vector<BitFlip>> flips;
  std::map<std::string, unsigned> latency_ms;
  std::map<std::string, std::uint64_t> counts;
  std::map<int, AttributeOverride> attributes;
  std::vector<CopyFault> to_device;
  std::vector<CopyFault> to_host;
  std::vector<Trigger> skipped_kernels;
};

}  // namespace vram::simulator

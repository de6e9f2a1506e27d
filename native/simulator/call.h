// What every entry point does first: it is counted, delayed, and may be made to fail.
#pragma once

#include "machine.h"

namespace vram::simulator {

// Where a call may be made: anywhere, after cuInit, or in a thread with a current context.
enum class Needs { kNothing, kInitialized, kContext };

// Holds the machine's lock for one call of an entry point.
class Call {
 public:
  Call(const char* entry_point, Needs needs);

  // What the call must answer without doing anything; kSuccess: go on.
  CUresult refused() const { return refused_; }
  Machine& machine() const { return machine_; }
  Device& device() const;
  int ordinal() const;
  std::unique_lock<std::mutex>& lock() { return lock_; }

 private:
  CUresult Refuse(const char* entry_point, Needs needs);

  Machine& machine_;
  std::unique_lock<std::mutex> lock_;
  CUresult refused_;
};

// The device whose primary context is current in this thread, or -1.
int& CurrentDevice();

// A result that ends the context: every later call of the device answers it too.
bool IsSticky(CUresult result);

bool FlipBit(Machine& machine, const BitFlip& flip);

}  // namespace vram::simulator

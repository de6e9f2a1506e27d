// What a computation over a secret leaves behind in vector registers and on the stack.
#pragma once

namespace vram::secret {

/// Zeroes both when it goes out of scope, which must be in the function that had the computation done.
class TraceWipe {
 public:
  TraceWipe() = default;
  TraceWipe(const TraceWipe&) = delete;
  TraceWipe& operator=(const TraceWipe&) = delete;
  ~TraceWipe();
};

}  // namespace vram::secret

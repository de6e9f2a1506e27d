// Any text at all: the PTX parser refuses it, or what it answers runs without touching memory that is not its own.
#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "simulator/ptx_interpreter.h"

using namespace vram::simulator;

namespace {

constexpr CUdeviceptr kInput = 0x10000000;
constexpr CUdeviceptr kOutput = 0x7000000000;

/// A program without a branch back ends; whether others do is not the question here.
bool Ends(const Function& function) {
  for (std::size_t index = 0; index < function.instructions.size(); ++index) {
    const Instruction& each = function.instructions[index];
    if (each.opcode == Opcode::kBranch && each.target <= index) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const auto& function : ParsePtx(std::string_view(reinterpret_cast<const char*>(data), size))) {
    if (!Ends(*function)) continue;
    // On the heap, so that a sanitizer sees a step beyond either end.
    std::vector<unsigned char> input(4096, 0x5a), output(64);
    Launch launch;
    launch.function = function.get();
    launch.blocks = 2;
    launch.threads_per_block = 33;
    launch.parameters.assign(function->parameter_bytes.size(), 2);
    if (!launch.parameters.empty()) launch.parameters[0] = kInput;
    if (launch.parameters.size() > 1) launch.parameters[1] = kOutput;
    launch.memory = {{kInput, input.size(), input.data(), false}, {kOutput, output.size(), output.data(), true}};
    static_cast<void>(Execute(launch));
    if (std::any_of(input.begin(), input.end(), [](unsigned char byte) { return byte != 0x5a; })) __builtin_trap();
  }
  return 0;
}

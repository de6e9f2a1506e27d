#include "driver/library.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "driver/call.h"
#include "driver/origin.h"
#include "ops/library_digest.h"
#include "test/rig.h"

using namespace vram;
using namespace vram::test;

TEST("PB-4 test_ram_inference_rejected: a library with the mark is the simulator, never a GPU's driver") {
  control::Reset({control::DeviceOptions()}, kDriverVersion);
  const auto library = OpenSimulator();
  EXPECT(library->backend() == driver::Backend::kSimulator);
  EXPECT_EQUAL(library->version(), kDriverVersion);
  EXPECT(library->file_path().has_value());
}

TEST("No driver, no device and an old driver are DRIVER_UNAVAILABLE with a remedy") {
  EXPECT(CodeOf(driver::Library::Open("/nonexistent/libcuda.so.1")) == Code::kDriverUnavailable);
  control::Reset({}, kDriverVersion);
  const auto none = driver::Library::Open(std::string(VRAM_SIMULATOR_PATH));
  EXPECT(CodeOf(none) == Code::kDriverUnavailable);
  EXPECT_EQUAL(none.error().answer->result, driver::kNoDevice);
  EXPECT(none.error().message.find("vram-simulator") != std::string::npos);
  control::Reset({control::DeviceOptions()}, 12010);
  EXPECT(CodeOf(driver::Library::Open(std::string(VRAM_SIMULATOR_PATH))) == Code::kDriverUnavailable);
}

TEST("A library without the driver's entry points is refused by the name of the first one missing") {
  control::Reset({control::DeviceOptions()}, kDriverVersion);
  const auto refused = driver::Library::Open("/lib/x86_64-linux-gnu/libm.so.6");
  EXPECT(CodeOf(refused) == Code::kDriverUnavailable);
  EXPECT(refused.error().message.find("cuInit") != std::string::npos || refused.error().message.find("loaded") != std::string::npos);
}

TEST("A relative or empty library path is INVALID_INPUT") {
  for (const std::string& path : {std::string(), std::string("libcuda.so.1"), std::string("/a\0b", 4)}) {
    EXPECT(CodeOf(driver::Library::Open(path)) == Code::kInvalidInput);
  }
}

TEST("WORKER-4152 no message names the path that was tried") {
  const auto refused = driver::Library::Open("/nonexistent/secret-folder/libcuda.so.1");
  EXPECT(refused.error().message.find("secret-folder") == std::string::npos);
}

TEST("The compute cache is off before the driver starts") {
  unsetenv("CUDA_CACHE_DISABLE");
  control::Reset({control::DeviceOptions()}, kDriverVersion);
  OpenSimulator();
  EXPECT_EQUAL(std::string(std::getenv("CUDA_CACHE_DISABLE")), std::string("1"));
}

TEST("Functions of several files have no origin, and neither has what lies in no file") {
  const auto library = OpenSimulator();
  void* const from_driver = reinterpret_cast<void*>(library->table().cuInit);
  void* const from_libc = reinterpret_cast<void*>(&getpid);
  void* const one[] = {from_libc};
  void* const two[] = {from_driver, from_libc};
  EXPECT(driver::OriginOf(one).path.has_value());
  EXPECT(!driver::OriginOf(two).path.has_value());
  EXPECT(!driver::OriginOf(two).trusted);
  int local = 0;
  void* const nowhere[] = {&local};
  EXPECT(!driver::OriginOf(nowhere).trusted);
}

TEST("A file that others may write is not trusted, one that only root may write is") {
  const auto library = OpenSimulator();
  void* const function[] = {reinterpret_cast<void*>(library->table().cuInit)};
  const std::string path = *library->file_path();
  struct stat before = {};
  EXPECT_EQUAL(stat(path.c_str(), &before), 0);
  chmod(path.c_str(), 0775);
  const bool group_may_write = driver::OriginOf(function).trusted;
  chmod(path.c_str(), 0757);
  const bool others_may_write = driver::OriginOf(function).trusted;
  chmod(path.c_str(), 0755);
  const bool owner_may_write = driver::OriginOf(function).trusted;
  chmod(path.c_str(), before.st_mode);
  EXPECT(!group_may_write);
  EXPECT(!others_may_write);
  EXPECT_EQUAL(owner_may_write, before.st_uid == 0);
}

TEST("The library's digest is its file's SHA-256") {
  char path[] = "/tmp/vram-library-XXXXXX";
  close(mkstemp(path));
  std::ofstream(path) << "abc";
  const auto digest = Must(ops::FileSha256(path));
  unlink(path);
  EXPECT_EQUAL(ops::Hex(digest), std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
  EXPECT(CodeOf(ops::FileSha256("/nonexistent/file")) == Code::kDriverUnavailable);
}

TEST("Context-ending answers are sticky, ordinary ones are not") {
  for (const int result : {46, 214, 700, 716, 719, 999}) EXPECT(driver::IsSticky(result));
  for (const int result : {0, 1, 2, 100, 201, 400, 801}) EXPECT(!driver::IsSticky(result));
}

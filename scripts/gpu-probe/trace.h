// One fixed story of right and wrong calls, told as result codes: two drivers agree where the two lists are equal.
#pragma once

#include <string>
#include <vector>

#include "session.h"

namespace probe {

inline std::string Trace(Session& session) {
  const Api& api = session.api();
  const CUstream stream = session.stream();
  const CUmemAllocationProp properties = session.Properties();
  const size_t bytes = session.granularity();
  std::vector<std::string> told;
  const auto tell = [&](const char* step, CUresult result) { told.push_back(Object({{"step", Quote(step)}, {"result", std::to_string(result)}})); };

  int number = 0;
  CUdevice device = 0;
  CUmodule module = nullptr;
  CUfunction function = nullptr;
  tell("device ordinal out of range", api.cuDeviceGet(&device, 4096));
  tell("device attribute unknown", api.cuDeviceGetAttribute(&number, 100000, session.device()));
  tell("module of no PTX", api.cuModuleLoadDataEx(&module, "no ptx", 0, nullptr, nullptr));
  tell("module", api.cuModuleLoadDataEx(&module, ".version 6.0\n.target sm_60\n.address_size 64\n.visible .entry none()\n{\n ret;\n}\n", 0, nullptr, nullptr));
  tell("function unknown", api.cuModuleGetFunction(&function, module, "missing"));
  tell("function", api.cuModuleGetFunction(&function, module, "none"));
  tell("launch of no blocks", api.cuLaunchKernel(function, 0, 1, 1, 128, 1, 1, 0, stream, nullptr, nullptr));
  tell("launch of 2048 threads a block", api.cuLaunchKernel(function, 1, 1, 1, 2048, 1, 1, 0, stream, nullptr, nullptr));
  tell("launch", api.cuLaunchKernel(function, 1, 1, 1, 128, 1, 1, 0, stream, nullptr, nullptr));
  tell("synchronize", session.Wait());

  CUmemGenericAllocationHandle handle = 0, other = 0;
  CUdeviceptr address = 0;
  tell("create of 0 bytes", api.cuMemCreate(&other, 0, &properties, 0));
  tell("create of part of a granule", api.cuMemCreate(&other, bytes + 1, &properties, 0));
  tell("create beyond the device", api.cuMemCreate(&other, bytes << 24, &properties, 0));
  tell("create", api.cuMemCreate(&handle, bytes, &properties, 0));
  tell("reserve", api.cuMemAddressReserve(&address, bytes, 0, 0, 0));
  tell("access before the map", session.SetAccess(address, bytes, kAccessReadWrite));
  tell("map", api.cuMemMap(address, bytes, 0, handle, 0));
  tell("map over a map", api.cuMemMap(address, bytes, 0, handle, 0));
  tell("release of the handle", api.cuMemRelease(handle));
  tell("access", session.SetAccess(address, bytes, kAccessReadWrite));
  unsigned char host[16] = {};
  tell("memset", api.cuMemsetD8Async(address, 7, bytes, stream));
  tell("copy to the device", api.cuMemcpyHtoDAsync_v2(address, host, sizeof host, stream));
  tell("copy to the host", api.cuMemcpyDtoHAsync_v2(host, address, sizeof host, stream));
  tell("synchronize", session.Wait());
  tell("copy past the end", api.cuMemcpyHtoDAsync_v2(address + bytes - 1, host, sizeof host, stream));
  tell("synchronize", session.Wait());
  tell("freeze", session.SetAccess(address, bytes, kAccessRead));
  unsigned long long flags = 0;
  const CUmemLocation location{kLocationDevice, session.device()};
  tell("read the access", api.cuMemGetAccess(&flags, &location, address));
  told.push_back(Object({{"step", Quote("the access")}, {"result", std::to_string(flags)}}));
  tell("copy to the host of frozen memory", api.cuMemcpyDtoHAsync_v2(host, address, sizeof host, stream));
  tell("thaw", session.SetAccess(address, bytes, kAccessReadWrite));
  tell("wipe", api.cuMemsetD8Async(address, 0, bytes, stream));
  tell("synchronize", session.Wait());
  tell("unmap", api.cuMemUnmap(address, bytes));
  unsigned long long value = 0;
  tell("attribute of unmapped memory", api.cuPointerGetAttribute(&value, kPointerBufferId, address));
  tell("unmap again", api.cuMemUnmap(address, bytes));
  tell("free of the range", api.cuMemAddressFree(address, bytes));
  tell("free of the range again", api.cuMemAddressFree(address, bytes));
  tell("copy to freed memory", api.cuMemcpyHtoDAsync_v2(address, host, sizeof host, stream));
  tell("synchronize", session.Wait());
  tell("unload", api.cuModuleUnload(module));
  return List(told);
}

}  // namespace probe

// What each defence is, how it is taken out, and which tests must notice.
const residency = (...tests) => ({ in: "packages/vram-residency", tests: tests.map((name) => `test/requirements/${name}.test.ts`) });
const cuda = (...tests) => ({ in: "packages/vram-cuda", tests: tests.map((name) => `test/${name}.test.ts`) });

export const defences = [
  {
    defence: "MACs compared in constant time",
    file: "packages/vram-seal/src/seal/seal-mac.ts",
    replace: [["expected.length === received.length && timingSafeEqual(expected, received);", "expected.every((byte, index) => byte === received[index]);"]],
    ...{ in: "packages/vram-seal", tests: ["test/timing.test.ts"] },
  },
  {
    defence: "digest from VRAM",
    file: "packages/vram-residency/src/read-device.ts",
    replace: [["if (digest !== null) return digest;", "if (digest !== null) return shard.statement.digest;"]],
    ...residency("digest-time-of-check"),
  },
  {
    defence: "liveness by the registry",
    file: "packages/vram-residency/src/registry.ts",
    replace: [["    this.#live.delete(shard.shardId);", ""]],
    ...residency("digest-time-of-check", "seal-forgery"),
  },
  {
    defence: "poisoned output of the kernel",
    file: "native/ops/digest_run.cpp",
    replace: [
      ["done = context_.FillWords(area, leaves_at, leaf_bytes / kWordBytes, window.poison.leaves);", "done = Done{};"],
      ["done = context_.FillWords(area, parents_at, parent_bytes / kWordBytes, window.poison.parents);", "static_cast<void>(parent_bytes);"],
    ],
    ...residency("digest-time-of-check"),
  },
  {
    defence: "read-only mapping",
    file: "native/device/mapping.cpp",
    replace: [["Status frozen = SetAccess(driver::kAccessRead);", "Status frozen = Done{};"]],
    ...cuda("store", "view"),
  },
  {
    defence: "placement check",
    file: "packages/vram-residency/src/read-device.ts",
    replace: [["if (!ok) throw await refuse(", "if (violations.length > 99) throw await refuse("], ["const { ok, violations }", "const { violations }"]],
    ...residency("policy-bypass"),
  },
  {
    defence: "range check in C++",
    file: "native/device/checked.h",
    replace: [["return offset <= size && length <= size - offset;", "return offset <= size || length <= size;"]],
    ...cuda("addon-arguments", "view"),
  },
  {
    defence: "wipe",
    file: "native/ops/release_run.cpp",
    replace: [["done = context_.FillBytes(mapping_, 0, mapping_.allocated_bytes(), 0);", ""]],
    ...cuda("release"),
  },
  {
    defence: "audit of a failed signature",
    file: "packages/vram-residency/src/check-seal.ts",
    replace: [["throw await refuse(worker, { shardId, reason: sealReason(failure) }, error);", "throw failure;"]],
    ...residency("seal-forgery", "audit-trail"),
  },
  {
    defence: "the simulator is refused",
    file: "packages/vram-policy/src/evaluate-device.ts",
    replace: [["policy.allowBackends.includes(fact)", "[...policy.allowBackends, fact].includes(fact)"]],
    ...{ in: "packages/vram-policy", tests: ["test/policy.test.ts"] },
  },
];

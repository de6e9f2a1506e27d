/** Each test file runs in a process of its own: native state never crosses files. */
export const tests = (options = {}) => ({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: Number(process.env.VRAM_TEST_TIMEOUT_MS ?? 30_000),
    ...options,
  },
});

// Stryker asks for threads over any configuration, and native state must not be shared.
const processes = { name: "processes", configureVitest: ({ project }) => void (project.config.pool = "forks") };

/** Each test file runs in a process of its own: native state never crosses files. */
export const tests = (options = {}) => ({
  plugins: [processes],
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: Number(process.env.VRAM_TEST_TIMEOUT_MS ?? 30_000),
    ...options,
  },
});

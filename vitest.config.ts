import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    // Real processes are started, killed and started again: the machine decides how long that takes.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: "forks",
  },
});

// Preloaded into a measured process: writes its CPU time (ms) and peak memory (MiB) to the file OPENCLAW_BENCH_USAGE names.
const { writeFileSync } = require("node:fs");

process.on("exit", () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const usage = { cpuMs: (userCPUTime + systemCPUTime) / 1000, peakMiB: maxRSS / 1024 };
  writeFileSync(process.env.OPENCLAW_BENCH_USAGE, JSON.stringify(usage));
});

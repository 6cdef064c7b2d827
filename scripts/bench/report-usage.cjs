// Preloaded into a measured process: writes its CPU time (ms) and peak memory (MiB) to the file OPENCLAW_USAGE names.
const { existsSync, readFileSync, writeFileSync } = require("node:fs");

/** The peak of this program alone: what Linux calls maxrss is never less than the process held that started it. */
function peakKiB() {
  const status = "/proc/self/status";
  const peak = existsSync(status) && /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(status, "utf8"));
  return peak ? Number(peak[1]) : process.resourceUsage().maxRSS;
}

process.on("exit", () => {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  const usage = { cpuMs: (userCPUTime + systemCPUTime) / 1000, peakMiB: peakKiB() / 1024 };
  writeFileSync(process.env.OPENCLAW_USAGE ?? "usage.json", JSON.stringify(usage));
});

// Loaded into a process with --require: how long its main thread works without letting anything else have its turn, as it is
// asked by its parent. In ms of the thread's own processor time, so that what else the machine does counts for nothing; the
// kernel tells it to the nearest few ms (https://docs.kernel.org/scheduler/sched-stats.html). And in ms on the clock.
const { openSync, readSync } = require("node:fs");

const file = openSync(`/proc/self/task/${process.pid}/schedstat`, "r");
const bytes = Buffer.alloc(64);
const cpuNow = () => Number.parseInt(bytes.toString("latin1", 0, readSync(file, bytes, 0, 64, 0)), 10) / 1e6;

let [cpu, wall] = [cpuNow(), performance.now()];
let longest = { cpuMs: 0, wallMs: 0 };
setInterval(() => {
  const [cpuThen, wallThen] = [cpu, wall];
  [cpu, wall] = [cpuNow(), performance.now()];
  longest = {
    cpuMs: Math.max(longest.cpuMs, cpu - cpuThen),
    wallMs: Math.max(longest.wallMs, wall - wallThen),
  };
}, 1).unref();

process.on("message", () => {
  process.send?.(longest);
  longest = { cpuMs: 0, wallMs: 0 };
});
process.channel?.unref();

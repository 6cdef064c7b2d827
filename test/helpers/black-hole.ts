import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { onTestFinished } from "vitest";

/** Listens, and then never gets to accept anything. */
const PROGRAM = `
  const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
    require("node:fs").writeSync(1, String(server.address().port));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;

/**
 * A loopback URL where no connection comes about and none is refused, as at an address that nothing answers: a
 * listener that accepts nothing, with its queue filled.
 */
export async function blackHole(): Promise<string> {
  const listener = spawn(process.execPath, ["-e", PROGRAM], { stdio: ["ignore", "pipe", "inherit"] });
  const [chunk] = (await once(listener.stdout, "data")) as [Buffer];
  const port = Number(chunk.toString());
  const fillers = Array.from({ length: 6 }, () => connect(port, "127.0.0.1").on("error", () => undefined));
  onTestFinished(() => {
    for (const filler of fillers) filler.destroy();
    listener.kill("SIGKILL");
  });
  await once(fillers[0] ?? listener, "connect");
  return `http://127.0.0.1:${port}`;
}

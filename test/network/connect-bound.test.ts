import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { boundConnecting } from "../../src/network/secure.ts";

it("keeps a connection that was made in time, although the process was too busy to see it", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  boundConnecting(socket, 20);
  // The kernel has the connection at once; this process has no time for it until the bound has passed.
  await new Promise((resolve) => process.nextTick(resolve));
  const until = performance.now() + 100;
  while (performance.now() < until);
  await once(socket, "connect");
  expect(socket.destroyed).toBe(false);
});

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { onTestFinished } from "vitest";

export interface SocksProxy {
  /** `host:port`. */
  address: string;
  /** What each connection asked for: version, user and password or id, and the destination as it came. */
  asked: { version: 4 | 5; login: string; destination: string }[];
}

export interface SocksOptions {
  /** `user:password` that SOCKS5 demands. */
  login?: string;
  /** The answer in place of a connection: REP of SOCKS5 (RFC 1928), CD of SOCKS4. */
  refuses?: number;
  /** The HTTP proxy that it connects through; by itself it connects to the destination's port on this machine. */
  through?: string | undefined;
}

/** A real SOCKS 4, 4a and 5 server on loopback, whose every destination is this machine or behind an HTTP proxy. */
export async function startSocksProxy({ login, refuses, through }: SocksOptions = {}): Promise<SocksProxy> {
  const asked: SocksProxy["asked"] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => socket.destroy()));
    const reader = createReader(socket);
    serve(socket, reader).catch(() => socket.destroy());
  });

  async function serve(socket: Socket, reader: Reader): Promise<void> {
    const [version = 0] = await reader.take(1);
    const request = version === 5 ? await greetFive(socket, reader) : await readFour(reader);
    asked.push({ version: version === 5 ? 5 : 4, ...request });
    const answer = (code: number): void => {
      socket.write(
        version === 5
          ? Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0])
          : Buffer.from([0, code, 0, 0, 0, 0, 0, 0]),
      );
    };
    if (refuses !== undefined) {
      answer(refuses);
      socket.end();
      return;
    }
    const upstream = await reach(request.destination);
    sockets.add(upstream.on("error", () => socket.destroy()));
    answer(version === 5 ? 0 : 90);
    reader.release();
    socket.pipe(upstream).pipe(socket);
  }

  async function greetFive(socket: Socket, reader: Reader): Promise<{ login: string; destination: string }> {
    const [count = 0] = await reader.take(1);
    const methods = await reader.take(count);
    const method = login === undefined ? 0 : 2;
    if (!methods.includes(method)) {
      socket.end(Buffer.from([5, 0xff]));
      throw new Error("no method");
    }
    socket.write(Buffer.from([5, method]));
    let given = "";
    if (method === 2) {
      const [, userLength = 0] = await reader.take(2);
      const user = await reader.take(userLength);
      const [passwordLength = 0] = await reader.take(1);
      given = `${user.toString()}:${(await reader.take(passwordLength)).toString()}`;
      socket.write(Buffer.from([1, given === login ? 0 : 1]));
      if (given !== login) throw new Error("wrong password");
    }
    const [, , , kind] = await reader.take(4);
    const length = kind === 1 ? 4 : kind === 4 ? 16 : ((await reader.take(1))[0] ?? 0);
    const address = await reader.take(length);
    const host = kind === 3 ? address.toString() : kind === 1 ? [...address].join(".") : "IPv6";
    return { login: given, destination: `${host}:${(await reader.take(2)).readUInt16BE()}` };
  }

  async function readFour(reader: Reader): Promise<{ login: string; destination: string }> {
    await reader.take(1);
    const port = (await reader.take(2)).readUInt16BE();
    const address = [...(await reader.take(4))].join(".");
    const user = await reader.takeText();
    const isNamed = /^0\.0\.0\.[1-9]/.test(address);
    return { login: user, destination: `${isNamed ? await reader.takeText() : address}:${port}` };
  }

  async function reach(destination: string): Promise<Socket> {
    const proxy = through === undefined ? undefined : new URL(through);
    const upstream = connect(Number(proxy?.port ?? destination.split(":").at(-1)), "127.0.0.1");
    await once(upstream, "connect");
    if (proxy) {
      upstream.write(`CONNECT ${destination} HTTP/1.1\r\nHost: ${destination}\r\n\r\n`);
      await once(upstream, "data");
    }
    return upstream;
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

interface Reader {
  take(count: number): Promise<Buffer>;
  /** Up to a zero byte. */
  takeText(): Promise<string>;
  /** Leaves what comes from now on to others. */
  release(): void;
}

function createReader(socket: Socket): Reader {
  let held = Buffer.alloc(0);
  let wake = (): void => undefined;
  const onData = (chunk: Buffer): void => {
    held = Buffer.concat([held, chunk]);
    wake();
  };
  socket.on("data", onData);
  const take = async (count: number): Promise<Buffer> => {
    while (held.length < count) await new Promise<void>((resolve) => (wake = resolve));
    const taken = held.subarray(0, count);
    held = held.subarray(count);
    return taken;
  };
  return {
    take,
    takeText: async () => {
      let text = "";
      for (;;) {
        const [byte = 0] = await take(1);
        if (byte === 0) return text;
        text += String.fromCharCode(byte);
      }
    },
    release: () => {
      socket.off("data", onData);
      if (held.length > 0) socket.unshift(held);
    },
  };
}

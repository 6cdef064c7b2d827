import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { fetchRemoteImages, isPublicAddress } from "../../src/serve/remote-image.ts";

const forever = new AbortController().signal;
const anywhere = (): boolean => true;

async function host(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("addresses", () => {
  it.each([
    ["8.8.8.8", true],
    ["2606:4700::1111", true],
    ["127.0.0.1", false],
    ["0.0.0.0", false],
    ["10.1.2.3", false],
    ["172.31.0.1", false],
    ["192.168.1.1", false],
    ["169.254.169.254", false],
    ["100.100.100.200", false],
    ["::1", false],
    ["::ffff:127.0.0.1", false],
    ["::ffff:169.254.169.254", false],
    ["64:ff9b::a9fe:a9fe", false],
    ["2002:7f00:1::", false],
    ["fd00:ec2::254", false],
    ["fe80::1", false],
    ["not an address", false],
  ])("%s is public: %s", (address, isPublic) => {
    expect(isPublicAddress(address)).toBe(isPublic);
  });
});

describe("remote images", () => {
  it("are fetched whole, each once", async () => {
    const seen: string[] = [];
    const origin = await host((request, response) => {
      seen.push(request.url ?? "");
      response.end(`image ${request.url}`);
    });
    const images = await fetchRemoteImages([`${origin}/a?sig=1`, `${origin}/b`], forever, anywhere);
    expect([...images.values()].map((bytes) => Buffer.from(bytes).toString())).toEqual([
      "image /a?sig=1",
      "image /b",
    ]);
    expect(seen.sort()).toEqual(["/a?sig=1", "/b"]);
  });

  it.each([
    ["http://127.0.0.1:1/x", "its host is not a public one"],
    ["http://[::1]:1/x", "its host is not a public one"],
    // A name that leads to this machine, and other spellings of its address.
    ["http://localhost:1/x", "its host is not a public one"],
    ["http://2130706433:1/x", "its host is not a public one"],
    ["http://0x7f.1:1/x", "its host is not a public one"],
    ["http://user:secret@127.0.0.1/x", "its URL holds a password"],
    ["http://", "its URL is not one"],
  ])("of %s are not fetched", async (url, why) => {
    await expect(fetchRemoteImages([url], forever)).rejects.toMatchObject({
      code: "invalid-request",
      message: expect.stringContaining(why) as string,
    });
  });

  it("are not fetched from where a redirect leads, and a signature in the URL is not repeated", async () => {
    const origin = await host((_, response) => {
      response.writeHead(302, { location: "http://169.254.169.254/latest/meta-data" }).end();
    });
    await expect(fetchRemoteImages([`${origin}/a?sig=secret`], forever, anywhere)).rejects.toThrow(
      `The image ${origin}/a cannot be fetched: its host answers with status 302.`,
    );
  });

  it("are fetched through the proxy of their URL, by their name", async () => {
    const asked: string[] = [];
    const proxy = await host((request, response) => {
      asked.push(`${request.url} ${request.headers.host}`);
      response.end("image");
    });
    const url = "http://images.invalid/a?sig=1";
    const images = await fetchRemoteImages([url], forever, undefined, { env: { http_proxy: proxy } });
    expect(Buffer.from(images.get(url) ?? []).toString()).toBe("image");
    expect(asked).toEqual(["http://images.invalid/a?sig=1 images.invalid"]);
  });

  it.each([
    ["http://127.0.0.1:1/x", "its host is not a public one"],
    ["http://localhost:1/x", "its host is not a public one"],
    ["http://169.254.169.254/latest", "its host is not a public one"],
    ["ftp://images.invalid/x", "its URL is not http or https"],
    ["http://images.invalid/x", "The proxy"],
  ])("of %s are not fetched through a proxy either", async (url, why) => {
    const asked: string[] = [];
    const proxy = await host((request, response) => {
      asked.push(request.url ?? "");
      response.writeHead(403, { "content-type": "text/html" }).end("<html>no</html>");
    });
    await expect(
      fetchRemoteImages([url], forever, undefined, { env: { ALL_PROXY: proxy } }),
    ).rejects.toMatchObject({ code: "invalid-request", message: expect.stringContaining(why) as string });
    expect(asked).toHaveLength(why === "The proxy" ? 1 : 0);
  });

  it("name the proxy that says nothing", async () => {
    const stop = new AbortController();
    const proxy = await host(() => stop.abort());
    await expect(
      fetchRemoteImages(["http://images.invalid/x"], stop.signal, undefined, { env: { ALL_PROXY: proxy } }),
    ).rejects.toThrow(`took longer than 15 s, through the proxy ${new URL(proxy).host} (ALL_PROXY).`);
  });

  it("tell of a proxy that is none as of a broken set-up", async () => {
    const env = { ALL_PROXY: "http://alice:Secret#Pw@127.0.0.1:1" };
    await expect(
      fetchRemoteImages(["http://images.invalid/x"], forever, undefined, { env }),
    ).rejects.toMatchObject({ code: "config-invalid" });
  });

  it("are given up when they are larger than any request", async () => {
    const origin = await host((_, response) => {
      const megabyte = Buffer.alloc(1024 * 1024);
      const more = (): void => {
        while (!response.destroyed && response.write(megabyte));
        response.once("drain", more);
      };
      more();
    });
    await expect(fetchRemoteImages([origin], forever, anywhere)).rejects.toThrow("it has more than");
  });

  it("are given up when their asker goes away", async () => {
    const stop = new AbortController();
    const origin = await host(() => stop.abort());
    await expect(fetchRemoteImages([origin], stop.signal, anywhere)).rejects.toThrow("cannot be fetched");
  });
});

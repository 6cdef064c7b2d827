import { describe, expect, it } from "vitest";
import { refreshing } from "../../src/credentials/refreshing.ts";

const MINUTE = 60_000;

/** A provider whose answers are numbered, with a clock of its own. */
function counted(lifetimes: (number | undefined | Error)[]) {
  let time = 1_000_000;
  let count = 0;
  const provider = refreshing(
    async () => {
      const lifetime = lifetimes[Math.min(count, lifetimes.length - 1)];
      count += 1;
      if (lifetime instanceof Error) throw lifetime;
      return {
        accessKeyId: `key-${count}`,
        secretAccessKey: "s",
        ...(lifetime === undefined ? {} : { expiration: new Date(time + lifetime) }),
      };
    },
    () => time,
  );
  return {
    id: async (options?: { forceRefresh: boolean }) => (await provider(options)).accessKeyId,
    pass: (ms: number) => (time += ms),
    asked: () => count,
  };
}

describe("credentials that renew themselves", () => {
  it("are kept while they last longer than 5 minutes", async () => {
    const { id, pass, asked } = counted([60 * MINUTE]);
    expect(await id()).toBe("key-1");
    pass(55 * MINUTE);
    expect(await id()).toBe("key-1");
    expect(asked()).toBe(1);
  });

  it("are renewed within 5 minutes of their expiry", async () => {
    const { id, pass } = counted([60 * MINUTE]);
    await id();
    pass(55 * MINUTE + 1);
    expect(await id()).toBe("key-2");
  });

  it("are kept for ever when they do not expire", async () => {
    const { id, pass, asked } = counted([undefined]);
    await id();
    pass(1000 * 60 * MINUTE);
    expect(await id()).toBe("key-1");
    expect(asked()).toBe(1);
  });

  it("are resolved once for callers at the same time", async () => {
    const { id, asked } = counted([60 * MINUTE]);
    expect(await Promise.all([id(), id(), id()])).toEqual(["key-1", "key-1", "key-1"]);
    expect(asked()).toBe(1);
  });

  it("stay in use when renewal fails before they expire, and are asked for again half a minute later", async () => {
    const { id, pass, asked } = counted([60 * MINUTE, new Error("down"), 60 * MINUTE]);
    await id();
    pass(57 * MINUTE);
    expect(await id()).toBe("key-1");
    expect(await id()).toBe("key-1");
    expect(asked()).toBe(2);
    pass(31_000);
    expect(await id()).toBe("key-3");
  });

  it("are an error when renewal fails after they expired", async () => {
    const { id, pass } = counted([60 * MINUTE, new Error("down")]);
    await id();
    pass(61 * MINUTE);
    await expect(id()).rejects.toThrow("down");
  });

  it("that come with less than 5 minutes are not asked for at every call", async () => {
    const { id, pass, asked } = counted([2 * MINUTE]);
    await id();
    await id();
    expect(asked()).toBe(1);
    pass(31_000);
    await id();
    expect(asked()).toBe(2);
  });

  it("are resolved anew when a caller insists, as after an ExpiredToken answer", async () => {
    const { id } = counted([60 * MINUTE]);
    await id();
    expect(await id({ forceRefresh: true })).toBe("key-2");
    expect(await id()).toBe("key-2");
  });

  it("are asked for again after a first failure", async () => {
    const { id } = counted([new Error("down"), 60 * MINUTE]);
    await expect(id()).rejects.toThrow("down");
    expect(await id()).toBe("key-2");
  });
});

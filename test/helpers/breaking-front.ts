import { createServer, request as ask } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A call as it came by. */
export interface PassingCall {
  method: string;
  /** With its query. */
  url: string;
  /** How many calls came by before. */
  before: number;
  /** Whether its whole answer has gone back. */
  isAnswered: boolean;
}

/**
 * What becomes of a call: it passes, it never arrives, it is taken and never answered, its answer never comes back, or breaks
 * off after so many bytes of its body.
 */
export type Fate = "pass" | "lose-request" | "hold" | "lose-answer" | { bytes: number };

export interface BreakingFront {
  url: string;
  calls: PassingCall[];
  fate: (call: PassingCall) => Fate;
}

/** A server in front of another one on this machine, on the way to which calls are lost as a test says. */
export async function startBreakingFront(port: number): Promise<BreakingFront> {
  const front: BreakingFront = { url: "", calls: [], fate: () => "pass" };
  const server = createServer((incoming, outgoing) => {
    const { method = "", url = "/", headers } = incoming;
    const call = { method, url, before: front.calls.length, isAnswered: false };
    front.calls.push(call);
    const fate = front.fate(call);
    if (fate === "lose-request") {
      incoming.socket.resetAndDestroy();
      return;
    }
    if (fate === "hold") {
      incoming.resume();
      return;
    }
    const passed = ask({ host: "127.0.0.1", port, method, path: url, headers }, (answer) => {
      if (fate === "lose-answer") {
        answer.resume().once("end", () => incoming.socket.resetAndDestroy());
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      if (typeof fate === "object") {
        const reset = (): void => void incoming.socket.resetAndDestroy();
        answer.once("data", (piece: Buffer) => outgoing.write(piece.subarray(0, fate.bytes), reset));
        return;
      }
      answer.pipe(outgoing).once("finish", () => (call.isAnswered = true));
    });
    passed.on("error", () => incoming.socket.destroy());
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  front.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return front;
}

import { BedrockClient } from "@aws-sdk/client-bedrock";
import {
  BedrockRuntimeClient,
  type BedrockRuntimeClientConfig,
  type ConverseStreamOutput,
} from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { onTestFinished } from "vitest";
import { startEmulator, type Emulator, type EmulatorOptions } from "../../src/emulator/emulator.ts";

export interface Signer {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** An emulator of one test, stopped when the test ends; a bug inside it fails the test. */
export async function emulate(options: EmulatorOptions = {}): Promise<Emulator> {
  const emulator = await startEmulator(options);
  onTestFinished(() => emulator.stop());
  return emulator;
}

/** The control-plane client of the SDK. */
export function controlClient(
  emulator: Emulator,
  credentials: Signer = emulator,
  region = "us-east-1",
): BedrockClient {
  const client = new BedrockClient({ endpoint: emulator.url, region, credentials, maxAttempts: 1 });
  onTestFinished(() => client.destroy());
  return client;
}

/** The runtime client of the SDK: HTTP/2 as it comes, or HTTP/1.1. */
export function runtimeClient(
  emulator: Emulator,
  protocol: "HTTP/2" | "HTTP/1.1",
  credentials: Signer = emulator,
  region = "us-east-1",
  more: BedrockRuntimeClientConfig = {},
): BedrockRuntimeClient {
  const client = new BedrockRuntimeClient({
    endpoint: emulator.url,
    region,
    credentials,
    maxAttempts: 1,
    ...(protocol === "HTTP/1.1" ? { requestHandler: new NodeHttpHandler() } : {}),
    ...more,
  });
  onTestFinished(() => client.destroy());
  return client;
}

/** The runtime client of the SDK with a Bedrock API key. */
export function bearerClient(
  emulator: Emulator,
  protocol: "HTTP/2" | "HTTP/1.1",
  token: string,
): BedrockRuntimeClient {
  const client = new BedrockRuntimeClient({
    endpoint: emulator.url,
    region: "us-east-1",
    token: { token },
    authSchemePreference: ["httpBearerAuth"],
    maxAttempts: 1,
    ...(protocol === "HTTP/1.1" ? { requestHandler: new NodeHttpHandler() } : {}),
  });
  onTestFinished(() => client.destroy());
  return client;
}

/** Everything a stream carries. */
export async function collect(
  stream: AsyncIterable<ConverseStreamOutput> | undefined,
): Promise<ConverseStreamOutput[]> {
  const events: ConverseStreamOutput[] = [];
  for await (const event of stream ?? []) events.push(event);
  return events;
}

/** The text of a stream's deltas. */
export function textOf(events: readonly ConverseStreamOutput[]): string {
  return events.map((event) => event.contentBlockDelta?.delta?.text ?? "").join("");
}

/** A conversation of one question. */
export function user(text: string): { role: "user"; content: { text: string }[] }[] {
  return [{ role: "user", content: [{ text }] }];
}

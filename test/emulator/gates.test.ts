import {
  CreateFoundationModelAgreementCommand,
  GetAccountDataRetentionCommand,
  GetFoundationModelAvailabilityCommand,
  GetUseCaseForModelAccessCommand,
  ListFoundationModelAgreementOffersCommand,
  PutAccountDataRetentionCommand,
  PutUseCaseForModelAccessCommand,
} from "@aws-sdk/client-bedrock";
import { ConverseCommand } from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it } from "vitest";
import type { Emulator } from "../../src/emulator/emulator.ts";
import type { EmulatedGate } from "../../src/emulator/gates.ts";
import { askPython, needBotocore } from "../helpers/botocore.ts";
import { USE_CASE_FORM } from "../helpers/use-case-form.ts";
import { controlClient, emulate, runtimeClient, user } from "./clients.ts";

const CLAUDE = "anthropic.claude-sonnet-4-6";
const CALLED = "us.anthropic.claude-sonnet-4-6";
const FABLE = "us.anthropic.claude-fable-5";
const formData = Buffer.from(JSON.stringify(USE_CASE_FORM));

async function call(emulator: Emulator, modelId = CALLED, region = "us-east-1"): Promise<unknown> {
  const client = runtimeClient(emulator, "HTTP/1.1", emulator, region);
  return client.send(new ConverseCommand({ modelId, messages: user("hi") }));
}

async function agree(emulator: Emulator): Promise<unknown> {
  const client = controlClient(emulator);
  const { offers } = await client.send(new ListFoundationModelAgreementOffersCommand({ modelId: CLAUDE }));
  const offerToken = offers?.[0]?.offerToken;
  return client.send(new CreateFoundationModelAgreementCommand({ modelId: CLAUDE, offerToken }));
}

const agreementOf = async (emulator: Emulator, modelId = CLAUDE): Promise<string | undefined> => {
  const command = new GetFoundationModelAvailabilityCommand({ modelId });
  return (await controlClient(emulator).send(command)).agreementAvailability?.status;
};

describe("an account with a closed gate", () => {
  it.each<[EmulatedGate, { name: string; message: string }]>([
    ["region", { name: "ValidationException", message: "identifier is invalid" }],
    ["authorization", { name: "ValidationException", message: "Operation not allowed" }],
    ["entitlement", { name: "AccessDeniedException", message: "don't have access to the model" }],
    ["form", { name: "ResourceNotFoundException", message: "use case details have not been submitted" }],
    ["agreement", { name: "AccessDeniedException", message: "aws-marketplace:Subscribe" }],
    ["retention", { name: "ValidationException", message: "data retention mode 'default' is not available" }],
  ])("%s is refused as AWS refuses", async (gate, { name, message }) => {
    const emulator = await emulate({ closedGates: [gate] });
    await expect(call(emulator, gate === "retention" ? FABLE : CALLED)).rejects.toMatchObject({
      name,
      message: expect.stringContaining(message),
    });
  });

  it("opens by the form, once for all models of Anthropic", async () => {
    const emulator = await emulate({ closedGates: ["form"] });
    const client = controlClient(emulator);
    await expect(client.send(new GetUseCaseForModelAccessCommand({}))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
    expect(await agreementOf(emulator)).toBe("NOT_AVAILABLE");
    const { $metadata } = await client.send(new PutUseCaseForModelAccessCommand({ formData }));
    expect($metadata.httpStatusCode).toBe(201);
    const { formData: kept } = await client.send(new GetUseCaseForModelAccessCommand({}));
    expect(JSON.parse(Buffer.from(kept ?? "").toString())).toEqual(USE_CASE_FORM);
    expect(await agreementOf(emulator)).toBe("AVAILABLE");
    await expect(call(emulator)).resolves.toMatchObject({ stopReason: "end_turn" });
  });

  it.each<[string, Buffer]>([
    ["no JSON", Buffer.from("company: Example")],
    [
      "words for a number",
      Buffer.from(JSON.stringify({ ...USE_CASE_FORM, intendedUsers: "Internal employees" })),
    ],
    ["a field too long", Buffer.from(JSON.stringify({ ...USE_CASE_FORM, companyName: "x".repeat(129) }))],
    ["a field too few", Buffer.from(JSON.stringify({ ...USE_CASE_FORM, useCases: undefined }))],
  ])("refuses a form with %s", async (_, bytes) => {
    const emulator = await emulate({ closedGates: ["form"] });
    const put = controlClient(emulator).send(new PutUseCaseForModelAccessCommand({ formData: bytes }));
    await expect(put).rejects.toMatchObject({ name: "ValidationException", message: "Invalid form data" });
    await expect(call(emulator)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });

  it("opens by the agreement about each model that is sold, and takes it once", async () => {
    const emulator = await emulate({ closedGates: ["agreement"] });
    expect(await agreementOf(emulator, "amazon.nova-lite-v1:0")).toBe("AVAILABLE");
    await expect(agree(emulator)).resolves.toMatchObject({
      modelId: CLAUDE,
      $metadata: { httpStatusCode: 202 },
    });
    await expect(call(emulator)).resolves.toMatchObject({ stopReason: "end_turn" });
    await expect(call(emulator, "us.anthropic.claude-sonnet-5")).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
    await expect(agree(emulator)).rejects.toMatchObject({ name: "ConflictException" });
  });

  it("takes no agreement before the form, of another offer, or about what is not sold", async () => {
    const emulator = await emulate({ closedGates: ["agreement", "form"] });
    await expect(agree(emulator)).rejects.toMatchObject({
      message: expect.stringContaining("use-case form"),
    });
    const client = controlClient(emulator);
    const other = new CreateFoundationModelAgreementCommand({ modelId: CLAUDE, offerToken: "other" });
    await expect(client.send(other)).rejects.toMatchObject({ name: "ValidationException" });
    const odd = new ListFoundationModelAgreementOffersCommand({ modelId: CLAUDE, offerType: "X" as "ALL" });
    await expect(client.send(odd)).rejects.toThrow("Value 'X' at 'offerType'");
    const unsold = new ListFoundationModelAgreementOffersCommand({ modelId: "amazon.nova-lite-v1:0" });
    await expect(client.send(unsold)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });

  it("opens by the mode of data retention, in the region of the call only", async () => {
    const emulator = await emulate({ closedGates: ["retention"] });
    const client = controlClient(emulator);
    await expect(client.send(new GetAccountDataRetentionCommand({}))).resolves.toMatchObject({
      mode: "inherit",
    });
    await expect(call(emulator)).resolves.toMatchObject({ stopReason: "end_turn" });
    for (const mode of ["aws_review", "provider_data_share"] as const) {
      await expect(client.send(new PutAccountDataRetentionCommand({ mode }))).resolves.toMatchObject({
        mode,
      });
      await expect(call(emulator, FABLE)).resolves.toMatchObject({ stopReason: "end_turn" });
    }
    await expect(call(emulator, FABLE, "us-west-2")).rejects.toMatchObject({ name: "ValidationException" });
    await client.send(new PutAccountDataRetentionCommand({ mode: "none" }));
    await expect(call(emulator, FABLE)).rejects.toMatchObject({
      message: expect.stringContaining("data retention mode 'none'"),
    });
    const wrong = new PutAccountDataRetentionCommand({ mode: "all" as "none" });
    await expect(client.send(wrong)).rejects.toMatchObject({
      message: expect.stringContaining("Value 'all' at 'mode'"),
    });
  });
});

it("is opened by boto3 and the AWS CLI as AWS's page says", async (context) => {
  needBotocore(context);
  const emulator = await emulate({ closedGates: ["agreement", "form"] });
  const env = {
    AWS_ACCESS_KEY_ID: emulator.accessKeyId,
    AWS_SECRET_ACCESS_KEY: emulator.secretAccessKey,
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_ENDPOINT_URL: emulator.url,
  };
  const program = `
import json, subprocess, sys, botocore.session
asked = json.load(sys.stdin)
client = botocore.session.get_session().create_client("bedrock")
said = []
try:
    client.get_use_case_for_model_access()
except client.exceptions.ResourceNotFoundException as error:
    said.append(error.response["Error"]["Message"])
client.put_use_case_for_model_access(formData=json.dumps(asked["form"]))
said.append(json.loads(client.get_use_case_for_model_access()["formData"]))
aws = lambda *words: json.loads(subprocess.run(
    [sys.executable, "-m", "awscli", "bedrock", *words, "--output", "json"], check=True, capture_output=True).stdout)
model = ["--model-id", asked["model"]]
offer = aws("list-foundation-model-agreement-offers", *model)["offers"][0]
said.append(offer["termDetails"]["legalTerm"]["url"])
said.append(aws("create-foundation-model-agreement", *model, "--offer-token", offer["offerToken"]))
said.append(aws("get-foundation-model-availability", *model)["agreementAvailability"])
print(json.dumps(said))
`;
  expect(await askPython(program, { form: USE_CASE_FORM, model: CLAUDE }, env)).toEqual([
    "You have not filled out the request form",
    USE_CASE_FORM,
    "https://aws.amazon.com/legal/bedrock/third-party-models/",
    { modelId: CLAUDE },
    { status: "AVAILABLE" },
  ]);
});

import { execFileSync } from "node:child_process";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import {
  type Attachment,
  attachmentBlocks,
  readAttachments,
  type Recipient,
} from "../../src/converse/attachments.ts";
import { kindByName } from "../../src/converse/file-kind.ts";
import { OpenclawError } from "../../src/errors.ts";
import { createHome } from "../helpers/openclaw.ts";
import { testRuntime } from "../helpers/test-runtime.ts";

const MB = 1024 * 1024;
const CLAUDE: Recipient = {
  modelId: "us.anthropic.claude-sonnet-4-6",
  baseId: "anthropic.claude-sonnet-4-6",
  input: ["text", "image", "document"],
};
const NOVA: Recipient = {
  modelId: "amazon.nova-pro-v1:0",
  baseId: "amazon.nova-pro-v1:0",
  input: ["text", "image", "document", "video"],
};
const VOXTRAL: Recipient = {
  modelId: "mistral.voxtral-mini-3b-2507",
  baseId: "mistral.voxtral-mini-3b-2507",
  input: ["text", "audio"],
};
const ROUTER: Recipient = { modelId: "arn:router", baseId: undefined, input: undefined };
const TEXT_ONLY: Recipient = {
  modelId: "openai.gpt-oss-20b-1:0",
  baseId: "openai.gpt-oss-20b-1:0",
  input: ["text"],
};

function attachment(fileName: string, bytes: number | Uint8Array): Attachment {
  const file = kindByName(fileName);
  if (!file) throw new Error(`${fileName} is of no kind.`);
  return {
    label: `docs/${fileName}`,
    fileName,
    file,
    bytes: typeof bytes === "number" ? Buffer.alloc(bytes) : bytes,
  };
}

function inS3(key: string): Attachment {
  const uri = `s3://bucket/${key}`;
  const file = kindByName(key);
  if (!file) throw new Error(`${key} is of no kind.`);
  return { label: uri, fileName: key, file, s3Location: { uri } };
}

function refusal(attachments: Attachment[], recipient: Recipient): OpenclawError {
  try {
    attachmentBlocks(attachments, recipient);
  } catch (error) {
    if (error instanceof OpenclawError) return error;
    throw error;
  }
  throw new Error("Nothing was refused.");
}

describe("the blocks of attached files", () => {
  it("are images and documents in their order, documents by the names of their files", () => {
    const { blocks, notices } = attachmentBlocks(
      [attachment("a.png", 3), attachment("report.pdf", 4), attachment("report.md", 5)],
      CLAUDE,
    );
    expect(blocks).toEqual([
      { image: { format: "png", source: { bytes: Buffer.alloc(3) } } },
      { document: { format: "pdf", name: "report.pdf", source: { bytes: Buffer.alloc(4) } } },
      { document: { format: "md", name: "report.md", source: { bytes: Buffer.alloc(5) } } },
    ]);
    expect(notices).toEqual([]);
  });

  it("are videos and recordings", () => {
    const video = attachmentBlocks([attachment("clip.3gp", 3)], NOVA);
    expect(video).toEqual({
      blocks: [{ video: { format: "three_gp", source: { bytes: Buffer.alloc(3) } } }],
      notices: [],
    });
    const sound = attachmentBlocks([attachment("talk.mp3", 3), attachment("talk.wav", 4)], VOXTRAL);
    expect(sound).toEqual({
      blocks: [
        { audio: { format: "mp3", source: { bytes: Buffer.alloc(3) } } },
        { audio: { format: "wav", source: { bytes: Buffer.alloc(4) } } },
      ],
      notices: [],
    });
  });

  it("say where files in Amazon S3 lie, whatever their kind", () => {
    const files = ["a.png", "report.pdf", "clip.mp4"].map(inS3);
    expect(attachmentBlocks(files, NOVA)).toEqual({
      blocks: [
        { image: { format: "png", source: { s3Location: { uri: "s3://bucket/a.png" } } } },
        {
          document: {
            format: "pdf",
            name: "report.pdf",
            source: { s3Location: { uri: "s3://bucket/report.pdf" } },
          },
        },
        { video: { format: "mp4", source: { s3Location: { uri: "s3://bucket/clip.mp4" } } } },
      ],
      notices: [],
    });
  });

  it("are sent with a warning where nobody knows whether the model reads from Amazon S3", () => {
    for (const recipient of [ROUTER, VOXTRAL]) {
      const { blocks, notices } = attachmentBlocks([inS3("talk.mp3")], recipient);
      expect(blocks).toEqual([
        { audio: { format: "mp3", source: { s3Location: { uri: "s3://bucket/talk.mp3" } } } },
      ]);
      expect(notices).toEqual([
        `'${recipient.modelId}' is not known to read files from Amazon S3, such as 's3://bucket/talk.mp3'`,
      ]);
    }
  });

  it.each<[string, Attachment[], Recipient, string, string]>([
    [
      "a video for Claude, with the models that take it",
      [attachment("clip.mp4", 1)],
      CLAUDE,
      "'docs/clip.mp4' is an mp4 video, and 'us.anthropic.claude-sonnet-4-6' takes no videos, only text, images, documents.",
      "amazon.nova-2-lite-v1:0",
    ],
    [
      "sound for Nova, with the models that take it",
      [attachment("talk.mp3", 1)],
      NOVA,
      "'docs/talk.mp3' is an mp3 recording, and 'amazon.nova-pro-v1:0' takes no recordings, only text, images, documents, videos.",
      "mistral.voxtral-mini-3b-2507, mistral.voxtral-small-24b-2507",
    ],
    [
      "a video over 25 MB in base64, with Amazon S3 as the way out",
      [attachment("clip.mp4", 18_750_001)],
      NOVA,
      "'docs/clip.mp4' has 17.88 MB, and 'amazon.nova-pro-v1:0' takes videos of at most 17.88 MB",
      "-f s3://BUCKET/KEY, where a video may have 1024 MB",
    ],
    [
      "a PDF over 25 MB in base64, with Amazon S3 as the way out",
      [attachment("a.pdf", 18_750_001)],
      NOVA,
      "takes pdf documents of at most 17.88 MB",
      "-f s3://BUCKET/KEY",
    ],
    [
      "two videos at once, wherever they lie",
      [attachment("a.mp4", 1), inS3("b.mp4")],
      NOVA,
      "2 videos are attached, and 'amazon.nova-pro-v1:0' takes at most 1 in one message",
      "one after the other",
    ],
    [
      "a file in Amazon S3 for Claude, with how to fetch it",
      [inS3("a report.pdf")],
      CLAUDE,
      "'s3://bucket/a report.pdf' lies in Amazon S3, and 'us.anthropic.claude-sonnet-4-6' reads nothing from there.",
      "aws s3 cp 's3://bucket/a report.pdf' .",
    ],
    [
      "a file in Amazon S3 where the API has no place for it",
      [inS3("a.png")],
      { ...ROUTER, readsS3: false },
      "reads nothing from there",
      "aws s3 cp s3://bucket/a.png .",
    ],
    [
      "a text in Amazon S3 for a model without documents, which nobody can send as text",
      [inS3("a.md")],
      { ...TEXT_ONLY },
      "'s3://bucket/a.md' is an md document, and 'openai.gpt-oss-20b-1:0' takes no documents, only text.",
      "openclaw models list",
    ],
  ])("are refused for %s", (_, attachments, recipient, message, hint) => {
    const error = refusal(attachments, recipient);
    expect(error).toMatchObject({ code: "bad-attachment", exitCode: 6 });
    expect(error.message).toContain(message);
    expect(error.hint).toContain(hint);
  });

  it("are text for text files when the model takes no documents", () => {
    const { blocks, notices } = attachmentBlocks([attachment("a.md", Buffer.from("# Ä"))], TEXT_ONLY);
    expect(blocks).toEqual([{ text: "a.md:\n\n# Ä" }]);
    expect(notices).toEqual(["'openai.gpt-oss-20b-1:0' takes no documents, so 'docs/a.md' is sent as text"]);
  });

  it.each<[string, Attachment[], Recipient, string[]]>([
    ["an image for a model without images", [attachment("a.png", 1)], TEXT_ONLY, ["docs/a.png", "no images"]],
    [
      "a PDF for a model without documents",
      [attachment("a.pdf", 1)],
      TEXT_ONLY,
      ["docs/a.pdf", "no documents"],
    ],
    [
      "an image over 3.75 MB for Claude",
      [attachment("a.png", 3.75 * MB + 1)],
      CLAUDE,
      ["docs/a.png", "3.75 MB"],
    ],
    [
      "a document over 4.5 MB for Claude",
      [attachment("a.docx", 5 * MB)],
      CLAUDE,
      ["docs/a.docx", "5 MB", "4.5 MB"],
    ],
    [
      "a text over 4.5 MB for Nova",
      [attachment("a.csv", 4.6 * MB)],
      NOVA,
      ["docs/a.csv", "4.6 MB", "4.5 MB"],
    ],
    [
      "a PDF over 25 MB in base64 for Nova",
      [attachment("a.pdf", 18_750_001)],
      NOVA,
      ["docs/a.pdf", "17.88 MB"],
    ],
    [
      "more than the request holds",
      [attachment("a.pdf", 15e6), attachment("b.pdf", 10e6)],
      CLAUDE,
      ["23.84 MB"],
    ],
    [
      "six documents",
      "abcdef".split("").map((name) => attachment(`${name}.pdf`, 1)),
      CLAUDE,
      ["6 documents", "5"],
    ],
    ["21 images", Array.from({ length: 21 }, () => attachment("a.png", 1)), NOVA, ["21 images", "20"]],
  ])("are refused for %s, naming file, size and limit", (_, attachments, recipient, words) => {
    const error = refusal(attachments, recipient);
    expect(error).toMatchObject({ code: "bad-attachment", exitCode: 6, hint: expect.any(String) });
    for (const word of words) expect(error.message).toContain(word);
  });

  it("are refused for an image of too many pixels", () => {
    const wide = Buffer.alloc(24);
    wide.writeUInt32BE(8001, 16);
    wide.writeUInt32BE(10, 20);
    expect(refusal([attachment("a.png", wide)], CLAUDE).message).toContain("8001 × 10 pixels");
  });

  it.each<[string, Attachment, Recipient]>([
    ["an image of exactly 3.75 MB for Claude", attachment("a.png", 3.75 * MB), CLAUDE],
    ["a PDF over 4.5 MB for Claude 4 and later", attachment("a.pdf", 20 * MB), CLAUDE],
    ["a DOCX over 4.5 MB for Nova", attachment("a.docx", 10 * MB), NOVA],
    ["an image over 3.75 MB for Nova", attachment("a.png", 10 * MB), NOVA],
  ])("are sent without a word for %s", (_, file, recipient) => {
    expect(attachmentBlocks([file], recipient)).toMatchObject({ blocks: [{}], notices: [] });
  });

  it("are sent with a warning where the limits of a model are not known", () => {
    const { blocks, notices } = attachmentBlocks([attachment("a.docx", 5 * MB)], ROUTER);
    expect(blocks).toHaveLength(1);
    expect(notices).toEqual([expect.stringMatching(/docs\/a\.docx.* 5 MB.*not known.*4\.5 MB/)]);
  });

  it("refuses an old Claude's PDF over 4.5 MB", () => {
    const old = { ...CLAUDE, baseId: "anthropic.claude-3-haiku-20240307-v1:0" };
    expect(refusal([attachment("a.pdf", 5 * MB)], old).message).toContain("4.5 MB");
  });
});

describe("reading files", () => {
  it("takes paths from the current folder and stdin, and decides kinds by content", async () => {
    const home = createHome();
    writeFileSync(path.join(home, "photo.txt"), "\x89PNG\r\n\x1a\n…", "latin1");
    const runtime = testRuntime({ home, stdin: Readable.from([Buffer.from("%PDF-"), Buffer.from("1.7")]) });
    expect(await readAttachments(["photo.txt", "-"], runtime)).toMatchObject([
      { label: "photo.txt", fileName: "photo.txt", file: { kind: "image", format: "png" } },
      {
        label: "stdin",
        fileName: undefined,
        file: { kind: "document", format: "pdf" },
        bytes: Buffer.from("%PDF-1.7"),
      },
    ]);
  });

  it("says what to do with an address", async () => {
    const reading = readAttachments(["https://example.com/a.pdf"], testRuntime({ home: createHome() }));
    await expect(reading).rejects.toMatchObject({
      code: "bad-attachment",
      hint: "Fetch it, and name the file: curl -fLO https://example.com/a.pdf",
    });
  });

  it.each<[string, string, string]>([
    ["a missing file", "missing.png", "no file 'missing.png'"],
    ["a folder", "folder", "is a folder"],
    ["an empty file", "empty.txt", "it is empty"],
    ["a kind that Converse does not take", "a.zip", "ZIP archive"],
    ["rich text", "a.rtf", "it is an RTF document"],
    ["a pointer of Git LFS", "a.png", "it is named .png but does not hold that"],
  ])("refuses %s", async (_, name, words) => {
    const home = createHome();
    mkdirSync(path.join(home, "folder"));
    writeFileSync(path.join(home, "empty.txt"), "");
    writeFileSync(path.join(home, "a.zip"), "PK\x03\x04");
    writeFileSync(path.join(home, "a.rtf"), "{\\rtf1\\ansi hello}");
    writeFileSync(path.join(home, "a.png"), "version https://git-lfs.github.com/spec/v1\n");
    await expect(readAttachments([name], testRuntime({ home }))).rejects.toMatchObject({
      code: "bad-attachment",
      message: expect.stringContaining(words),
    });
  });

  it("takes what lies in Amazon S3 by its name, and reads nothing", async () => {
    const names = ["s3://bucket/talk.mp3", "S3://bucket/deep/report.PDF?owner=123456789012"];
    expect(await readAttachments(names, testRuntime({ home: createHome() }))).toEqual([
      {
        label: "s3://bucket/talk.mp3",
        fileName: "talk.mp3",
        file: { kind: "audio", format: "mp3" },
        s3Location: { uri: "s3://bucket/talk.mp3" },
      },
      {
        label: "s3://bucket/deep/report.PDF",
        fileName: "report.PDF",
        file: { kind: "document", format: "pdf" },
        s3Location: { uri: "s3://bucket/deep/report.PDF", bucketOwner: "123456789012" },
      },
    ]);
  });

  it.each(["s3://bucket/a", "s3://bucket/a.zip", "s3://bucket/a.py", "s3://bucket/.mp4x"])(
    "refuses %s, whose name does not tell its kind",
    async (name) => {
      await expect(readAttachments([name], testRuntime({ home: createHome() }))).rejects.toMatchObject({
        code: "bad-attachment",
        message: `What '${name}' is cannot be told: its key does not end in an extension of what can be attached.`,
        hint: expect.stringContaining("mp4"),
      });
    },
  );

  it("refuses a file of gigabytes without reading it", async () => {
    const home = createHome();
    const file = path.join(home, "huge.pdf");
    writeFileSync(file, "%PDF-1.7");
    truncateSync(file, 8 * 1024 * MB);
    await expect(readAttachments(["huge.pdf"], testRuntime({ home }))).rejects.toMatchObject({
      code: "bad-attachment",
      message: expect.stringMatching(/huge\.pdf' has 8192 MB.*22\.89 MB/),
      hint: expect.stringContaining("s3://BUCKET/KEY"),
    });
  });

  it("stops reading stdin when it is too much for any request", async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        given += MB;
        yield Buffer.alloc(MB);
      }
    }
    const runtime = testRuntime({ home: createHome(), stdin: Readable.from(endless()) });
    await expect(readAttachments(["-"], runtime)).rejects.toMatchObject({ code: "bad-attachment" });
    expect(given).toBeLessThan(60 * MB);
  });

  it("reads text in UTF-16 as UTF-8, and says how to convert what has no mark", async () => {
    const home = createHome();
    writeFileSync(path.join(home, "marked.csv"), Buffer.from("\uFEFFname,stadt\nJosé,Köln\n", "utf16le"));
    writeFileSync(path.join(home, "bare.txt"), Buffer.from("name,stadt\n", "utf16le"));
    const [marked] = await readAttachments(["marked.csv"], testRuntime({ home }));
    expect(marked?.file.format).toBe("csv");
    expect(Buffer.from(marked?.bytes ?? []).toString()).toBe("name,stadt\nJosé,Köln\n");
    await expect(readAttachments(["bare.txt"], testRuntime({ home }))).rejects.toMatchObject({
      code: "bad-attachment",
      hint: "iconv -f UTF-16LE -t UTF-8 bare.txt > bare.utf8.txt",
    });
  });

  it.each<[string, Buffer, string, string]>([
    ["notes.txt", Buffer.from("Größe: fünf Meter\n", "latin1"), "Latin-1", "LATIN1"],
    ["notes.md", Buffer.from("# Größe: fünf Meter\n", "latin1"), "Latin-1", "LATIN1"],
    [
      "table.csv",
      Buffer.from("name;stadt\nM\xfcller;\x93K\xf6ln\x94\n", "latin1"),
      "Windows-1252",
      "WINDOWS-1252",
    ],
    ["page.html", Buffer.from("<html><p>Größe: fünf Meter", "latin1"), "Latin-1", "LATIN1"],
    ["main.rs", Buffer.from("// Zählt die Wörter\nfn main() {}\n", "latin1"), "Latin-1", "LATIN1"],
    ["notes", Buffer.from("Größe: fünf Meter\n", "latin1"), "Latin-1", "LATIN1"],
  ])(
    "reads texts by the one decoder, whatever they are called: refuses %s",
    async (name, bytes, looksLike, iconv) => {
      const home = createHome();
      writeFileSync(path.join(home, name), bytes);
      const [, stem = "", extension = ""] = /^(\w+)(\.\w+)?$/.exec(name) ?? [];
      await expect(readAttachments([name], testRuntime({ home }))).rejects.toMatchObject({
        code: "bad-attachment",
        message: expect.stringContaining(`'${name}' is not UTF-8 text: it looks like ${looksLike}`),
        hint: `iconv -f ${iconv} -t UTF-8 ${name} > ${stem}.utf8${extension}`,
      });
    },
  );

  it("leaves bytes of documents and images as they are, and takes the mark off a text", async () => {
    const home = createHome();
    const pdf = Buffer.from("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "latin1");
    writeFileSync(path.join(home, "a.pdf"), pdf);
    writeFileSync(path.join(home, "a.txt"), "\uFEFFhello");
    const read = await readAttachments(["a.pdf", "a.txt"], testRuntime({ home }));
    expect(read.map(({ bytes }) => Buffer.from(bytes ?? []))).toEqual([pdf, Buffer.from("hello")]);
  });

  it.each([
    ["nothing", Buffer.alloc(0)],
    ["blanks", Buffer.from(" \n\t\r\n")],
    ["a mark", Buffer.from("\uFEFF")],
    ["a mark of UTF-16", Buffer.from([0xff, 0xfe])],
    ["wide blanks", Buffer.from("\u3000\u00A0")],
    ["blanks in UTF-16", Buffer.from("\uFEFF \n", "utf16le")],
  ])("refuses a text of %s, which AWS does", async (_, bytes) => {
    const home = createHome();
    for (const name of ["a.txt", "a.csv", "a.py", "a"]) {
      writeFileSync(path.join(home, name), bytes);
      await expect(readAttachments([name], testRuntime({ home }))).rejects.toMatchObject({
        code: "bad-attachment",
        message: `'${name}' cannot be attached: it is empty.`,
      });
    }
  });

  it("refuses a pipe to a person at the keyboard, who could not stop waiting for it", async () => {
    const home = createHome();
    execFileSync("mkfifo", [path.join(home, "pipe")]);
    await expect(
      readAttachments(["pipe"], testRuntime({ home }), { isInteractive: true }),
    ).rejects.toMatchObject({
      code: "bad-attachment",
      message: "'pipe' cannot be read: it is a pipe (FIFO), and a regular file is expected.",
    });
  });
});

// Records a session in a real terminal and writes it as a picture to docs/session.svg: npm run docs:session
// The shell runs in a pseudo-terminal, a terminal emulator keeps the cells, and each run of equal cells becomes text.
import pty from "@lydell/node-pty";
import headless from "@xterm/headless";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { root, setUp } from "./set-up.js";

const commands = [
  "openclaw doctor --emulator",
  "openclaw models list --emulator --provider amazon",
  'openclaw chat --emulator "Hello!"',
];

/** What the user of the picture has configured. */
const configuration = `{ agents: { defaults: { model: "amazon-bedrock/us.anthropic.claude-opus-4-6-v1" } } }\n`;

const columns = 100;
/** More than the session fills, so that nothing scrolls away. */
const rows = 200;
const prompt = "❯";

/** A cell in px, at the font size below. Text is stretched to it, whatever monospaced font the reader has. */
const cell = { width: 8.4, height: 19, fontSize: 14 };
const margin = 20;
const titleBar = 36;

const background = "#10141c";
const foreground = "#d3d9e3";
/** The sixteen colours of a terminal, each readable on the background above. */
const palette = [
  "#4b5464",
  "#ff7b72",
  "#56d364",
  "#e3b341",
  "#79b8ff",
  "#d2a8ff",
  "#56d4dd",
  "#d3d9e3",
  "#8b95a5",
  "#ffa198",
  "#7ee787",
  "#f2cc60",
  "#a5d6ff",
  "#e2c5ff",
  "#8be9f0",
  "#ffffff",
];

/** @typedef {{ x: number, text: string, look: string }} Run */

/**
 * Types the commands into a shell, each when the one before is done. Resolves to the terminal that shows it all.
 * @param {string} home
 */
async function record(home) {
  const terminal = new headless.Terminal({ cols: columns, rows, allowProposedApi: true });
  const bin = path.join(home, "bin");
  const shell = pty.spawn("bash", ["--noprofile", "--norc", "-i"], {
    name: "xterm-256color",
    cols: columns,
    rows,
    cwd: home,
    env: {
      HOME: home,
      PATH: `${bin}:${process.env.PATH}`,
      TERM: "xterm-256color",
      LANG: "C.UTF-8",
      PS1: `\\[\\e[32m\\]${prompt}\\[\\e[0m\\] `,
    },
  });
  let prompts = 0;
  shell.onData((text) => {
    // As a shell would write it; where the recording was made says nothing.
    terminal.write(text.replaceAll(home, "~"));
    for (const _ of text.matchAll(new RegExp(prompt, "g"))) {
      const command = commands[prompts];
      prompts += 1;
      shell.write(command === undefined ? "exit\r" : `${command}\r`);
    }
  });
  const { exitCode } = await new Promise((resolve) => shell.onExit(resolve));
  if (exitCode !== 0) throw new Error(`The last command of the session ended with exit code ${exitCode}.`);
  await new Promise((resolve) => terminal.write("", () => resolve(undefined)));
  return terminal;
}

/**
 * The lines of a terminal, each a list of runs: column, width in cells, text and look.
 * @param {import("@xterm/headless").Terminal} terminal
 */
function readLines(terminal) {
  const { active } = terminal.buffer;
  const lines = [];
  for (let y = 0; y < active.length; y += 1) lines.push(readRuns(active.getLine(y)));
  // After the last command come its prompt and `exit`.
  const last = lines.findLastIndex((runs) => runs[0]?.text.startsWith(prompt));
  return separate(lines.slice(0, last));
}

/**
 * Words that look alike with one space between them are one run; wider gaps are left to the column numbers.
 * @param {import("@xterm/headless").IBufferLine | undefined} line
 */
function readRuns(line) {
  /** @type {Run[]} */
  const runs = [];
  for (let x = 0; x < columns; x += 1) {
    const current = line?.getCell(x);
    const text = current?.getChars() ?? "";
    if (!current || text === "" || text === " ") continue;
    const look = lookOf(current);
    const before = runs.at(-1);
    const gap = before ? x - before.x - before.text.length : columns;
    if (before?.look === look && gap <= 1) before.text += `${" ".repeat(gap)}${text}`;
    else runs.push({ x, text, look });
  }
  return runs;
}

/**
 * An SVG attribute list: colour, weight, and less of it for dim text.
 * @param {import("@xterm/headless").IBufferCell} current
 */
function lookOf(current) {
  const color = current.isFgDefault()
    ? foreground
    : current.isFgRGB()
      ? hex(current.getFgColor())
      : palette[current.getFgColor()];
  if (color === undefined) throw new Error(`Colour ${current.getFgColor()} is not one of the sixteen.`);
  return [
    color === foreground ? "" : ` fill="${color}"`,
    current.isBold() ? ' font-weight="bold"' : "",
    current.isDim() ? ' opacity="0.6"' : "",
  ].join("");
}

/** @param {number} color */
function hex(color) {
  return `#${color.toString(16).padStart(6, "0")}`;
}

/**
 * An empty line before each command but the first.
 * @param {Run[][]} lines
 */
function separate(lines) {
  return lines.flatMap((runs, index) =>
    index > 0 && runs[0]?.text.startsWith(prompt) ? [[], runs] : [runs],
  );
}

/** @param {Run[][]} lines */
function draw(lines) {
  const width = columns * cell.width + 2 * margin;
  const height = lines.length * cell.height + titleBar + margin;
  const text = lines.flatMap((runs, row) =>
    runs.map(({ x, text, look }) => {
      const left = round(margin + x * cell.width);
      const baseline = round(titleBar + (row + 0.75) * cell.height);
      return `<text x="${left}" y="${baseline}" textLength="${round(text.length * cell.width)}" lengthAdjust="spacingAndGlyphs"${look}>${escape(text)}</text>`;
    }),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="A session: ${escape(commands.join("; "))}">
<rect width="${width}" height="${height}" rx="10" fill="${background}"/>
<g fill="#3a4252"><circle cx="22" cy="19" r="6"/><circle cx="42" cy="19" r="6"/><circle cx="62" cy="19" r="6"/></g>
<g fill="${foreground}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${cell.fontSize}">
${text.join("\n")}
</g>
</svg>
`;
}

/** @param {number} number */
function round(number) {
  return Math.round(number * 10) / 10;
}

/** @param {string} text */
function escape(text) {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

await setUp((step) => console.error(step));
// Short, because the program lays its lines out by it.
const home = await mkdtemp(path.join(tmpdir(), "oc-"));
try {
  const bin = path.join(home, "bin");
  await mkdir(bin);
  const program = `"${process.execPath}" "${path.join(root, "bin", "openclaw.js")}"`;
  await writeFile(path.join(bin, "openclaw"), `#!/bin/sh\nexec ${program} "$@"\n`, { mode: 0o755 });
  await mkdir(path.join(home, ".openclaw"));
  await writeFile(path.join(home, ".openclaw", "openclaw.json"), configuration);
  const picture = draw(readLines(await record(home)));
  if (picture.includes(home)) throw new Error(`The picture shows ${home}.`);
  await writeFile(path.join(root, "docs", "session.svg"), picture);
} finally {
  await rm(home, { recursive: true, force: true });
}

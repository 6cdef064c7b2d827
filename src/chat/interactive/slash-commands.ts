import { readAttachments } from "../../converse/attachments.ts";
import { choicesOf, PARAMETER_ROWS, type Parameter, type ParameterName } from "../../config/parameters.ts";
import { didYouMean } from "../../models/nearest.ts";
import { resolveModel } from "../../models/resolve-model.ts";
import { shorten, usageError } from "../../errors.ts";
import { cacheTimeFor } from "../../converse/plan-request.ts";
import { answerTextOf, isAnswered } from "../../converse/conversation.ts";
import type { Price } from "../../models/usage.ts";
import { sessionIds } from "../sessions/session-files.ts";
import { wordsOf } from "../sessions/session-documents.ts";
import { describeAttachment } from "./describe-attachment.ts";
import { describeSpending } from "./describe-spending.ts";
import { completePath, readPath } from "./file-path.ts";
import type { Completions } from "./line-editor.ts";
import { modelNames } from "./model-names.ts";
import { USUAL_CACHE } from "../run-turn.ts";
import type { Talk } from "./talk.ts";
import { isShownWhole } from "../../terminal/neutralise.ts";
import { count } from "../../terminal/numbers.ts";

export interface SlashCommand {
  /** With its slash. */
  name: string;
  /** What means the same, alone on a line. */
  words?: readonly string[];
  /** What other programs call it. */
  as?: string;
  /** What may follow the name, as the help shows it. */
  argument: string;
  says: string;
  /** Does it. Throws `usage`, `bad-attachment` and others, which end nothing. */
  run: (talk: Talk, argument: string) => Promise<void>;
  /** What could stand for an argument that begins so. */
  candidates?: (talk: Talk, typed: string) => Promise<readonly string[]>;
}

/** All of them, in the order in which the help shows them. */
export const SLASH_COMMANDS: readonly SlashCommand[] = [
  {
    name: "/model",
    argument: "[MODEL]",
    says: "show the model, or ask another one from here on",
    run: async (talk, argument) => {
      if (argument !== "") await talk.chooseModels(argument);
      say(talk, `model: ${talk.models.map(({ key }) => key).join(", then ")}`);
    },
    candidates: async (talk) => modelNames(talk.setup),
  },
  {
    name: "/system",
    argument: "[TEXT | none]",
    says: "show or set the system prompt",
    run: async (talk, argument) => {
      if (argument !== "") talk.system = givenText(argument);
      say(talk, `system prompt: ${talk.system ?? "none"}`);
    },
    candidates: async () => ["none"],
  },
  {
    name: "/file",
    as: "/attach",
    argument: "[PATH | none]",
    says: "attach a file to the next question",
    run: async (talk, argument) => {
      const { runtime } = talk.options;
      if (argument === "none") talk.files = [];
      else if (argument !== "") {
        const paths = [readPath(argument, runtime)];
        talk.files = [...talk.files, ...(await readAttachments(paths, runtime, { isInteractive: true }))];
      }
      say(talk, sayFiles(talk));
    },
    candidates: async (talk, typed) => completePath(typed, talk.options.runtime),
  },
  ...PARAMETER_ROWS.flatMap(parameterCommand),
  switchOf("/web", "searchesWeb", "let the model search the web, or no more"),
  switchOf(
    "/citations",
    "cites",
    "ask for the places in attached PDF and text that answers are from, or no more",
  ),
  {
    name: "/tools",
    argument: "[[add] NAME]",
    says: "show the tools that the model may call, switch one off or on, or add some",
    run: async (talk, argument) => (await import("./tool-commands.ts")).runTools(talk, argument),
    candidates: async (talk, typed) => (await import("./tool-commands.ts")).completeTools(talk, typed),
  },
  {
    name: "/allow",
    argument: "[NAME | none]",
    says: "show or add what tools may run without a question; * stands for any characters",
    run: async (talk, argument) => (await import("./tool-commands.ts")).runAllow(talk, argument),
    candidates: async (talk) => {
      const { toolNames } = await import("./tool-commands.ts");
      return ["none", ...(await toolNames(talk))];
    },
  },
  {
    name: "/prompt",
    argument: "[NAME ARG=…]",
    says: "show the prompts of MCP servers, or write the next question with one",
    run: async (talk, argument) => (await import("./server-offers.ts")).runPrompt(talk, argument),
    candidates: async (talk) => (await import("./server-offers.ts")).completePrompt(talk),
  },
  {
    name: "/usage",
    argument: "",
    says: "show tokens and price of this conversation",
    run: async (talk) => {
      say(talk, `${describeSpending(talk.spending, pricesOf(talk))} · ${describeCache(talk)}`);
    },
  },
  {
    name: "/cost",
    argument: "",
    says: "show what each model of this conversation has cost",
    run: async (talk) => {
      const priceOf = pricesOf(talk);
      const models = [...new Set(talk.spending.map(({ model }) => model))];
      for (const model of models) {
        const own = talk.spending.filter((one) => one.model === model);
        say(talk, `${model}: ${describeSpending(own, priceOf)}`);
      }
      if (models.length !== 1) say(talk, `in all: ${describeSpending(talk.spending, priceOf)}`);
    },
  },
  {
    name: "/copy",
    argument: "[N]",
    says: "copy the last answer, or the Nth from the end, by way of the terminal",
    run: async (talk, argument) => {
      const answers = talk.conversation.turns.filter(isAnswered);
      if (!/^[1-9]\d*$|^$/.test(argument))
        throw usageError(
          `'${shorten(argument)}' is no answer; they are counted from the last, which is 1.`,
          "/copy 2 copies the one before the last",
        );
      const turn = answers.at(-Number(argument || 1));
      if (!turn)
        throw usageError(
          answers.length === 0
            ? "There is no answer to copy."
            : `This conversation has ${count(answers.length, "answer")}.`,
          answers.length === 0 ? "Ask something." : `/copy ${answers.length} copies the first.`,
        );
      const text = answerTextOf(turn).trim();
      talk.options.screen.copy(text);
      say(talk, `copied ${count(text.length, "character")}, where the terminal lets programs do so (OSC 52)`);
    },
  },
  {
    name: "/export",
    argument: "[FILE]",
    says: "write this conversation to a Markdown file",
    run: async (talk, argument) => {
      const { exportConversation } = await import("./export-conversation.ts");
      say(talk, `written to ${await exportConversation(talk, argument)}`);
    },
    candidates: async (talk, typed) => completePath(typed, talk.options.runtime),
  },
  {
    name: "/edit",
    argument: "[TEXT]",
    says: "write the next question in $VISUAL or $EDITOR, as Ctrl-X Ctrl-E does with what is typed",
    run: async (talk, argument) => {
      talk.draft = await talk.edit(argument);
    },
  },
  {
    name: "/compact",
    argument: "",
    says: "put a summary by the model in the place of all but the last question",
    run: async (talk) => {
      const summed = await talk.compact();
      if (summed === undefined) return;
      const what = count(summed, "question is", "questions are");
      say(talk, `${what} summed up; /undo brings back what was there`);
    },
  },
  {
    name: "/sessions",
    argument: "[ID]",
    says: "choose another conversation of before, and go on with it",
    run: async (talk, argument) => (await import("./choose-session.ts")).chooseSession(talk, argument),
    candidates: async (talk) => sessionIds(talk.options.runtime),
  },
  {
    name: "/retry",
    argument: "",
    says: "ask the last question again",
    run: (talk) => talk.retry(),
  },
  {
    name: "/undo",
    argument: "",
    says: "take back the last question and its answer",
    run: async (talk) => {
      const undone = await talk.undo();
      say(talk, undone ? `taken back: ${wordsOf(undone)}` : "the summary is taken back");
      const left = talk.conversation.turns.length;
      say(talk, `${left === 0 ? "nothing is" : count(left, "question is", "questions are")} left`);
    },
  },
  {
    name: "/edit-last",
    argument: "",
    says: "edit the last question, and send it in its own place",
    run: async (talk) => {
      await talk.editLast();
      if (talk.files.length > 0) say(talk, sayFiles(talk));
    },
  },
  {
    name: "/title",
    argument: "[TEXT | none]",
    says: "show or set what this conversation is called",
    run: async (talk, argument) => {
      const { conversation } = talk;
      if (argument !== "") await conversation.rename(givenText(argument));
      say(talk, `title: ${conversation.title ?? "none, so the first question stands for it"}`);
    },
    candidates: async () => ["none"],
  },
  {
    name: "/new",
    words: ["/clear"],
    argument: "",
    says: "begin a new conversation, as /clear does; this one stays where it is kept",
    run: async (talk) => {
      await talk.clear();
      say(talk, "a new conversation");
    },
  },
  {
    name: "/help",
    words: ["help", "?", "/?"],
    argument: "",
    says: "show these commands",
    run: async (talk) => help(talk),
  },
  {
    name: "/exit",
    words: ["exit", "quit", "/quit", "/q", "/bye", ":q", "exit()", "quit()"],
    argument: "",
    says: "leave, as Ctrl-D does",
    run: async (talk) => {
      talk.isOver = true;
    },
  },
];

/**
 * Finds the command that an entry is; undefined for a question, such as one that begins with a path. Only a system prompt
 * has several lines. Throws `usage` for an unknown name.
 */
export function findSlashCommand(entry: string): { command: SlashCommand; argument: string } | undefined {
  const said = entry.trimEnd();
  const meant = SLASH_COMMANDS.find(({ words }) => words?.includes(said.toLowerCase()));
  if (meant) return { command: meant, argument: "" };
  const [, name, argument = ""] = /^(\/[a-z]+(?:-[a-z]+)*)(?:\s+([\s\S]*))?$/.exec(said) ?? [];
  if (name === undefined || (argument.includes("\n") && name !== "/system")) return undefined;
  const command = SLASH_COMMANDS.find((candidate) => candidate.name === name || candidate.as === name);
  if (command) {
    if (command.argument === "" && argument.trim() !== "" && command.name !== "/help")
      throw usageError(`${name} takes nothing, and '${shorten(argument.trim())}' stands behind it.`, name);
    return { command, argument: argument.trim() };
  }
  const names = SLASH_COMMANDS.map((candidate) => candidate.name);
  throw usageError(
    `There is no command ${shorten(name)}.`,
    didYouMean(name, names, "/help shows them all; a space before the slash makes it a question"),
  );
}

/** What could stand in place of the end of what was typed: commands, what may follow them, and files behind `@`. */
export async function completeEntry(talk: Talk, typed: string): Promise<Completions> {
  const [, begun] = /(?:^|\s)@((?:\\[\s\S]|[^\s\\])*)$/.exec(typed) ?? [];
  if (begun !== undefined && !typed.startsWith("/")) {
    const paths = await completePath(begun, talk.options.runtime);
    const mentions = talk.tools ? await completeMention(talk, begun) : [];
    return { from: typed.length - begun.length, candidates: [...mentions, ...paths].filter(isShownWhole) };
  }
  const [, name, space, argument = ""] = /^(\/[a-z-]*)(\s+)?([\s\S]*)$/.exec(typed) ?? [];
  if (name === undefined) return { from: typed.length, candidates: [] };
  if (space === undefined) {
    const names = SLASH_COMMANDS.map((command) => command.name);
    return { from: 0, candidates: names.filter((candidate) => candidate.startsWith(name)) };
  }
  const command = SLASH_COMMANDS.find((candidate) => candidate.name === name);
  const candidates = (await command?.candidates?.(talk, argument)) ?? [];
  const shown = candidates.filter(isShownWhole);
  const beginning = shown.filter((candidate) => candidate.startsWith(argument));
  return {
    from: name.length + space.length,
    candidates:
      beginning.length > 0 || command?.name === "/file"
        ? beginning
        : shown.filter((candidate) => plain(candidate).includes(plain(argument))),
  };
}

function sayFiles({ files }: Talk): string {
  const names = files.map(describeAttachment);
  return `with the next question: ${names.length > 0 ? names.join(", ") : "no file"}`;
}

/** The text that an argument gives; undefined for what takes one away, as an empty text of a shell does. */
function givenText(argument: string): string | undefined {
  return /^(?:none|(["'])\s*\1)$/.test(argument) ? undefined : argument;
}

/** A name without case and punctuation. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");
}

/** The command that shows or sets a parameter, where it has one. */
function parameterCommand([name, row]: [ParameterName, Parameter]): SlashCommand[] {
  const { help, slashCommand } = row;
  if (!slashCommand) return [];
  const choices = choicesOf(row);
  return [
    {
      name: `/${name}`,
      argument: slashCommand.argument,
      says: `show or set ${help}: ${choices.join(", ")}`,
      run: async (talk, argument) => {
        if (argument !== "" && !choices.includes(argument)) {
          throw usageError(
            `'${argument}' is no ${slashCommand.noun}.`,
            `Choose one of: ${choices.join(", ")}`,
          );
        }
        if (argument !== "") talk.parameters = { ...talk.parameters, [name]: argument };
        say(talk, `${name}: ${String(talk.parameters[name] ?? slashCommand.unset)}`);
      },
      candidates: async () => choices,
    },
  ];
}

/** A command that turns a kind of grounding on and off. Throws `usage`. */
function switchOf(name: string, grounding: keyof Talk["grounding"], says: string): SlashCommand {
  const choices = ["on", "off"];
  return {
    name,
    argument: `[${choices.join(" | ")}]`,
    says,
    run: async (talk, argument) => {
      if (argument !== "" && !choices.includes(argument))
        throw usageError(`'${shorten(argument)}' is neither on nor off.`, `${name} on`);
      if (argument === "on" && talk.options.query.schema)
        throw usageError(
          `${name} and --schema exclude each other.`,
          "Begin a conversation without --schema.",
        );
      if (argument !== "") talk.grounding = { ...talk.grounding, [grounding]: argument === "on" };
      say(talk, `${name.slice(1)}: ${talk.grounding[grounding] ? "on" : "off"}`);
    },
    candidates: async () => choices,
  };
}

/** The price of a model that was asked for by a key. */
function pricesOf({ options, setup }: Talk): (key: string, model: string) => Price | undefined {
  return (key, model) => options.priceOf(resolveModel(key, setup.config.value), model);
}

/** What holds for the prompt cache, which saves a part of what every question sends again. */
function describeCache({ models: [model], parameters, setup }: Talk): string {
  if (!model) return "no prompt cache";
  const time = cacheTimeFor({ model, parameters, usualCache: USUAL_CACHE }, setup.config.value);
  return time === undefined || time === "off" ? "no prompt cache" : `prompt cache ${time}`;
}

function help(talk: Talk): void {
  const lines = SLASH_COMMANDS.map(({ name, argument, says }) => ({ usage: `${name} ${argument}`, says }));
  const width = Math.max(...lines.map(({ usage }) => usage.length));
  for (const { usage, says } of lines) say(talk, says, `${usage.padEnd(width)}  `);
  say(talk, "");
  say(
    talk,
    "!COMMAND runs a command of the shell; @FILE in a question attaches a file, @SERVER:URI what an MCP server has. Ctrl-R searches what was typed before.",
  );
  say(
    talk,
    'Several lines: """, Alt-Enter, or a backslash before Enter. Tab completes, Esc or Ctrl-C stops an answer.',
  );
}

function say(talk: Talk, line: string, title?: string): void {
  talk.options.runtime.terminal.note(line, title);
}

async function completeMention(talk: Talk, begun: string): Promise<string[]> {
  const offers = await import("./server-offers.ts");
  return offers.completeMention(talk, begun);
}

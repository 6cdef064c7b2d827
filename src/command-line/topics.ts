/** Something to read beyond the commands: a page of docs/, or a section of one. */
export interface Topic {
  /** What it is about, in a line. */
  says: string;
  /** The page's name in docs/, without its ending. */
  page: string;
  /** The heading of the section that is shown alone. */
  section?: string;
  /** Other names that people type. */
  also?: readonly string[];
}

/** What `openclaw help` knows beside the commands. One that is named as a command is read together with its page. */
export const TOPICS = {
  chat: { says: "questions, files, models, parameters", page: "chat" },
  models: {
    says: "which model answers: names, aliases, profiles, fallbacks",
    page: "chat",
    section: "Which model answers",
    also: ["model", "aliases", "fallbacks"],
  },
  templates: { says: "questions that are kept, with parameters", page: "chat", section: "Templates" },
  tools: {
    says: "commands, files and MCP servers that a model may use",
    page: "tools",
    also: ["mcp", "allow", "permissions"],
  },
  embed: { says: "texts as vectors", page: "embed", also: ["embeddings", "vectors"] },
  sessions: { says: "conversations that are kept", page: "sessions", also: ["conversations"] },
  costs: { says: "what calls cost, and how to bound it", page: "costs", also: ["cost", "budget", "prices"] },
  quotas: {
    says: "what an account may ask in a minute and a day",
    page: "quotas",
    also: ["limits", "throttling", "tpm"],
  },
  batch: { says: "many prompts from a file", page: "batch", also: ["jobs", "bulk"] },
  credentials: { says: "where they come from, and what goes wrong", page: "credentials", also: ["auth"] },
  access: {
    says: "what stands between an account and a model, and what opens it",
    page: "access",
    also: ["gates", "agreement", "retention"],
  },
  config: { says: "every setting of the file", page: "settings", also: ["settings", "configuration"] },
  scripting: { says: "JSON, events, pipes", page: "scripting", also: ["json"] },
  "exit-codes": {
    says: "what a script can branch on",
    page: "scripting",
    section: "Exit codes",
    also: ["exit-code", "exit-status"],
  },
  environment: {
    says: "the variables that are read",
    page: "scripting",
    section: "Environment",
    also: ["env", "variables"],
  },
  errors: { says: "every error, and what it means", page: "errors" },
  ec2: { says: "on an instance: Node, role, user data", page: "ec2" },
  network: { says: "proxies and certificates", page: "network", also: ["proxy"] },
  providers: { says: "other servers that speak OpenAI's API", page: "providers" },
  serve: { says: "Bedrock for programs that speak OpenAI's API", page: "serve" },
  "mcp-serve": { says: "models for programs that speak MCP", page: "mcp-serve" },
  emulator: { says: "the Bedrock inside the program", page: "emulator" },
  completion: { says: "Tab in bash, zsh and fish", page: "completion" },
  security: { says: "what is trusted, bounded and kept", page: "security" },
} as const satisfies Record<string, Topic>;

export type TopicName = keyof typeof TOPICS;

/** The topics with their names, in the order in which they are shown. */
export const TOPIC_ROWS = Object.entries(TOPICS) as [TopicName, Topic][];

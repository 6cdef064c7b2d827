import type { Setup } from "../../session/session.ts";
import type { Query } from "../ask-first-available.ts";
import type { Price } from "../../models/usage.ts";
import type { ResolvedModel } from "../../models/resolve-model.ts";
import type { Runtime } from "../../runtime.ts";
import type { Conversation } from "../sessions/kept-conversation.ts";
import type { Screen } from "../../terminal/terminal.ts";

/** What a person sits down to: everything that the command line has decided. */
export interface InteractiveOptions {
  runtime: Runtime;
  screen: Screen;
  setup: Setup;
  /** Looks for credentials anew, where they may have changed. */
  survey: () => Promise<Setup>;
  conversation: Conversation;
  /** Begins another conversation. */
  begin: () => Promise<Conversation>;
  /** Asked in order. */
  models: ResolvedModel[];
  /** What a name, or several with commas between them, stand for. Throws `usage`. */
  resolve: (names: string) => ResolvedModel[];
  priceOf: (model: ResolvedModel | undefined, modelId: string) => Price | undefined;
  /** What goes with every question. */
  query: Omit<Query, "messages" | "attachments" | "earlier" | "recorder" | "open">;
  /** Files of the first question. */
  attachments: Query["attachments"];
  /** Shows the model's text as it came. */
  isRaw: boolean;
  isStreamed: boolean;
  showsUsage: boolean;
  /** Whether what is typed may be written to the disk. */
  keepsHistory: boolean;
}

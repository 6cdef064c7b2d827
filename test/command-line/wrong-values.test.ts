import { expect, it } from "vitest";
import { createHome, openclaw } from "../helpers/openclaw.ts";

it.each<[string[], string, string]>([
  [
    ["chat", "--reasoning", "hgih", "hi"],
    "--reasoning cannot be 'hgih'. It takes off, minimal, low, medium, high, xhigh, max.",
    "Did you mean --reasoning high?",
  ],
  [
    ["chat", "--reasoning", "thorough", "hi"],
    "--reasoning cannot be 'thorough'. It takes off, minimal, low, medium, high, xhigh, max.",
    "openclaw chat --help",
  ],
  [
    ["models", "list", "--sort", "pirce-in"],
    "--sort cannot be 'pirce-in'. It takes ",
    "Did you mean --sort price-in?",
  ],
  [
    ["emulator", "--close", "agrement"],
    "--close cannot be 'agrement'. It takes ",
    "Did you mean --close agreement?",
  ],
  [
    ["completion", "zsh5"],
    "<shell> cannot be 'zsh5'. It takes bash, zsh, fish.",
    "Did you mean openclaw completion zsh?",
  ],
  [
    ["chat", "--max-tokens", "many", "hi"],
    "--max-tokens cannot be 'many'. It takes a whole number of at least 1.",
    "openclaw chat --help",
  ],
  [
    ["chat", "--timeout", "5m", "hi"],
    "--timeout cannot be '5m'. It takes seconds, a number of at least 0.001.",
    "openclaw chat --help",
  ],
  [
    ["chat", "--max-cost", "$0.05", "hi"],
    "--max-cost cannot be '$0.05'. It takes USD, a number of at least 0.",
    "openclaw chat --help",
  ],
  [
    ["serve", "--max-body=32MB"],
    "--max-body cannot be '32MB'. It takes megabytes, a number from 0.001 to 1024.",
    "openclaw serve --help",
  ],
  [["chat", "-m", " ", "hi"], "--model cannot be empty.", "openclaw chat --help"],
  [["chat", "hi", "-m"], "--model takes a value, and none follows.", "openclaw chat --help"],
  [["models", "list", "--provider="], "--provider cannot be empty.", "openclaw models list --help"],
])("says what a flag or an argument takes: %j", async (args, message, hint) => {
  const { code, stdout } = await openclaw([...args, "--json"], createHome());
  expect(code).toBe(2);
  const { error } = JSON.parse(stdout) as { error: { code: string; message: string; hint: string } };
  expect(error).toMatchObject({ code: "usage", hint, message: expect.stringContaining(message) as string });
});

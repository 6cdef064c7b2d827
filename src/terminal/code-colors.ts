/// <reference types="ace-code" />
import { Tokenizer } from "ace-code/src/tokenizer";
import type { Style } from "./color.ts";
import type { CodeColorer } from "./markdown-stream.ts";

/** The rules of a language in Ace, the editor, whose tokenizer takes one line after the other, as they come. */
type Rules = new () => { getRules(): ConstructorParameters<typeof Tokenizer>[0] };

/** Languages by the names that fences have, and where their rules are: each in a file that is loaded when it is needed. */
const LANGUAGES: readonly (readonly [names: string, load: () => Promise<Rules>])[] = [
  [
    "bat batch cmd",
    async () => (await import("ace-code/src/mode/batchfile_highlight_rules")).BatchFileHighlightRules,
  ],
  [
    "c c++ cc cpp cxx h hpp objc objective-c",
    async () => (await import("ace-code/src/mode/c_cpp_highlight_rules")).c_cppHighlightRules,
  ],
  [
    "c# cs csharp",
    async () => (await import("ace-code/src/mode/csharp_highlight_rules")).CSharpHighlightRules,
  ],
  [
    "clj clojure",
    async () => (await import("ace-code/src/mode/clojure_highlight_rules")).ClojureHighlightRules,
  ],
  ["css", async () => (await import("ace-code/src/mode/css_highlight_rules")).CssHighlightRules],
  ["dart", async () => (await import("ace-code/src/mode/dart_highlight_rules")).DartHighlightRules],
  [
    "containerfile docker dockerfile",
    async () => (await import("ace-code/src/mode/dockerfile_highlight_rules")).DockerfileHighlightRules,
  ],
  [
    "elixir ex exs",
    async () => (await import("ace-code/src/mode/elixir_highlight_rules")).ElixirHighlightRules,
  ],
  [
    "f# fs fsharp",
    async () => (await import("ace-code/src/mode/fsharp_highlight_rules")).FSharpHighlightRules,
  ],
  ["go golang", async () => (await import("ace-code/src/mode/golang_highlight_rules")).GolangHighlightRules],
  [
    "gql graphql",
    async () => (await import("ace-code/src/mode/graphqlschema_highlight_rules")).GraphQLSchemaHighlightRules,
  ],
  [
    "gradle groovy",
    async () => (await import("ace-code/src/mode/groovy_highlight_rules")).GroovyHighlightRules,
  ],
  [
    "haskell hs",
    async () => (await import("ace-code/src/mode/haskell_highlight_rules")).HaskellHighlightRules,
  ],
  [
    "htm html svelte vue",
    async () => (await import("ace-code/src/mode/html_highlight_rules")).HtmlHighlightRules,
  ],
  ["cfg conf ini", async () => (await import("ace-code/src/mode/ini_highlight_rules")).IniHighlightRules],
  ["java", async () => (await import("ace-code/src/mode/java_highlight_rules")).JavaHighlightRules],
  [
    "cjs javascript js jsx mjs node",
    async () => (await import("ace-code/src/mode/javascript_highlight_rules")).JavaScriptHighlightRules,
  ],
  [
    "json jsonl ndjson",
    async () => (await import("ace-code/src/mode/json_highlight_rules")).JsonHighlightRules,
  ],
  ["json5 jsonc", async () => (await import("ace-code/src/mode/json5_highlight_rules")).Json5HighlightRules],
  ["jl julia", async () => (await import("ace-code/src/mode/julia_highlight_rules")).JuliaHighlightRules],
  [
    "kotlin kt kts",
    async () => (await import("ace-code/src/mode/kotlin_highlight_rules")).KotlinHighlightRules,
  ],
  ["latex tex", async () => (await import("ace-code/src/mode/latex_highlight_rules")).LatexHighlightRules],
  ["less", async () => (await import("ace-code/src/mode/less_highlight_rules")).LessHighlightRules],
  ["lua", async () => (await import("ace-code/src/mode/lua_highlight_rules")).LuaHighlightRules],
  [
    "make makefile mk",
    async () => (await import("ace-code/src/mode/makefile_highlight_rules")).MakefileHighlightRules,
  ],
  [
    "matlab octave",
    async () => (await import("ace-code/src/mode/matlab_highlight_rules")).MatlabHighlightRules,
  ],
  [
    "mariadb mysql",
    async () => (await import("ace-code/src/mode/mysql_highlight_rules")).MysqlHighlightRules,
  ],
  ["nginx", async () => (await import("ace-code/src/mode/nginx_highlight_rules")).NginxHighlightRules],
  ["nix", async () => (await import("ace-code/src/mode/nix_highlight_rules")).NixHighlightRules],
  ["ml ocaml", async () => (await import("ace-code/src/mode/ocaml_highlight_rules")).OcamlHighlightRules],
  ["perl pl", async () => (await import("ace-code/src/mode/perl_highlight_rules")).PerlHighlightRules],
  [
    "pgsql plpgsql postgres postgresql",
    async () => (await import("ace-code/src/mode/pgsql_highlight_rules")).PgsqlHighlightRules,
  ],
  ["php", async () => (await import("ace-code/src/mode/php_highlight_rules")).PhpLangHighlightRules],
  [
    "powershell ps1 pwsh",
    async () => (await import("ace-code/src/mode/powershell_highlight_rules")).PowershellHighlightRules,
  ],
  [
    "dotenv env properties",
    async () => (await import("ace-code/src/mode/properties_highlight_rules")).PropertiesHighlightRules,
  ],
  [
    "proto protobuf",
    async () => (await import("ace-code/src/mode/protobuf_highlight_rules")).ProtobufHighlightRules,
  ],
  [
    "py python python3",
    async () => (await import("ace-code/src/mode/python_highlight_rules")).PythonHighlightRules,
  ],
  ["r", async () => (await import("ace-code/src/mode/r_highlight_rules")).RHighlightRules],
  ["rb ruby", async () => (await import("ace-code/src/mode/ruby_highlight_rules")).RubyHighlightRules],
  ["rs rust", async () => (await import("ace-code/src/mode/rust_highlight_rules")).RustHighlightRules],
  ["sass", async () => (await import("ace-code/src/mode/sass_highlight_rules")).SassHighlightRules],
  ["scala", async () => (await import("ace-code/src/mode/scala_highlight_rules")).ScalaHighlightRules],
  ["scss", async () => (await import("ace-code/src/mode/scss_highlight_rules")).ScssHighlightRules],
  [
    "bash ksh sh shell zsh",
    async () => (await import("ace-code/src/mode/sh_highlight_rules")).ShHighlightRules,
  ],
  ["sql sqlite", async () => (await import("ace-code/src/mode/sql_highlight_rules")).SqlHighlightRules],
  [
    "mssql sqlserver tsql",
    async () => (await import("ace-code/src/mode/sqlserver_highlight_rules")).SqlHighlightRules,
  ],
  ["swift", async () => (await import("ace-code/src/mode/swift_highlight_rules")).SwiftHighlightRules],
  [
    "hcl terraform tf tofu",
    async () => (await import("ace-code/src/mode/terraform_highlight_rules")).TerraformHighlightRules,
  ],
  ["toml", async () => (await import("ace-code/src/mode/toml_highlight_rules")).TomlHighlightRules],
  ["tsx", async () => (await import("ace-code/src/mode/tsx_highlight_rules")).TsxHighlightRules],
  [
    "cts mts ts typescript",
    async () => (await import("ace-code/src/mode/typescript_highlight_rules")).TypeScriptHighlightRules,
  ],
  [
    "plist svg xml xsd xslt",
    async () => (await import("ace-code/src/mode/xml_highlight_rules")).XmlHighlightRules,
  ],
  ["yaml yml", async () => (await import("ace-code/src/mode/yaml_highlight_rules")).YamlHighlightRules],
  ["zig", async () => (await import("ace-code/src/mode/zig_highlight_rules")).ZigHighlightRules],
];

const loaders = new Map(LANGUAGES.flatMap(([names, load]) => names.split(" ").map((name) => [name, load])));
/** All names that code in a fence may have to be coloured. */
export const LANGUAGE_NAMES: readonly string[] = [...loaders.keys(), "diff", "patch"];

/** What is loaded, by the name of the language. */
const tokenizers = new Map<string, Tokenizer>();

/** Loads what colours code in these languages, of those that are known. */
export async function loadLanguages(names: readonly string[]): Promise<void> {
  for (const name of names) {
    const load = loaders.get(name);
    if (!load || tokenizers.has(name)) continue;
    const Rules = await load();
    const tokenizer = new Tokenizer(new Rules().getRules());
    // What it finds wrong with its rules or a line is nothing to stop for: by itself it would throw that later.
    Object.assign(tokenizer, { reportError: () => undefined });
    tokenizers.set(name, tokenizer);
  }
}

/** What colours code in a language, line by line; undefined where that is not loaded. A diff is no language of Ace's. */
export function colorerOf(name: string, style: Style): CodeColorer | undefined {
  if (name === "diff" || name === "patch") return diffColorer(style);
  const tokenizer = tokenizers.get(name);
  if (!tokenizer) return undefined;
  let state: string | string[] = "start";
  return (line) => {
    const { short, cuts } = shortenWords(line);
    const { tokens, state: next } = tokenizer.getLineTokens(short, state);
    state = typeof next === "string" || next.length < DEEPEST ? next : "start";
    let place = 0;
    const shown = tokens.map(({ type, value }) => {
      const start = place;
      place += value.length;
      let text = value;
      // From the end, so that places before it stay where they are.
      for (const cut of cuts.filter((cut) => cut.place > start && cut.place <= place).toReversed())
        text = text.slice(0, cut.place - start) + cut.rest + text.slice(cut.place - start);
      return lookOf(type, style)(text);
    });
    return shown.join("");
  };
}

/** What stands in so much else is nothing that anybody wrote: every line would take longer than the one before. */
const DEEPEST = 1000;

/** A word that is longer, in characters, is a hash, a key or somebody's joke. */
const LONGEST_WORD = 100;
const LONG_WORDS = new RegExp(`(\\w{${LONGEST_WORD}})(\\w+)`, "g");

/**
 * A line with the beginnings of its long words, and what was cut off at which places: rules of some languages look at a
 * word of a thousand digits for seconds.
 */
function shortenWords(line: string): { short: string; cuts: { place: number; rest: string }[] } {
  const cuts: { place: number; rest: string }[] = [];
  let removed = 0;
  const short = line.replace(LONG_WORDS, (_, kept: string, rest: string, offset: number) => {
    cuts.push({ place: offset + LONGEST_WORD - removed, rest });
    removed += rest.length;
    return kept;
  });
  return { short, cuts };
}

/**
 * How the kinds of Ace's tokens look, by the beginnings of their names: https://github.com/ajaxorg/ace/wiki/Creating-or-Extending-an-Edit-Mode#common-tokens.
 * Colours that are seen on light and on dark; the first that fits.
 */
const LOOKS: readonly (readonly [kind: RegExp, look: keyof Style | undefined])[] = [
  [/^comment/, "dim"],
  [/^keyword\.operator|^punctuation|^(?:paren|text|identifier)\b/, undefined],
  [/^(?:keyword|storage)\b|tag-name|^entity\.name\.tag/, "magenta"],
  [/^string|^markup\.raw/, "green"],
  [/^constant|^support|^variable\.language|attribute-name|^meta\.tag$/, "cyan"],
  [/^markup\.heading/, "bold"],
];

function lookOf(kind: string, style: Style): (text: string) => string {
  const look = LOOKS.find(([pattern]) => pattern.test(kind))?.[1];
  return look === undefined ? (text) => text : style[look];
}

/** Colours a unified diff. What begins with signs above its first place in a file is the name of the file. */
function diffColorer({ red, green, cyan, bold }: Style): CodeColorer {
  let isInHead = true;
  return (line) => {
    if (/^(?:diff |Index: )/.test(line)) isInHead = true;
    if (line.startsWith("@@")) {
      isInHead = false;
      return cyan(line);
    }
    if (/^(?:diff |Index: |index )/.test(line) || (isInHead && /^(?:---|\+\+\+) /.test(line)))
      return bold(line);
    if (line.startsWith("+")) return green(line);
    return line.startsWith("-") ? red(line) : line;
  };
}

// Every small change of a source that its tests should notice: operators, conditions, numbers, statements left out,
// values not returned. Texts and types stay as they are.
import { parseAst } from "rolldown/parseAst";

/**
 * @typedef {{ file: string, line: number, column: number, start: number, end: number, from: string, to: string }} Mutant
 * @typedef {{ type: string, start: number, end: number, [key: string]: unknown }} Node
 */

/** @type {Readonly<Record<string, string>>} */
const OPERATORS = {
  "===": "!==",
  "!==": "===",
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "%": "*",
  "&&": "||",
  "||": "&&",
  "++": "--",
  "--": "++",
  "+=": "-=",
  "-=": "+=",
};

/** What has types inside, and a value. */
const TYPED_VALUES = new Set(["TSAsExpression", "TSSatisfiesExpression", "TSNonNullExpression"]);

/**
 * The mutants of a source, in the order in which they stand in it.
 * @param {string} file
 * @param {string} text
 * @returns {Mutant[]}
 */
export function findMutants(file, text) {
  /** @type {Mutant[]} */
  const found = [];
  /** @type {(start: number, end: number, to: string) => void} */
  const add = (start, end, to) => {
    const before = text.slice(0, start).split("\n");
    const column = (before.at(-1)?.length ?? 0) + 1;
    found.push({ file, line: before.length, column, start, end, from: text.slice(start, end), to });
  };
  /** @param {unknown} value */
  const visit = (value) => {
    if (Array.isArray(value)) return value.forEach(visit);
    if (!isNode(value)) return undefined;
    const { type } = value;
    if (type.startsWith("TS") && !TYPED_VALUES.has(type)) return undefined;
    if (type === "ImportDeclaration" || type === "ExportAllDeclaration") return undefined;
    mutate(value, text, add);
    for (const key of Object.keys(value)) visit(value[key]);
  };
  visit(parseAst(text, { lang: "ts" }, file));
  return found.toSorted((left, right) => left.start - right.start || left.end - right.end);
}

/**
 * @param {unknown} value
 * @returns {value is Node}
 */
function isNode(value) {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/**
 * @param {Node} node
 * @param {string} text
 * @param {(start: number, end: number, to: string) => void} add
 */
function mutate(node, text, add) {
  switch (node.type) {
    case "BinaryExpression":
    case "LogicalExpression":
    case "AssignmentExpression":
      return mutateOperator(node, text, add);
    case "UpdateExpression": {
      const operator = String(node["operator"]);
      const start = node["prefix"] ? node.start : node.end - operator.length;
      return add(start, start + operator.length, OPERATORS[operator] ?? operator);
    }
    case "UnaryExpression":
      return node["operator"] === "!" ? add(node.start, node.start + 1, "") : undefined;
    case "IfStatement":
    case "ConditionalExpression": {
      const test = /** @type {Node} */ (node["test"]);
      add(test.start, test.end, "true");
      return add(test.start, test.end, "false");
    }
    case "Literal":
      if (typeof node["value"] === "number") return add(node.start, node.end, String(node["value"] + 1));
      return typeof node["value"] === "boolean"
        ? add(node.start, node.end, String(!node["value"]))
        : undefined;
    case "ExpressionStatement":
      // A directive is a text.
      return typeof node["directive"] === "string" ? undefined : add(node.start, node.end, ";");
    case "ReturnStatement":
      return node["argument"] && !isUndefined(/** @type {Node} */ (node["argument"]))
        ? add(node.start, node.end, "return undefined;")
        : undefined;
    default:
      return undefined;
  }
}

/**
 * @param {Node} node
 * @param {string} text
 * @param {(start: number, end: number, to: string) => void} add
 */
function mutateOperator(node, text, add) {
  const operator = String(node["operator"]);
  const left = /** @type {Node} */ (node["left"]);
  const right = /** @type {Node} */ (node["right"]);
  // What is taken where there is nothing.
  if (operator === "??") return add(left.end, node.end, "");
  const replacement = OPERATORS[operator];
  if (replacement === undefined) return undefined;
  if (operator.startsWith("+") && [left, right].some(isText)) return undefined;
  const start = text.indexOf(operator, left.end);
  return start < right.start ? add(start, start + operator.length, replacement) : undefined;
}

/** @param {Node} node */
function isUndefined(node) {
  return node.type === "Identifier" && node["name"] === "undefined";
}

/** @param {Node} node */
function isText(node) {
  return node.type === "TemplateLiteral" || (node.type === "Literal" && typeof node["value"] === "string");
}

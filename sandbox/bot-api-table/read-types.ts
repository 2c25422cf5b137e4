/**
 * Read types: makes the table of Bot API methods from the declarations of `@grammyjs/types`.
 *
 * Only this file and its command know the compiler; the sandbox itself reads the finished table.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import ts from "typescript";
import type { MethodTable } from "./method-table.ts";

/** Reads the installed package, wherever it is. */
export function readInstalledTypes(): MethodTable {
  const { resolve } = createRequire(import.meta.url);
  const home = resolve("@grammyjs/types/package.json");
  const { name, version } = JSON.parse(readFileSync(home, "utf8")) as Record<string, string>;
  const declarations = readFileSync(home.replace("package.json", "methods.d.ts"), "utf8");
  return { source: `${name} ${version}`, methods: methodsIn(declarations) };
}

/** @param declarations The text of `methods.d.ts`. Throws when it has no `ApiMethods`. */
export function methodsIn(declarations: string): MethodTable["methods"] {
  const file = ts.createSourceFile("methods.d.ts", declarations, ts.ScriptTarget.Latest, true);
  const found = file.statements
    .filter(ts.isTypeAliasDeclaration)
    .find(({ name }) => name.text === "ApiMethods");
  if (!found || !ts.isTypeLiteralNode(found.type)) throw new Error("there is no type ApiMethods");
  const methods: Record<string, MethodTable["methods"][string]> = {};
  for (const member of found.type.members) {
    if (!ts.isMethodSignature(member) || !member.type) continue;
    const [argument] = member.parameters;
    const fields =
      argument?.type && ts.isTypeLiteralNode(argument.type) ? argument.type.members : [];
    const parameters: Record<string, string> = {};
    for (const field of fields) {
      if (!ts.isPropertySignature(field) || !field.type) continue;
      const name = field.name.getText() + (field.questionToken ? "?" : "");
      parameters[name] = kindOf(field.type.getText()) + limits(describe(field));
    }
    methods[member.name.getText()] = { returns: resultOf(member.type.getText()), parameters };
  }
  return methods;
}

function describe(node: ts.Node): string {
  const text = node.getFullText();
  return text.slice(0, text.indexOf("*/"));
}

/** How the parameter is written: as text, a number, a boolean, a file, one of some words, or JSON. */
function kindOf(type: string): string {
  const parts = type.split("|").map((part) => part.trim());
  const words = parts.filter((part) => /^"[\w-]+"$/.test(part)).map((part) => part.slice(1, -1));
  if (words.length === parts.length) return `one of ${words.join(" ")}`;
  if (parts.every((part) => /^(number|0x[\dA-F]+|\d+)$/.test(part))) return "number";
  const plain = parts.map((part) => (part === "F" ? "file" : part)).sort();
  if (plain.every((part) => ["boolean", "file", "number", "string"].includes(part))) {
    return plain.join("|");
  }
  return /^(LanguageCode|ParseMode)$|^\(string & /.test(type) ? "string" : "json";
}

/** "1-4096 characters" becomes " 1-4096". */
function limits(description: string): string {
  const found = /(\d+)-(\d+) (?:characters|bytes)|[Vv]alues between (\d+)-(\d+)/.exec(description);
  return found ? ` ${found[1] ?? found[3]}-${found[2] ?? found[4]}` : "";
}

/** Leaves out how grammY divides `Message`. */
function resultOf(type: string): string {
  const plain = type.replace(/Update\.Edited & /g, "").replace(/Message\.\w+/g, "Message");
  const list = /^Array<(.*)>$/.exec(plain)?.[1];
  const parts = (list ?? plain).replace(/[()]/g, "").split("|");
  return [...new Set(parts.map((part) => part.trim()))].join("|") + (list ? "[]" : "");
}

/** Method table: it is as new as the package of types, and every method in it is carried out. */
import { expect, test } from "vitest";
import { readMethodTable } from "../../../sandbox/bot-api-table/method-table.ts";
import { methodsIn, readInstalledTypes } from "../../../sandbox/bot-api-table/read-types.ts";
import { methodNamed } from "../../../sandbox/methods/table.ts";

const table = readMethodTable();

test("no method is new since `npm run sandbox:methods` was last run", () => {
  const installed = readInstalledTypes();
  const news = Object.keys(installed.methods).filter((name) => !(name in table.methods));
  const gone = Object.keys(table.methods).filter((name) => !(name in installed.methods));
  expect({ news, gone }).toEqual({ news: [], gone: [] });
  expect(table).toEqual(installed);
});

test("every method of the table is carried out", () => {
  const missing = Object.keys(table.methods).filter((name) => !methodNamed(name.toLowerCase()));
  expect(missing).toEqual([]);
  expect(Object.keys(table.methods).length).toBeGreaterThanOrEqual(185);
});

test("a declaration becomes a row: required or not, its kind, its limits and its result", () => {
  const declarations = `export type ApiMethods<F> = {
    /** Sends. */
    sendThing(args: {
      /** Text of it, 1-32 characters */
      text: string;
      /** Values between 1-100 */
      limit?: number;
      chat_id: number | string;
      photo?: F | string;
      mode: "a" | "b";
      mood?: Mood[];
    }): (Update.Edited & Message.TextMessage) | true;
    getThings(): Array<Message.PhotoMessage>;
    oldName: ApiMethods<F>["getThings"];
  };`;
  expect(methodsIn(declarations)).toEqual({
    sendThing: {
      returns: "Message|true",
      parameters: {
        text: "string 1-32",
        "limit?": "number 1-100",
        chat_id: "number|string",
        "photo?": "file|string",
        mode: "one of a b",
        "mood?": "json",
      },
    },
    getThings: { returns: "Message[]", parameters: {} },
  });
});

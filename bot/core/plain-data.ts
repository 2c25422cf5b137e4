/** Plain data: turns a value into JSON text, and refuses what would not come back as it was. */
import { types } from "node:util";
import { DataRefusedError } from "./errors.ts";

/** Deeper data are refused, because JSON.stringify would end in a stack overflow. */
const depthMax = 100;

/** Path segments longer than this, or of other characters, may be a user's words and are left out. */
const namedInPath = /^[A-Za-z_$][\w$]{0,39}$/;

/**
 * The JSON text of a value that consists of null, booleans, finite numbers, strings, arrays and plain
 * objects. A property that is `undefined` is left out, as JSON does.
 *
 * @param field Names the value in errors, such as `session`.
 * @param bytesMax Limit of the text in UTF-8.
 * @throws {DataRefusedError} when the value is anything else, cyclic, or too large.
 */
export function toPlainText(value: unknown, field: string, bytesMax: number): string {
  const walk: Walk = { field, ancestors: [], bytesMax, valuesLeft: bytesMax };
  refuseUnlessPlain(value, field, walk);
  const text = JSON.stringify(value);
  const bytes = Buffer.byteLength(text);
  if (bytes > bytesMax) throw tooLarge(walk, `${bytes} bytes`);
  return text;
}

interface Walk {
  readonly field: string;
  readonly ancestors: object[];
  readonly bytesMax: number;
  /** Each value takes a byte at least, so this bounds the walk by the size that is allowed. */
  valuesLeft: number;
}

function refuseUnlessPlain(value: unknown, path: string, walk: Walk): void {
  if (walk.valuesLeft-- === 0) throw tooLarge(walk, "more values than that");
  if (value === null || typeof value === "string" || typeof value === "boolean") return;
  if (typeof value === "number" && Number.isFinite(value)) return;
  if (typeof value !== "object" || !(Array.isArray(value) || isPlainObject(value))) {
    throw new DataRefusedError(path, "plain JSON data", describe(value), mend(value));
  }
  const { ancestors } = walk;
  if (ancestors.includes(value)) {
    const hint = "Store an id instead of the object that contains this one.";
    throw new DataRefusedError(path, "plain JSON data", "an object that contains itself", hint);
  }
  if (ancestors.length === depthMax) {
    const hint = "Store the data flatter, as a list or by id.";
    throw new DataRefusedError(walk.field, `at most ${depthMax} levels`, "more", hint);
  }
  ancestors.push(value);
  if (Array.isArray(value)) {
    // A loop by index also meets the holes.
    for (let index = 0; index < value.length; index++) {
      refuseUnlessPlain(value[index], `${path}[${index}]`, walk);
    }
  } else {
    for (const [name, child] of Object.entries(value)) {
      const step = namedInPath.test(name) ? `.${name}` : "[…]";
      if (child !== undefined) refuseUnlessPlain(child, `${path}${step}`, walk);
    }
  }
  ancestors.pop();
}

function tooLarge({ bytesMax, field }: Walk, received: string): DataRefusedError {
  const hint = "Keep what grows in documents or tables of its own, and only its key here.";
  return new DataRefusedError(field, `at most ${bytesMax} bytes of JSON`, received, hint);
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function describe(value: unknown): string {
  if (typeof value === "object" && value !== null) {
    return `an instance of ${value.constructor?.name || "a class"}`;
  }
  if (typeof value === "number" || value === undefined) return String(value);
  return `a ${typeof value}`;
}

function mend(value: unknown): string {
  if (typeof value === "bigint") return "Store it as a string.";
  if (types.isDate(value)) return "Store its milliseconds since the epoch: date.getTime().";
  if (types.isMap(value) || types.isSet(value)) return "Store it as an array: [...value].";
  if (value === undefined || typeof value === "number") return "Use null for what is not known.";
  return "Store the fields that are needed, and make the rest from them when they are read.";
}

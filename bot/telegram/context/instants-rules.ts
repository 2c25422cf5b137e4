/** Instants: reads when something is to happen, as an author writes it. */
import { DataRefusedError } from "../../core/errors.ts";

const yearMs = 365 * 86_400_000;
/** An instant that lies further ahead is a mistake. */
const aheadMsMax = 10 * yearMs;
/** A number below this is no instant of today in milliseconds, but one in seconds, or a delay. */
const instantMin = 30 * yearMs;

/**
 * @param when A delay in milliseconds; or an instant, as a Date or in milliseconds since the epoch.
 * @param meaning What a number means. A Date is refused for a delay.
 * @returns milliseconds since the epoch.
 * @throws {DataRefusedError}
 */
export function instantOf(
  field: string,
  when: unknown,
  nowEpochMs: number,
  meaning: "delay" | "instant",
): number {
  if (meaning === "delay") {
    if (typeof when === "number" && when >= 0 && when <= aheadMsMax) {
      return Math.ceil(nowEpochMs + when);
    }
    const expected = "a number of milliseconds from 0 to 10 years";
    throw new DataRefusedError(field, expected, describe(when), "An hour is 3_600_000.");
  }
  const isDate = typeof when === "object" && when !== null && "getTime" in when;
  const epochMs = isDate ? Number((when as { getTime(): number }).getTime()) : when;
  const fits =
    typeof epochMs === "number" && epochMs >= instantMin && epochMs <= nowEpochMs + aheadMsMax;
  if (fits) return Math.ceil(epochMs);
  throw new DataRefusedError(
    field,
    "a Date, or milliseconds since the epoch, at most 10 years ahead",
    isDate && Number.isNaN(epochMs) ? "an invalid Date" : describe(epochMs),
    "Telegram's dates are seconds: multiply them by 1000.",
  );
}

function describe(value: unknown): string {
  return typeof value === "number" ? String(value) : `a ${typeof value}`;
}

/**
 * Panel: figures, charts and tables of a module, which the monitoring API serves and the dashboard shows
 * as a page of its own.
 *
 * A panel is plain data and says of what it is about people. Only who may operate the bot gets that: it is
 * left out before the answer is sent, and not hidden by the page.
 */
import { DataRefusedError } from "../core/errors.ts";

/** A text for every reader, or one for each language of the dashboard. */
export type Wording = string | { readonly en: string; readonly zh: string };

/**
 * How a value is shown. `money`: whole minor units of the panel's currency. `instant`: milliseconds since the
 * epoch; `age`: the time that has passed since such an instant. `share`: 0 to 1, shown as a bar and in percent.
 */
export type PanelForm = "text" | "count" | "money" | "instant" | "age" | "share";

/** `null`: there is no value; a dash is shown. */
export type PanelValue = number | Wording | null;

export interface PanelFigure {
  readonly label: Wording;
  readonly value: PanelValue;
  /** Default `text`. */
  readonly form?: PanelForm;
  /** Whether it tells who somebody is. Default false. */
  readonly people?: boolean;
}

/** A chart of bars over time. */
export interface PanelChart {
  readonly title: Wording;
  /** Default `count`. */
  readonly form?: "count" | "money";
  /** The span of a bar, in UTC: it begins at its `atEpochMs`. */
  readonly per: "hour" | "day";
  /** Oldest first. */
  readonly bars: readonly { readonly atEpochMs: number; readonly value: number }[];
}

export interface PanelColumn {
  readonly label: Wording;
  /** Default `text`. */
  readonly form?: PanelForm;
  /** Whether its values tell who somebody is. Default false. */
  readonly people?: boolean;
}

export interface PanelTable {
  readonly title: Wording;
  readonly columns: readonly PanelColumn[];
  /** A value for each column. */
  readonly rows: readonly (readonly PanelValue[])[];
  /** How many rows there are, where not all of them are here. Default: no more than these. */
  readonly total?: number;
  /** The text in the place of rows when there are none. */
  readonly empty?: Wording;
}

/** The content of a panel now. The limits on it are in bot/api/shapes/panels.ts. */
export interface PanelContent {
  /** For values of the form `money`: an ISO 4217 code and its number of decimals. Default: a bare number. */
  readonly currency?: { readonly code: string; readonly exponent: number };
  readonly figures?: readonly PanelFigure[];
  readonly charts?: readonly PanelChart[];
  readonly tables?: readonly PanelTable[];
}

/**
 * Reads what a panel shows, with `kit.read`. It is asked at most once a second, and only while somebody looks.
 * What it rejects with is reported, and its page stays as it was.
 */
export type ReadPanel = () => Promise<PanelContent>;

export interface Panel {
  readonly name: string;
  readonly title: Wording;
  readonly read: ReadPanel;
}

/**
 * Adds a page to the dashboard.
 *
 * @param name 1 to 40 lower-case letters, digits or `-`; part of its address, `/api/panels/NAME`.
 * @throws {DataRefusedError} for what is not as described, for a name that is taken, and for an eleventh panel.
 */
export type AddPanel = (name: string, title: Wording, read: ReadPanel) => void;

const namePattern = /^[a-z0-9-]{1,40}$/;
const panelsMax = 10;
const titleLengthMax = 40;

/** The panels of a module, by name. */
export function createPanels(): {
  readonly add: AddPanel;
  readonly panels: ReadonlyMap<string, Panel>;
} {
  const panels = new Map<string, Panel>();
  const add: AddPanel = (name, title, read) => {
    if (typeof name !== "string" || !namePattern.test(name)) {
      const received = typeof name === "string" ? JSON.stringify(name.slice(0, 60)) : typeof name;
      const mend = 'Give it a name such as "sales".';
      throw new DataRefusedError(
        "panel: name",
        "1 to 40 lower-case letters, digits or -",
        received,
        mend,
      );
    }
    const refuse = (field: string, expected: string, received: string, mend: string) =>
      new DataRefusedError(`panel ${name}: ${field}`, expected, received, mend);
    if (panels.has(name)) {
      throw refuse("name", "a name of its own", "one that is taken", "Choose another name.");
    }
    if (panels.size >= panelsMax) {
      const received = `panel ${panels.size + 1}`;
      throw refuse("number", `at most ${panelsMax} panels`, received, "Put tables on one page.");
    }
    if (!isTitle(title)) {
      const expected = `a text of 1 to ${titleLengthMax} characters, or { en, zh } of such`;
      throw refuse("title", expected, JSON.stringify(title) ?? "undefined", 'Write "Sales".');
    }
    if (typeof read !== "function") {
      const mend = "It returns what is to be shown.";
      throw refuse("read", "a function", `a ${typeof read}`, mend);
    }
    panels.set(name, { name, title, read });
  };
  return { add, panels };
}

function isTitle(title: unknown): boolean {
  if (typeof title === "string") return title.trim() !== "" && title.length <= titleLengthMax;
  if (typeof title !== "object" || title === null) return false;
  const { en, zh } = title as { readonly en?: unknown; readonly zh?: unknown };
  return [en, zh].every((text) => typeof text === "string" && isTitle(text));
}

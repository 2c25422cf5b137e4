/**
 * Check: one question about an installation, what was seen, and what it means.
 *
 * `look` asks the machine and changes nothing; `judge` is pure, so that every judgement can be tested
 * without a machine in that state.
 */
import type { Installation } from "./installation.ts";

export interface Judgement {
  /** Only `wrong` makes the doctor exit with 1. */
  readonly level: "fine" | "doubtful" | "wrong";
  /** One sentence for an operator; no secret in it. */
  readonly says: string;
  /** The mend, as a command where there is one. */
  readonly mend?: string;
}

export interface Check<Fact> {
  readonly name: string;
  /** `always`, only while the bot should be running, or only before it is started. */
  readonly applies: "always" | "running" | "before-start";
  look(installation: Installation): Promise<Fact> | Fact;
  judge(fact: Fact): Judgement | readonly Judgement[];
}

export interface Finding extends Judgement {
  readonly check: string;
}

/** A check with the type of its fact hidden. */
export interface AnyCheck {
  readonly name: string;
  readonly applies: Check<unknown>["applies"];
  /** Never rejects: a failed look is a finding. */
  examine(installation: Installation): Promise<readonly Finding[]>;
}

export function toCheck<Fact>(check: Check<Fact>): AnyCheck {
  const { applies, name } = check;
  return {
    name,
    applies,
    examine: async (installation) => {
      try {
        const judgements = check.judge(await check.look(installation));
        return [judgements].flat().map((judgement) => ({ check: name, ...judgement }));
      } catch (error) {
        const reason = error instanceof Error ? error.message : "no reason was given";
        const hint = error instanceof Error && "hint" in error ? error.hint : undefined;
        const mend =
          typeof hint === "string" ? hint : "Run the doctor as the user that runs the bot.";
        return [{ check: name, level: "wrong", says: `cannot be checked: ${reason}`, mend }];
      }
    },
  };
}

export function fine(says: string): Judgement {
  return { level: "fine", says };
}

export function doubtful(says: string, mend: string): Judgement {
  return { level: "doubtful", says, mend };
}

export function wrong(says: string, mend: string): Judgement {
  return { level: "wrong", says, mend };
}

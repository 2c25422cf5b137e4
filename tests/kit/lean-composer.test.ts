/** Lean composer: does what Telegraf's own composers do. */
import fc from "fast-check";
import { Composer, Context, type Middleware, type MiddlewareFn, Telegram } from "telegraf";
import { expect, test } from "vitest";
import { branch, command, compose, pass, useLeanComposer } from "../../bot/kit/lean-composer.ts";

const telegrafs = {
  compose: Composer.compose,
  branch: Composer.branch,
  passThru: Composer.passThru,
};
const lean = { compose, branch, passThru: () => pass } as unknown as typeof telegrafs;

/** A middleware, and what it is made of. */
type Plan =
  | { readonly does: "pass" | "wait" | "stop" | "throw" | "reject" | "twice" | "wrong" | "other" }
  | { readonly does: "list"; readonly of: readonly Plan[] }
  | { readonly does: "composer"; readonly of: readonly Plan[] }
  | {
      readonly does: "branch";
      readonly when: boolean | "now" | "never" | "later" | "later not" | "broken" | "later broken";
      readonly yes: Plan;
      /** Default: the update is passed on. */
      readonly no?: Plan | undefined;
    };

const { plans } = fc.letrec<{ plans: readonly Plan[]; plan: Plan }>((tie) => ({
  plans: fc.array(tie("plan"), { maxLength: 5 }),
  plan: fc.oneof(
    { depthSize: "small" },
    fc.record({
      does: fc.constantFrom("pass", "wait", "pass", "wait", "stop", "throw", "reject", "twice"),
    }),
    fc.record({ does: fc.constantFrom("pass", "wrong", "other") }),
    fc.record({ does: fc.constantFrom("list", "composer"), of: tie("plans") }),
    fc.record({
      does: fc.constant("branch"),
      when: fc.constantFrom(
        ...[true, false, "now", "never", "later", "later not", "broken", "later broken"],
      ),
      yes: tie("plan"),
      no: fc.option(tie("plan"), { nil: undefined }),
    }),
  ) as fc.Arbitrary<Plan>,
}));

const predicates = {
  now: () => true,
  never: () => false,
  later: async () => true,
  "later not": async () => false,
  broken: () => {
    throw new Error("broken");
  },
  "later broken": async () => {
    throw new Error("broken later");
  },
};

function newContext(name: string): Context {
  const ctx = new Context({ update_id: 1 } as never, new Telegram("1:a"), {} as never);
  ctx.state["name"] = name;
  return ctx as unknown as Context;
}

/** Makes the middleware of a plan, which writes down what happens to it. */
function make(
  plan: Plan,
  library: typeof telegrafs,
  log: string[],
  path: string,
): Middleware<Context> {
  const all = (of: readonly Plan[]) => of.map((one, n) => make(one, library, log, `${path}.${n}`));
  switch (plan.does) {
    case "list":
      return library.compose(all(plan.of));
    case "composer": {
      // What `use` does, without the library's own `compose`.
      const composer = { handler: library.compose([]) as MiddlewareFn<Context> };
      for (const one of all(plan.of)) composer.handler = library.compose([composer.handler, one]);
      return { middleware: () => composer.handler };
    }
    case "branch": {
      const when = typeof plan.when === "boolean" ? plan.when : predicates[plan.when];
      const [yes, no] = all(plan.no ? [plan.yes, plan.no] : [plan.yes]);
      return library.branch(when, yes as never, no ?? (library.passThru() as never));
    }
    default:
      return async (ctx, next) => {
        const say = (what: string) => log.push(`${path} ${ctx.state["name"]} ${what}`);
        say("begins");
        if (plan.does === "wait") await new Promise((resolve) => setImmediate(resolve));
        if (plan.does === "stop") return;
        if (plan.does === "throw") throw new Error(`thrown at ${path}`);
        if (plan.does === "wrong") await (next as (ctx: object) => Promise<void>)({});
        else if (plan.does === "other") {
          await (next as (ctx: object) => Promise<void>)(newContext(`of ${path}`));
        } else await next();
        if (plan.does === "twice") await next();
        if (plan.does === "reject") await Promise.reject(new Error(`rejected at ${path}`));
        say("ends");
      };
  }
}

async function run(plan: readonly Plan[], library: typeof telegrafs): Promise<readonly string[]> {
  const log: string[] = [];
  const middleware = make({ does: "composer", of: plan }, library, log, "0");
  const last = async (ctx?: Context) => void log.push(`after all ${ctx?.state["name"]}`);
  try {
    await Composer.unwrap(middleware)(newContext("given"), last as never);
    log.push("done");
  } catch (error) {
    log.push(String(error));
  }
  return log;
}

test("runs any middleware as Telegraf does", async () => {
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      expect(await run(plan, lean)).toEqual(await run(plan, telegrafs));
    }),
    { numRuns: 500 },
  );
});

const triggers = fc.constantFrom<unknown>(
  ...["help", "he", "h.lp", /^help$/i, /he/g, /l(p)$/y, (name: string) => name === "help"],
  ...[["start", "help"], ["start", /^HELP$/], [(name: string) => name.startsWith("h")]],
);
const words = fc.constantFrom(
  "/help",
  "/HELP",
  "/start",
  "help",
  "@",
  "@shop",
  "@SHOP",
  "@else",
  " ",
  "",
  "x",
);
const messages = fc.record(
  {
    text: fc.array(words, { maxLength: 4 }).map((all) => all.join("")),
    entities: fc.array(
      fc.record({
        type: fc.constantFrom("bot_command", "bot_command", "bold"),
        offset: fc.constantFrom(0, 0, 0, 1),
        length: fc.constantFrom(5, 5, 10, 0, 1, 3, 100),
      }),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: [] },
);

test("a command is recognised as Telegraf recognises it", async () => {
  const telegrafCommand = Composer.command;
  const heard = async (library: typeof telegrafCommand, trigger: unknown, update: object) => {
    const ctx = new Context(update as never, new Telegram("1:a"), { username: "Shop" } as never);
    const log: unknown[] = [];
    const handler = async (given: Context) => {
      const { args, command: name, match, payload } = given as unknown as Record<string, unknown>;
      log.push({ args, name, match, payload });
    };
    await library(trigger as never, handler as never)(ctx as never, async () => {
      log.push("passed on");
    });
    return log;
  };
  await fc.assert(
    fc.asyncProperty(triggers, messages, async (trigger, message) => {
      for (const update of [
        { update_id: 1, message },
        { update_id: 1, callback_query: message },
      ]) {
        expect(await heard(command as never, trigger, update)).toEqual(
          await heard(telegrafCommand, trigger, update),
        );
      }
    }),
    { numRuns: 1_000 },
  );
});

test("a command without a name, which Telegraf takes for every command, stays one", async () => {
  const log: string[] = [];
  const entities = [{ type: "bot_command", offset: 0, length: 4 }];
  const update = { update_id: 1, message: { text: "/any", entities } };
  const ctx = new Context(update as never, new Telegram("1:a"), {} as never);
  const run = command(async () => void log.push("ran"));
  await run(ctx as never, async () => void log.push("passed on"));
  expect(log).toEqual(["ran"]);
});

test("refuses what is no list", () => {
  expect(() => compose("no list" as never)).toThrow("Middlewares must be an array");
});

test("a middleware that passes an update on makes no promise of its own", () => {
  const end = Promise.resolve();
  const passing: MiddlewareFn<Context> = (_, next) => next();
  const guarded = branch(() => false, passing, passing);
  const composed = compose([compose([passing, guarded]), passing]);
  expect(composed(newContext("given"), () => end)).toBe(end);
});

test("a middleware whose condition does not hold is stepped over", async () => {
  const asked: string[] = [];
  const condition = (name: string, holds: boolean) =>
    branch(
      () => {
        asked.push(name);
        return holds;
      },
      async () => void asked.push(`${name} runs`),
      pass,
    );
  const composed = compose([condition("a", false), condition("b", true), condition("c", true)]);
  await composed(newContext("given"), async () => void asked.push("after all"));
  expect(asked).toEqual(["a", "b", "b runs"]);
});

test("what is added to a composer later counts where the composer is used already", async () => {
  useLeanComposer();
  const log: string[] = [];
  const inner = new Composer();
  const outer = new Composer().use(inner, async () => void log.push("outer"));
  inner.use(async (_, next) => {
    log.push("inner");
    await next();
  });
  await outer.middleware()(newContext("given"), async () => {});
  expect(log).toEqual(["inner", "outer"]);
});

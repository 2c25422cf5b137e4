/** Lean composer: does what Telegraf's own composers do. */
import fc from "fast-check";
import { Composer, Context, type Middleware, type MiddlewareFn, Telegram } from "telegraf";
import { expect, test } from "vitest";
import { branch, compose, useLeanComposer } from "../../bot/kit/lean-composer.ts";

const telegrafs = { compose: Composer.compose, branch: Composer.branch };
const lean = { compose, branch } as unknown as typeof telegrafs;

/** A middleware, and what it is made of. */
type Plan =
  | { readonly does: "pass" | "wait" | "stop" | "throw" | "reject" | "twice" | "wrong" | "other" }
  | { readonly does: "list"; readonly of: readonly Plan[] }
  | { readonly does: "composer"; readonly of: readonly Plan[] }
  | {
      readonly does: "branch";
      readonly when: boolean | "now" | "never" | "later" | "later not" | "broken";
      readonly yes: Plan;
      readonly no: Plan;
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
      when: fc.constantFrom(true, false, "now", "never", "later", "later not", "broken"),
      yes: tie("plan"),
      no: tie("plan"),
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
      const [yes, no] = all([plan.yes, plan.no]);
      return library.branch(when, yes as never, no as never);
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

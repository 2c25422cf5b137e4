/**
 * Scenario player: plays a list of timed faults and events.
 *
 * Every step is an operation of the control API at an instant after the beginning. The whole
 * scenario is checked before its first step.
 */
import type {
  Fault,
  SandboxControl,
  Scenario,
  ScenarioState,
  ScenarioStep,
} from "../control-api.ts";
import { isRecord } from "../text/reply-markup.ts";
import type { VirtualClock } from "../virtual-clock.ts";
import { ControlError } from "./control-error.ts";
import { operationNames } from "./operations.ts";

export interface ScenarioPlayerOptions {
  readonly clock: VirtualClock;
  readonly control: () => SandboxControl;
  /** Throws a `ControlError` when a fault is invalid. */
  readonly checkFault: (fault: unknown) => void;
  /** Seeds every random choice from now on. */
  readonly reseed: (seed: number) => void;
}

const stepsMax = 10_000;
const longestMs = 7 * 86_400_000;
/** Operations that a step may call: all but those that play scenarios. */
const allowed: ReadonlySet<string> = new Set(
  operationNames.filter((name) => !name.endsWith("Scenario")),
);

export class ScenarioPlayer {
  readonly #options: ScenarioPlayerOptions;
  #timers: (() => void)[] = [];
  #faultIds: number[] = [];
  #state: ScenarioState = { playing: false, name: "", steps: 0, done: 0, failures: [] };

  constructor(options: ScenarioPlayerOptions) {
    this.#options = options;
  }

  get state(): ScenarioState {
    return this.#state;
  }

  /** Ends the scenario before it. Throws a `ControlError` that names the invalid field. */
  play(value: unknown): ScenarioState {
    const scenario = checkedScenario(value, this.#options.checkFault);
    this.stop();
    if (scenario.seed !== undefined) this.#options.reseed(scenario.seed);
    const { name = "", steps } = scenario;
    this.#state = { playing: true, name, steps: steps.length, done: 0, failures: [] };
    for (const [index, step] of steps.entries()) this.#at(step.atMs, () => this.#run(index, step));
    if (steps.length === 0) this.#state = { ...this.#state, playing: false };
    return this.#state;
  }

  /** Ends the scenario and its faults. */
  stop(): ScenarioState {
    for (const cancel of this.#timers) cancel();
    for (const id of this.#faultIds) this.#options.control().removeFault({ id });
    this.#timers = [];
    this.#faultIds = [];
    this.#state = { ...this.#state, playing: false };
    return this.#state;
  }

  #at(ms: number, run: () => void): void {
    this.#timers.push(this.#options.clock.schedule(ms, run));
  }

  #run(index: number, step: ScenarioStep): void {
    const done = (failure?: unknown) => {
      const failures = [...this.#state.failures];
      if (failure !== undefined) failures.push(`steps[${index}]: ${textOf(failure)}`);
      const count = this.#state.done + 1;
      const playing = this.#state.playing && count < this.#state.steps;
      this.#state = { ...this.#state, done: count, failures, playing };
    };
    try {
      const result = step.fault ? this.#strike(step) : this.#operate(step);
      if (result instanceof Promise) void result.then(() => done(), done);
      else done();
    } catch (error) {
      done(error);
    }
  }

  #strike(step: ScenarioStep): void {
    const { control } = this.#options;
    const { match = "*", fault, forMs, chatId, count, probability } = step;
    const rule = {
      match,
      fault: fault as Fault,
      ...(chatId === undefined ? {} : { chatId }),
      ...(count === undefined ? {} : { count }),
      ...(probability === undefined ? {} : { probability }),
    };
    const { id } = control().addFault(rule);
    this.#faultIds.push(id);
    if (forMs !== undefined) this.#at(forMs, () => void control().removeFault({ id }));
  }

  #operate({ operation, request = {} }: ScenarioStep): unknown {
    const operations = this.#options.control() as unknown as Record<
      string,
      (of: unknown) => unknown
    >;
    return operations[operation as string]?.(request);
  }
}

function checkedScenario(value: unknown, checkFault: (fault: unknown) => void): Scenario {
  if (!isRecord(value)) throw new ControlError(400, "a scenario must be an object");
  const { name, seed, steps } = value;
  if (name !== undefined && typeof name !== "string") fail("name", "a string", name);
  if (seed !== undefined && !isWhole(seed, 2 ** 32)) fail("seed", "a whole number", seed);
  if (!Array.isArray(steps) || steps.length > stepsMax) {
    fail("steps", `a list of at most ${stepsMax}`, steps);
  }
  for (const [index, step] of (steps as unknown[]).entries())
    checkStep(step, `steps[${index}]`, checkFault);
  return value as unknown as Scenario;
}

function checkStep(step: unknown, at: string, checkFault: (fault: unknown) => void): void {
  if (!isRecord(step)) fail(at, "an object", step);
  if (!isWhole(step["atMs"], longestMs))
    fail(`${at}.atMs`, "milliseconds, up to a week", step["atMs"]);
  const { fault, forMs, operation, request } = step;
  if ((fault === undefined) === (operation === undefined)) {
    fail(at, '"fault" or "operation", and not both', Object.keys(step).join(", "));
  }
  if (forMs !== undefined && !isWhole(forMs, longestMs)) fail(`${at}.forMs`, "milliseconds", forMs);
  if (operation !== undefined && !allowed.has(String(operation))) {
    fail(`${at}.operation`, `one of ${[...allowed].join(", ")}`, operation);
  }
  if (request !== undefined && !isRecord(request)) fail(`${at}.request`, "an object", request);
  if (fault === undefined) return;
  try {
    checkFault({ match: step["match"] ?? "*", fault });
  } catch (error) {
    fail(at, "a valid fault", textOf(error));
  }
}

function isWhole(value: unknown, max: number): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= max;
}

function fail(field: string, expected: string, received: unknown): never {
  const seen = JSON.stringify(received)?.slice(0, 60) ?? "nothing";
  throw new ControlError(400, `${field} must be ${expected}; received ${seen}`);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

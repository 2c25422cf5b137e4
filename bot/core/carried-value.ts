/**
 * Carried value: follows a piece of work through everything that it starts, without being passed along.
 *
 * All of them share one AsyncLocalStorage: Node.js copies the map of all storages whenever one of them is
 * given a value, which an update does several times.
 */
import { AsyncLocalStorage } from "node:async_hooks";

interface Link {
  readonly of: CarriedValue<unknown>;
  readonly value: unknown;
  readonly outer: Link | undefined;
}

const links = new AsyncLocalStorage<Link | undefined>();

export class CarriedValue<T> {
  /** Runs `run` so that this is the value for it and for all that it starts. */
  run<Result>(value: T, run: () => Result): Result {
    return links.run({ of: this, value, outer: without(this, links.getStore()) }, run);
  }

  /** The value of the work that asks; `undefined` when it carries none. */
  get current(): T | undefined {
    let link = links.getStore();
    while (link !== undefined && link.of !== this) link = link.outer;
    return link?.value as T | undefined;
  }
}

/** What one piece of work starts can start the next, so a value that is replaced must not be kept. */
function without(replaced: CarriedValue<unknown>, link: Link | undefined): Link | undefined {
  if (link === undefined) return undefined;
  if (link.of === replaced) return link.outer;
  const outer = without(replaced, link.outer);
  return outer === link.outer ? link : { ...link, outer };
}

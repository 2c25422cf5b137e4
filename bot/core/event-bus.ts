/** Event bus: tells every listener of every event, in the order in which they subscribed. */
import type { BotEvent, Publish } from "./events.ts";

type EventListener = (event: BotEvent) => void;

export class EventBus {
  readonly #listeners: EventListener[] = [];

  /** @param listener Hears every event from now on. It must not wait for anything. */
  subscribe(listener: EventListener): void {
    this.#listeners.push(listener);
  }

  /** Never throws: what a listener throws is published as `listener.failed`. */
  readonly publish: Publish = (event) => {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (thrown) {
        // A listener that fails on the report of a failure is left alone, or this would never end.
        if (event.type === "listener.failed") continue;
        this.publish({ type: "listener.failed", event: event.type, thrown });
      }
    }
  };
}

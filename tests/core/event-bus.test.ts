/** Event bus: what one listener does harms no other. */
import { expect, test } from "vitest";
import { EventBus } from "../../bot/core/event-bus.ts";
import type { BotEvent } from "../../bot/core/events.ts";

test("listeners hear every event in the order in which they subscribed", () => {
  const bus = new EventBus();
  const heard: string[] = [];
  bus.subscribe(({ type }) => heard.push(`first: ${type}`));
  bus.subscribe(({ type }) => heard.push(`second: ${type}`));
  bus.publish({ type: "webhook.set" });
  expect(heard).toEqual(["first: webhook.set", "second: webhook.set"]);
});

test("a listener that throws is reported, and the others hear the event", () => {
  const bus = new EventBus();
  const heard: BotEvent[] = [];
  const thrown = new Error("broken");
  bus.subscribe(() => {
    throw thrown;
  });
  bus.subscribe((event) => heard.push(event));
  bus.publish({ type: "webhook.removed" });
  expect(heard).toEqual([
    { type: "listener.failed", event: "webhook.removed", thrown },
    { type: "webhook.removed" },
  ]);
});

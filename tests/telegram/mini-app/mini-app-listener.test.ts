/** Mini App listener: its life, and what it says when its port is taken. */
import { createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { MiniAppListener } from "../../../bot/telegram/mini-app/mini-app-listener.ts";
import { lifecycleConformance } from "../../support/lifecycle-conformance.ts";
import { ManualClock } from "../../support/manual-clock.ts";

function create(port = 0) {
  const clock = new ManualClock();
  const answer = () => {};
  return { clock, component: new MiniAppListener({ clock, host: "127.0.0.1", port, answer }) };
}

lifecycleConformance("the Mini App listener", () => create());

test("it is alive while it listens", async () => {
  const { component } = create();
  onTestFinished(() => component.stop());
  expect(component.heartbeat().beats).toBe(0);
  await component.start();
  expect(component.port).toBeGreaterThan(0);
  expect(component.heartbeat()).toEqual({ beats: 1, overdueMs: 0 });
});

test("a port that is taken is an error that names the settings", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void taken.close());
  const address = taken.address();
  const { component } = create(typeof address === "object" ? (address?.port ?? 0) : 0);
  await expect(component.start()).rejects.toMatchObject({
    code: "MINI_APP_LISTEN_FAILED",
    hint: expect.stringContaining("MINI_APP_PORT"),
  });
  await component.stop();
});

/** Page client: the chat page of a sandbox in a browser, for tests. */
import type { TestContext } from "vitest";
import type { SandboxOptions } from "../../sandbox/sandbox.ts";
import { borrowPage } from "../support/borrowed-page.ts";
import { startSandbox } from "./bot-client.ts";

/** Where to put a screenshot, for people; none by default. */
export const screenshot = process.env["SCREENSHOT"];

/** A sandbox whose page shows a chat. */
export async function openPage(context: TestContext, options: SandboxOptions = {}) {
  const started = await startSandbox({ frozenClock: false, pacing: false, ...options });
  started.control.createUser({ id: 42, firstName: "Ann", started: true });
  const chatId = started.control.createGroup({ title: "Forum", forum: true, memberIds: [42] }).id;
  const { page, problems } = await borrowPage(context, started.url);
  const chats = page.getByRole("navigation", { name: "Chats" });
  const show = (name: string) => chats.getByText(name).first().click();
  const log = page.getByRole("log");
  return { ...started, chatId, log, page, problems, show };
}

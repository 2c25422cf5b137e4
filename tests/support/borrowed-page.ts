/**
 * Borrowed page: a page of a real browser, for tests. They are skipped where no Chromium is installed.
 *
 * The tests of a file borrow one page after the other, because a browser takes longer to open a page than a test
 * takes with it: 5 s of processor time, of which most go into a process for the next page (measured).
 */
import { type Browser, type ConsoleMessage, chromium, type Page } from "playwright-core";
import { onTestFinished, type TestContext } from "vitest";
import { browserArguments, browserFile } from "../../lab/bench/browser.ts";

const viewport = { width: 1280, height: 720 };
const waitMsMax = 15_000;

let browser: Browser | undefined;
let page: Page | undefined;

/** For `afterAll` of each file: files share this module where they share a worker. */
export async function closeBrowser(): Promise<void> {
  await browser?.close();
  browser = undefined;
  page = undefined;
}

/** A page at this address. `problems` are errors in the page, and what its security policy refuses. */
export async function borrowPage(
  context: TestContext,
  url: string,
): Promise<{ page: Page; problems: string[] }> {
  if (browserFile === undefined) return context.skip("no Chromium is installed");
  const borrowed = await openedPage(browserFile);
  const problems: string[] = [];
  const noteError = ({ message }: Error) => void problems.push(message);
  const noteRefusal = (message: ConsoleMessage) => {
    if (/content security policy/i.test(message.text())) problems.push(message.text());
  };
  borrowed.on("pageerror", noteError);
  borrowed.on("console", noteRefusal);
  onTestFinished(async () => {
    borrowed.off("pageerror", noteError);
    borrowed.off("console", noteRefusal);
    await clean(borrowed).catch(closeBrowser);
  });
  await borrowed.goto(url);
  return { page: borrowed, problems };
}

async function openedPage(executablePath: string): Promise<Page> {
  if (page && !page.isClosed()) return page;
  browser ??= await chromium.launch({ executablePath, args: [...browserArguments] });
  page = await browser.newPage({ locale: "en-US", viewport });
  page.setDefaultTimeout(waitMsMax);
  return page;
}

async function clean(used: Page): Promise<void> {
  await used.unrouteAll({ behavior: "ignoreErrors" });
  await used.goto("about:blank");
  await used.context().clearCookies();
  await used.emulateMedia({ colorScheme: null });
  await used.setViewportSize(viewport);
}

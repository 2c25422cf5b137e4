import { expect, test } from "vitest";
import { startScreen } from "../../bot/operator/start-screen.ts";

const facts = {
  profile: "development",
  botId: "42",
  telegramUrl: "https://api.telegram.org",
  chatPageUrl: "http://127.0.0.1:3002",
  dashboardUrl: "http://127.0.0.1:3001",
  restartTokenFile: "data/42/restart-token",
  logDirectory: "logs",
};

test("it says where to chat, where to look, where the log is and how to stop", () => {
  expect(startScreen(facts, false)).toBe(`
  The bot is up (development).

  Chat       http://127.0.0.1:3002/  no token is set: the bot talks to the built-in sandbox
  Dashboard  http://127.0.0.1:3001/  changes need the token in data/42/restart-token
  Log        logs/                   everything; warnings stand beneath as well
  Stop       Ctrl+C                  what is unfinished goes on at the next start

`);
});

test("with a token it names the bot and the Bot API in the place of the chat page", () => {
  const screen = startScreen(
    { ...facts, chatPageUrl: undefined, restartTokenFile: undefined },
    false,
  );
  expect(screen).toMatch(/^ {2}Telegram {3}https:\/\/api\.telegram\.org {2}bot 42$/m);
  expect(screen).toContain("changes need the token in RESTART_TOKEN");
  expect(screen).not.toContain("Chat");
});

test("colours change nothing but the colour", () => {
  const painted = startScreen(facts, true);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colours.
  expect(painted.replaceAll(/\u001b\[\d+m/g, "")).toBe(startScreen(facts, false));
  expect(painted).not.toBe(startScreen(facts, false));
});

/** Start screen: what a person at a terminal sees when the bot is up. Pure. */
import { styleText } from "node:util";

export interface StartScreenFacts {
  readonly profile: string;
  readonly botId: string;
  /** Where the Bot API is served. */
  readonly telegramUrl: string;
  /** The sandbox's page, when the bot talks to the built-in sandbox. */
  readonly chatPageUrl: string | undefined;
  readonly dashboardUrl: string;
  /** Where the token for changes stands, when none is configured. */
  readonly restartTokenFile: string | undefined;
  readonly logDirectory: string;
}

/** @param colours Whether the terminal shows them. */
export function startScreen(facts: StartScreenFacts, colours: boolean): string {
  const token = facts.restartTokenFile ?? "RESTART_TOKEN";
  const rows = [
    facts.chatPageUrl === undefined
      ? ["Telegram", facts.telegramUrl, `bot ${facts.botId}`]
      : ["Chat", `${facts.chatPageUrl}/`, "no token is set: the bot talks to the built-in sandbox"],
    ["Dashboard", `${facts.dashboardUrl}/`, `changes need the token in ${token}`],
    ["Log", `${facts.logDirectory}/`, "everything; warnings stand beneath as well"],
    ["Stop", "Ctrl+C", "what is unfinished goes on at the next start"],
  ] as const;
  const paint = (style: "bold" | "cyan" | "dim", text: string) =>
    colours ? styleText(style, text, { validateStream: false }) : text;
  const width = Math.max(...rows.map(([, value]) => value.length)) + 2;
  const lines = rows.map(
    ([name, value, note]) =>
      `  ${name.padEnd(11)}${paint("cyan", value)}${" ".repeat(width - value.length)}${paint("dim", note)}`,
  );
  const title = paint("bold", `The bot is up (${facts.profile}).`);
  return `\n  ${title}\n\n${lines.join("\n")}\n\n`;
}

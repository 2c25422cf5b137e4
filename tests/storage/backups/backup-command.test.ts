/** Backup command: real commands, their outcome, their output, and that nothing of them is left. */
import { expect, test } from "vitest";
import { runBackupCommand } from "../../../bot/storage/backups/backup-command.ts";

const environment = { PATH: process.env["PATH"] };

function run(command: string, { file = "/backups/bot.db", signal = never } = {}) {
  let output = "";
  const hear = (text: string) => {
    output += text;
  };
  return {
    ended: runBackupCommand({ command, environment }, file, hear, signal),
    said: (what: RegExp) => expect.poll(() => output, { timeout: 10_000 }).toMatch(what),
    output: () => output,
  };
}

const never = new AbortController().signal;

test("the command gets the path as it is, whatever characters are in it", async () => {
  const file = `/back ups/$(id) "quoted" '; exit 3 #.db`;
  const command = run('printf "<%s>" "$BACKUP_FILE"', { file });
  await command.ended;
  expect(command.output()).toBe(`<${file}>`);
});

test("the command has no variables but those that it is given, and a home", async () => {
  const command = run("env | cut -d= -f1 | sort");
  await command.ended;
  const set = command
    .output()
    .split("\n")
    .filter((name) => !["", "_", "PWD", "SHLVL"].includes(name));
  expect(set).toEqual(["BACKUP_FILE", "HOME", "PATH"]);
});

test.each([
  ["exit 3", "ended with exit code 3"],
  ["no-such-program-anywhere", "ended with exit code 127"],
  ["kill -9 $$", "was ended by SIGKILL"],
])("%j is a failure, and what it wrote is heard", async (script, why) => {
  const command = run(`echo to stdout; echo to stderr >&2; ${script}`);
  await expect(command.ended).rejects.toMatchObject({
    code: "BACKUP_COMMAND_FAILED",
    message: expect.stringContaining(why),
  });
  expect(command.output()).toContain("to stdout");
  expect(command.output()).toContain("to stderr");
});

test("when its time is over, the command ends with its children", async () => {
  const over = new AbortController();
  const command = run("sleep 60 & echo child $!; wait", { signal: over.signal });
  await command.said(/child \d+/);
  over.abort();
  await expect(command.ended).rejects.toMatchObject({ code: "BACKUP_COMMAND_FAILED" });
  const pid = Number(/child (\d+)/.exec(command.output())?.[1]);
  await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

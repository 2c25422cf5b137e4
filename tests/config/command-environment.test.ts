/** Command environment: what commands of the operator inherit, and what they never see. */
import { expect, test } from "vitest";
import { commandEnvironment } from "../../bot/config/command-environment.ts";

test("commands inherit everything but secrets, copies of them, and what stands in .env", () => {
  const token = "123456789:AAEhBOweik9ai2o01iVMpFGHIJKLmnop";
  const kept = { PATH: "/bin", HOME: "/home/bot", RCLONE_CONFIG: "/rclone.conf", DATA_DIR: "data" };
  const secret = {
    TELEGRAM_BOT_TOKEN: token,
    BOT_TOKEN: token,
    ENCRYPTION_KEY: "a key",
    HEARTBEAT_URL: "https://hc-ping.example/1234",
    pm2_env: JSON.stringify({ BOT_TOKEN: token }),
    copied: "an-operators-token",
  };
  const contents = "RESTART_TOKEN=another-token-1,an-operators-token\nONLY_HERE=1\n";
  const file = { name: ".env", contents, mode: 0o600 };
  expect(commandEnvironment({ ...kept, ...secret }, file)).toEqual(kept);
});

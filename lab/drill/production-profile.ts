/**
 * Production profile: the settings under which drill and kill tests run the bot.
 *
 * They change only where things are. No protective device is switched off or widened: where one bites in
 * a test, it bites in production too (P13). tests/lab/changed-settings.test.ts holds all to that.
 */
export const productionProfile: Readonly<Record<string, string>> = {
  NODE_ENV: "production",
  MONITORING_PORT: "0",
};

/** Exit codes: what a program ends with belongs to the class of the error that stopped it. */
import { expect, test } from "vitest";
import { MonitoringListenError, MonitoringPortInUseError } from "../../bot/api/monitoring.ts";
import {
  ApiRefusedError,
  BackupFailedError,
  ConfigurationError,
  EncryptionKeyError,
  StorageCorruptError,
  StorageInUseError,
  UsageError,
} from "../../bot/core/errors.ts";
import { exitCodeOf } from "../../bot/core/exit-code.ts";
import { CatalogueError } from "../../bot/shop/catalogue.ts";

test.each([
  [new ConfigurationError([]), 78],
  [new CatalogueError([], { fileName: "catalogue.json" }), 78],
  [new UsageError("x"), 78],
  [new EncryptionKeyError("x"), 78],
  [new ApiRefusedError("x"), 75],
  [new MonitoringPortInUseError("x"), 75],
  [new StorageInUseError("x"), 75],
  [new StorageCorruptError("x"), 74],
  [new MonitoringListenError("x"), 70],
  [new BackupFailedError("x"), 70],
  [new Error("a defect"), 70],
  ["thrown text", 70],
])("%s ends a program with exit code %i", (error, code) => {
  expect(exitCodeOf(error)).toBe(code);
});

/** Reactions: wakes one part when another one reports something. */
import type { BotEvent } from "../core/events.ts";
import type { BackupSchedule } from "../storage/backups/backup-schedule.ts";
import type { Breaker } from "../telegram/delivery/breaker.ts";
import type { Intake } from "../telegram/intake/intake.ts";
import type { Replaceable } from "../utils/fault-tolerance-manager/replaceable.ts";
import type { MessageQueue } from "../utils/message-queue.ts";
import type { SafeMode } from "../utils/process-monitor/safe-mode.ts";
import { connectionNames } from "./sending.ts";

/** @returns a listener for the event bus. */
export function createReactions(parts: {
  /** Missing where no backups are made. */
  backups?: Replaceable<BackupSchedule>;
  breaker: Breaker;
  intake: Replaceable<Intake>;
  queue: MessageQueue;
  restartProcess: (detail: string) => void;
  safeMode: SafeMode;
}): (event: BotEvent) => void {
  const { backups, breaker, intake, queue, restartProcess, safeMode } = parts;
  return (event) => {
    switch (event.type) {
      case "breaker.closed":
        // Telegram answers a call, so polls that wait after failures are worth another try.
        if (intake.current.snapshot().failuresInARow > 0) intake.current.nudge();
        queue.wake("sending");
        queue.wake("answering");
        return;
      case "breaker.opened":
        queue.wake("sending");
        queue.wake("answering");
        return;
      case "message.done":
        if (event.ref.pool === "handling") safeMode.handled();
        return;
      case "safe-mode.relaxed":
        queue.wake("handling");
        return;
      case "connection.restored":
        if (event.connection === connectionNames.database) return;
        breaker.signOfLife();
        if (event.connection === connectionNames.polling) intake.current.nudge();
        return;
      case "storage.backed-up":
        backups?.current.wake();
        return;
      case "storage.commits-lost":
        intake.current.submitAgain();
        return;
      case "component.given-up":
        restartProcess(`${event.component}: ${event.cause}`);
        return;
      default:
    }
  };
}

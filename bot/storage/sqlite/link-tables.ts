/**
 * Link tables: keep what points at a message from outside its payload, which is sealed.
 *
 * - `message_references`: which number stands for the id that Telegram will give to a message, and
 *   the id once it is known (core/message-reference.ts).
 * - `message_files`: which files a message needs (core/file-store.ts).
 *
 * A row names its message by `owner`: its id in the queue, which it keeps as a dead letter.
 */
import type { NewMessage } from "../../core/message.ts";
import type { ReferenceState } from "../../core/message-reference.ts";
import type { Database } from "./sqlite-driver.ts";

export class LinkTables {
  readonly #sql;

  constructor(database: Database) {
    const sql = (text: string) => database.prepare(text);
    this.#sql = {
      addReference: sql("INSERT OR REPLACE INTO message_references VALUES (?, ?, ?, NULL, ?)"),
      addFile: sql("INSERT OR IGNORE INTO message_files (owner, name) VALUES (?, ?)"),
      deliver: sql(
        "UPDATE message_references SET telegram_id = ?, at = ? WHERE owner = ? AND position = ?",
      ),
      moveReferences: sql("UPDATE message_references SET owner = ? WHERE owner = ?"),
      moveFiles: sql("UPDATE message_files SET owner = ? WHERE owner = ?"),
      resolve: sql(
        `SELECT r.telegram_id, m.lane, d.id AS dead_letter_id FROM message_references r
         LEFT JOIN messages m ON m.id = r.owner LEFT JOIN dead_letters d ON d.id = r.owner
         WHERE r.id = ?`,
      ),
      sweepReferences: sql(
        `DELETE FROM message_references WHERE at < ?
         AND owner NOT IN (SELECT id FROM messages) AND owner NOT IN (SELECT id FROM dead_letters)`,
      ),
      sweepFiles: sql(
        `DELETE FROM message_files
         WHERE owner NOT IN (SELECT id FROM messages) AND owner NOT IN (SELECT id FROM dead_letters)`,
      ),
      filesInUse: sql("SELECT DISTINCT name FROM message_files"),
    };
  }

  /** Notes what a message that is queued as `owner` brings with it. */
  add(owner: number, { files = [], references = [] }: NewMessage, now: number): void {
    for (const { id, position } of references) this.#sql.addReference.run(id, owner, position, now);
    for (const name of files) this.#sql.addFile.run(owner, name);
  }

  /** Notes the ids that Telegram gave to what the message sent, by position. */
  delivered(owner: number, telegramIds: readonly number[] = [], now: number): void {
    for (const [position, id] of telegramIds.entries()) {
      this.#sql.deliver.run(id, now, owner, position);
    }
  }

  /** A dead letter is put back as a new message. */
  move(from: number, to: number): void {
    this.#sql.moveReferences.run(to, from);
    this.#sql.moveFiles.run(to, from);
  }

  resolve(reference: number): ReferenceState {
    const row = this.#sql.resolve.get<{
      telegram_id: number | null;
      lane: string | null;
      dead_letter_id: number | null;
    }>(reference);
    if (!row) return { kind: "unknown" };
    if (row.telegram_id !== null) return { kind: "delivered", telegramId: row.telegram_id };
    if (row.lane !== null) return { kind: "waiting", lane: row.lane };
    if (row.dead_letter_id === null) return { kind: "unknown" };
    return { kind: "dead", deadLetterId: row.dead_letter_id };
  }

  /** Forgets references that got their id, or lost their message, before this instant. */
  sweep(beforeEpochMs: number): void {
    this.#sql.sweepReferences.run(beforeEpochMs);
  }

  /** The files that a message or dead letter still needs. */
  filesInUse(): readonly string[] {
    this.#sql.sweepFiles.run();
    return this.#sql.filesInUse.all<{ name: string }>().map(({ name }) => name);
  }
}

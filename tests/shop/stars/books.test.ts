/**
 * The books of payments after any history: payments, refunds, lost and repeated updates, deaths.
 *
 * They run on the real store. Telegram is a list of charges and the updates that it has not delivered.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Transaction } from "../../../bot/core/transaction.ts";
import { post } from "../../../bot/shop/ledger.ts";
import { shopOf, shopTables } from "../../../bot/shop/sqlite-tables.ts";
import { settleBooks } from "../../../bot/shop/stars/reconciliation.ts";
import {
  type ListedTransaction,
  settlingMs,
} from "../../../bot/shop/stars/reconciliation-rules.ts";
import { starsOf, starTables } from "../../../bot/shop/stars/star-tables.ts";
import { worthOf } from "../../../bot/shop/stars/topup-rules.ts";
import {
  askRefund,
  type CreditRules,
  creditPayment,
  type Payment,
  recordRefund,
} from "../../../bot/shop/stars/topups.ts";
import { SqliteStore } from "../../../bot/storage/sqlite/sqlite-store.ts";
import { keysOf } from "../../support/encryption-keys.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const rules: CreditRules = { topupAmounts: [50], starValueMinor: 10, welcomeBalanceMinor: 300 };
const people = [1, 2];

const user = fc.constantFrom(...people);
const nth = fc.nat({ max: 20 });
/** A death before the commit loses the attempt, one after it makes Telegram deliver again. */
const death = fc.constantFrom("none", "before-commit", "after-commit");

const operation = fc.oneof(
  fc.record({
    kind: fc.constant("pay" as const),
    user,
    payload: fc.constantFrom("topup:50:500", "topup:50:900", "not ours"),
  }),
  fc.record({ kind: fc.constant("deliver" as const), nth, death }),
  fc.record({ kind: fc.constant("lose" as const), nth }),
  fc.record({ kind: fc.constant("spend" as const), user, share: fc.constantFrom(30, 100) }),
  fc.record({ kind: fc.constant("ask-refund" as const), nth, death }),
  fc.record({ kind: fc.constant("refund-elsewhere" as const), nth }),
  fc.record({ kind: fc.constant("reconcile" as const), death }),
  fc.record({ kind: fc.constant("wait" as const), ms: fc.nat({ max: 2 * settlingMs }) }),
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

class Death extends Error {}

class History {
  readonly clock = new ManualClock();
  readonly #directory = mkdtempSync(join(tmpdir(), "books-"));
  readonly #store = new SqliteStore({
    directory: this.#directory,
    clock: this.clock,
    publish: () => {},
    onFatal: (error) => {
      throw error;
    },
    keys: keysOf("key"),
    tableSets: [shopTables, starTables],
    backupsKept: 1,
    dedupeKeepMs: 1,
    laneLengthMax: 10,
  });
  readonly charges: {
    readonly payment: Payment;
    readonly atEpochMs: number;
    refundedAtEpochMs?: number;
  }[] = [];
  #updates: { readonly kind: "payment" | "refund"; readonly payment: Payment }[] = [];
  #asked = new Set<string>();
  #purchases = 0;

  open = () => this.#store.open();

  async close() {
    await this.#store.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async durably<T>(how: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    if (how === "before-commit") {
      const attempt = this.#store.transaction(async (tx) => {
        await work(tx);
        throw new Death();
      });
      await expect(attempt).rejects.toThrow(Death);
    }
    // After a death that the commit survived, the same comes again.
    if (how === "after-commit") await this.#store.transaction(work);
    return this.#store.transaction(work);
  }

  async perform(operation: Operation): Promise<void> {
    switch (operation.kind) {
      case "pay": {
        const { payload, user: userId } = operation;
        const chargeId = `stx${this.charges.length}`;
        const payment = { chargeId, userId, currency: "XTR", total: 50, payload };
        this.charges.push({ payment, atEpochMs: this.clock.epochMs() });
        this.#updates.push({ kind: "payment", payment });
        return;
      }
      case "deliver": {
        const [update] = this.#updates.splice(operation.nth % (this.#updates.length || 1), 1);
        if (!update) return;
        await this.durably<unknown>(operation.death, (tx) =>
          update.kind === "payment"
            ? creditPayment(tx, rules, update.payment)
            : recordRefund(tx, update.payment),
        );
        return;
      }
      case "lose":
        this.#updates.splice(operation.nth % (this.#updates.length || 1), 1);
        return;
      case "spend":
        await this.#spend(operation.user, operation.share / 100);
        return;
      case "ask-refund": {
        const charge = this.charges[operation.nth % (this.charges.length || 1)];
        if (!charge) return;
        const { chargeId } = charge.payment;
        const result = await this.durably(operation.death, (tx) => askRefund(tx, chargeId, 99));
        // The call waits in the queue; it may be made much later.
        if (result.kind === "asked") this.#asked.add(chargeId);
        return;
      }
      case "refund-elsewhere":
        this.#refund(operation.nth % (this.charges.length || 1));
        return;
      case "reconcile":
        this.makeCalls();
        await this.durably(operation.death, (tx) => settleBooks(tx, rules, this.listed()));
        return;
      case "wait":
        await this.clock.advance(operation.ms);
        return;
    }
  }

  /** Telegram refunds what it was asked to; a second call for a charge changes nothing. */
  makeCalls(): void {
    for (const [index, { payment }] of this.charges.entries()) {
      if (this.#asked.delete(payment.chargeId)) this.#refund(index);
    }
  }

  listed(): readonly ListedTransaction[] {
    return this.charges.flatMap(({ atEpochMs, payment, refundedAtEpochMs }) => {
      const { currency, ...fields } = payment;
      const paid = { ...fields, kind: "payment" as const, atEpochMs };
      if (refundedAtEpochMs === undefined) return [paid];
      return [paid, { ...paid, kind: "refund" as const, atEpochMs: refundedAtEpochMs }];
    });
  }

  #refund(index: number): void {
    const charge = this.charges[index];
    if (!charge || charge.refundedAtEpochMs !== undefined) return;
    charge.refundedAtEpochMs = this.clock.epochMs();
    this.#updates.push({ kind: "refund", payment: charge.payment });
  }

  async #spend(userId: number, share: number): Promise<void> {
    await this.durably("none", async (tx) => {
      const spent = Math.floor((await shopOf(tx).balanceMinor(userId)) * share);
      const reference = `order:${++this.#purchases}`;
      if (spent > 0) await post(tx, { userId, amountMinor: -spent, kind: "purchase", reference });
    });
  }

  async expectInvariants(): Promise<void> {
    await this.#store.transaction(async (tx) => {
      for (const charge of await starsOf(tx).bookedCharges()) {
        expect(charge.ledgerMinor).toBe(charge.creditedMinor - charge.debitedMinor);
        expect(charge.debitedMinor).toBeLessThanOrEqual(charge.creditedMinor);
      }
      for (const userId of people) {
        expect(await shopOf(tx).balanceMinor(userId)).toBeGreaterThanOrEqual(0);
      }
    });
  }
}

test("P2: ledger and Telegram's list agree after any history, and no payment is lost or credited twice", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 30, size: "max" }), async (operations) => {
      const history = new History();
      await history.open();
      try {
        for (const operation of operations) {
          await history.perform(operation);
          await history.expectInvariants();
        }
        history.makeCalls();
        await history.clock.advance(settlingMs);
        const settle = () =>
          history.durably("none", (tx) => settleBooks(tx, rules, history.listed()));
        expect((await settle()).open).toEqual([]);
        expect(await settle()).toEqual({ settled: [], open: [] });
        await history.expectInvariants();
        const booked = await history.durably("none", (tx) => starsOf(tx).bookedCharges());
        expect(booked.map(({ chargeId }) => chargeId).sort()).toEqual(
          history.charges.map(({ payment }) => payment.chargeId).sort(),
        );
        for (const { creditedMinor, refundedAtEpochMs, ...payment } of booked) {
          // A refund that came before its payment takes the place of both.
          const unseen = refundedAtEpochMs !== undefined && creditedMinor === 0;
          if (!unseen) expect(creditedMinor).toBe(worthOf(payment, rules));
        }
      } finally {
        await history.close();
      }
    }),
    { numRuns: 100 },
  );
}, 120_000);

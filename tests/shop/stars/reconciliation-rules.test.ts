/** Reconciliation rules: every way in which the books can differ from Telegram's list has its name. */
import { describe, expect, test } from "vitest";
import {
  type BookedPayment,
  findDifferences,
  type ListedTransaction,
  settlingMs,
} from "../../../bot/shop/stars/reconciliation-rules.ts";

const nowEpochMs = 1_000_000_000_000;
const longAgo = nowEpochMs - settlingMs;
const justNow = nowEpochMs - settlingMs + 1;

const payment: ListedTransaction = {
  chargeId: "stx1",
  kind: "payment",
  userId: 7,
  total: 100,
  payload: "topup:100:1000",
  atEpochMs: longAgo,
};
const refund: ListedTransaction = { ...payment, kind: "refund" };
const book: BookedPayment = {
  chargeId: "stx1",
  userId: 7,
  currency: "XTR",
  total: 100,
  creditedMinor: 1_000,
  debitedMinor: 0,
  ledgerMinor: 1_000,
  recordedAtEpochMs: longAgo,
  refundAskedAtEpochMs: undefined,
  refundedAtEpochMs: undefined,
};
const returned = { debitedMinor: 1_000, ledgerMinor: 0 };
const asked = { ...book, ...returned, refundAskedAtEpochMs: longAgo };
const refunded = { ...asked, refundedAtEpochMs: longAgo };

const kinds = (listed: readonly ListedTransaction[], booked: readonly BookedPayment[]) =>
  findDifferences(listed, booked, nowEpochMs).map(({ kind }) => kind);

describe("the books agree with Telegram", () => {
  test.each([
    ["when both are empty", [], []],
    ["when both have a payment", [payment], [book]],
    ["when both have its refund", [payment, refund], [refunded]],
    ["while a refund is on its way", [payment], [{ ...asked, refundAskedAtEpochMs: justNow }]],
    ["while a payment is on its way to the books", [{ ...payment, atEpochMs: justNow }], []],
    [
      "while Telegram's list was fetched before the payment",
      [],
      [{ ...book, recordedAtEpochMs: justNow }],
    ],
    [
      "when a payment is of another currency, which Telegram does not list",
      [],
      [{ ...book, currency: "EUR", creditedMinor: 0, ledgerMinor: 0 }],
    ],
    [
      "when the shop lost what a refunded person had spent",
      [payment, refund],
      [{ ...refunded, debitedMinor: 400, ledgerMinor: 600 }],
    ],
  ] as const)("%s", (_, listed, booked) => {
    expect(kinds(listed, booked)).toEqual([]);
  });
});

describe("the books differ", () => {
  test.each([
    ["payment-missing", [payment], []],
    ["refund-missing", [payment, refund], [book]],
    ["payment-not-listed", [], [book]],
    ["refund-not-listed", [payment], [refunded]],
    ["refund-not-made", [payment], [asked]],
    ["payment-differs", [{ ...payment, total: 50 }], [book]],
    ["payment-differs", [{ ...payment, userId: 8 }], [book]],
    ["ledger-differs", [payment], [{ ...book, ledgerMinor: 0 }]],
    ["ledger-differs", [payment], [{ ...book, ledgerMinor: 2_000 }]],
  ] as const)("%s", (kind, listed, booked) => {
    expect(kinds(listed, booked)).toEqual([kind]);
  });

  test("a missing payment comes before its missing refund, with all that is needed to add them", () => {
    expect(findDifferences([refund, payment], [], nowEpochMs)).toEqual([
      { kind: "payment-missing", chargeId: "stx1", total: 100, listed: payment },
      { kind: "refund-missing", chargeId: "stx1", total: 100, listed: refund },
    ]);
  });
});

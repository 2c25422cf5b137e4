/**
 * Priority: tests that one claim in four goes to an aged head first, however claims are batched.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { decideAgedLimit } from "../../../bot/utils/message-queue/priority-rules.ts";

test("over any series of claims the aged share is a quarter", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (limits) => {
      let claims = 0;
      let aged = 0;
      for (const limit of limits) {
        const share = decideAgedLimit(claims, limit);
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(limit);
        claims += limit;
        aged += share;
      }
      expect(aged).toBe(Math.floor(claims / 4));
    }),
  );
});

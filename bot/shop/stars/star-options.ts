/** Star options: what the commands and updates of top-ups need beside the options of all commands. */
import type { Transaction } from "../../core/transaction.ts";
import type { TopupRules } from "./topup-rules.ts";

export interface StarOptions extends TopupRules {
  /** Whom /paysupport names; default: nobody. */
  readonly paymentSupport?: string | undefined;
  /** Page with the whole terms; default: there is none. */
  readonly termsUrl?: string | undefined;
  /** Whether this person may pay, asked at every check-out. Default: everybody may. */
  readonly mayPay?: (tx: Transaction, userId: number) => Promise<boolean>;
}

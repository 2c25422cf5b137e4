/**
 * Star texts: hold what the shop says about top-ups, payments and their refunds, in every language.
 *
 * English is the reference, as in commands/texts.ts. Amounts are already formatted.
 */
import type { Language } from "../catalogue.ts";
import type { DifferenceKind } from "./reconciliation-rules.ts";

const en = {
  topup: "How much would you like to add? You pay with Telegram Stars.",
  topupClosed: "Top-ups are not available at the moment.",
  offer: (stars: string, amount: string) => `⭐ ${stars} → ${amount}`,
  // Telegram takes at most 32 characters for the title and 255 for the description.
  invoiceTitle: (amount: string) => `Top-up of ${amount}`,
  invoiceDescription: (stars: string, amount: string) =>
    `${amount} for your balance in this shop, for ${stars} Telegram Stars.`,
  withdrawn: "This amount is no longer offered. You were not charged. Send /topup to choose again.",
  blocked: "You cannot pay here. You were not charged.",
  credited: (amount: string, balance: string, charge: string) =>
    `Thank you! ${amount} was added. Your balance is now ${balance}.\n\nPayment number: ${charge}`,
  creditedInGroup: "Thank you! Your payment has arrived. Message me privately for your balance.",
  kept: (charge: string) =>
    `Your payment has arrived, but could not be added to your balance. Send /paysupport.\n\n` +
    `Payment number: ${charge}`,
  refunded: (stars: string, amount: string, charge: string) =>
    `${stars} Telegram Stars are returned to you, and ${amount} was taken from your balance.\n\n` +
    `Payment number: ${charge}`,
  paySupport: (contact: string) =>
    "Questions about a payment, or a refund? Please send the payment number; it is in the message " +
    `that confirmed the payment.${contact}\n\n` +
    "Please do not ask Telegram's support or @BotSupport: they cannot help with purchases made here.",
  paySupportContact: (contact: string) => `\n\nWrite to: ${contact}`,
  terms: (link: string) =>
    "Terms of this shop\n\n" +
    "1. Top-ups are paid with Telegram Stars and are added to your balance as soon as Telegram " +
    "reports the payment, once per payment.\n" +
    "2. The balance buys what this shop sells. It is not paid out in money.\n" +
    "3. A payment that you have not spent can be refunded in Stars: see /paysupport.\n" +
    "4. The shop answers for what it sells. Telegram does not, and its support cannot help with " +
    `purchases made here.${link}`,
  termsLink: (url: string) => `\n\nThe whole terms: ${url}`,

  refundUsage: "Send the payment number: /refund stx…",
  refundUnknown: "There is no payment with this number.",
  refundBefore: "This payment was refunded before.",
  refundSpent: (credited: string, balance: string) =>
    `Not refunded: the payment brought ${credited}, and the balance is ${balance}. The rest was ` +
    "spent. Cancel an order first.",
  refundAsked: (stars: string, amount: string, user: string) =>
    `Refund of ${stars} Stars to user ${user} is on its way; ${amount} was debited.`,
  refundAskedAgain: (stars: string, user: string) =>
    `Telegram is asked again to refund ${stars} Stars to user ${user}. Nothing more was debited.`,

  booksAgree: (payments: string) => `The books agree with Telegram. Transactions: ${payments}`,
  booksSettled: (count: string) => `Missing and now added: ${count}`,
  booksOpen: (count: string) => `To look at: ${count}`,
  difference: (charge: string, stars: string, kind: string) => `${charge} (⭐ ${stars}): ${kind}`,
  differences: {
    "payment-missing": "Telegram has this payment, the books do not",
    "refund-missing": "Telegram has refunded it, the books do not say so",
    "payment-not-listed": "the books have this payment, Telegram does not",
    "refund-not-listed": "the books say it was refunded, Telegram does not",
    "refund-not-made": "a refund was asked for, and Telegram has not made it",
    "payment-differs": "payer or Stars are not the same in the books and at Telegram",
    "ledger-differs": "the payment and its ledger entries do not agree",
  } satisfies Record<DifferenceKind, string> as Record<DifferenceKind, string>,
};

/** The texts that every language must have. */
export type StarTexts = typeof en;

const zh: StarTexts = {
  topup: "您想充值多少？使用 Telegram Stars 支付。",
  topupClosed: "暂不提供充值。",
  offer: (stars, amount) => `⭐ ${stars} → ${amount}`,
  invoiceTitle: (amount) => `充值 ${amount}`,
  invoiceDescription: (stars, amount) => `支付 ${stars} Telegram Stars，余额增加 ${amount}。`,
  withdrawn: "该充值金额已停止提供，未扣款。发送 /topup 可重新选择。",
  blocked: "您无法在此支付，未扣款。",
  credited: (amount, balance, charge) =>
    `谢谢！已充值 ${amount}，当前余额 ${balance}。\n\n支付编号：${charge}`,
  creditedInGroup: "谢谢！您的付款已到账。如需查看余额，请与我私聊。",
  kept: (charge) => `您的付款已到账，但未能计入余额。请发送 /paysupport。\n\n支付编号：${charge}`,
  refunded: (stars, amount, charge) =>
    `已退还 ${stars} Telegram Stars，并从余额中扣除 ${amount}。\n\n支付编号：${charge}`,
  paySupport: (contact) =>
    `对付款有疑问或需要退款？请提供支付编号（见付款确认消息）。${contact}\n\n` +
    "请不要联系 Telegram 官方客服或 @BotSupport，他们无法处理在本店的购买。",
  paySupportContact: (contact) => `\n\n联系方式：${contact}`,
  terms: (link) =>
    "本店服务条款\n\n" +
    "1. 充值使用 Telegram Stars 支付，Telegram 通知付款成功后立即计入余额，每笔付款只计入一次。\n" +
    "2. 余额用于购买本店商品，不可提现。\n" +
    "3. 尚未花费的付款可以退还 Stars：见 /paysupport。\n" +
    `4. 本店对所售商品负责。Telegram 不负责，其客服也无法处理在本店的购买。${link}`,
  termsLink: (url) => `\n\n完整条款：${url}`,

  refundUsage: "请附上支付编号：/refund stx…",
  refundUnknown: "没有这个编号的付款。",
  refundBefore: "该付款此前已退款。",
  refundSpent: (credited, balance) =>
    `未退款：该付款充值 ${credited}，当前余额只有 ${balance}，其余已花费。请先取消订单。`,
  refundAsked: (stars, amount, user) =>
    `正在向用户 ${user} 退还 ${stars} Stars，已从余额扣除 ${amount}。`,
  refundAskedAgain: (stars, user) =>
    `已再次请求 Telegram 向用户 ${user} 退还 ${stars} Stars，未重复扣款。`,

  booksAgree: (payments) => `账目与 Telegram 一致。交易数：${payments}`,
  booksSettled: (count) => `此前缺失、现已补记：${count}`,
  booksOpen: (count) => `需要核查：${count}`,
  difference: (charge, stars, kind) => `${charge}（⭐ ${stars}）：${kind}`,
  differences: {
    "payment-missing": "Telegram 有这笔付款，账目中没有",
    "refund-missing": "Telegram 已退款，账目中没有记录",
    "payment-not-listed": "账目中有这笔付款，Telegram 没有",
    "refund-not-listed": "账目记为已退款，Telegram 没有退款",
    "refund-not-made": "已请求退款，Telegram 尚未退款",
    "payment-differs": "账目与 Telegram 的付款人或 Stars 数不一致",
    "ledger-differs": "付款与其账目明细不一致",
  },
};

const catalogue: Readonly<Record<Language, StarTexts>> = { zh, en };

export function starTexts(language: Language): StarTexts {
  return catalogue[language];
}

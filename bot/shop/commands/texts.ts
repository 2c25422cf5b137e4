/**
 * Texts: hold everything the bot says, in every language.
 *
 * English is the reference: if another language lacks a text or takes other arguments, it does not
 * compile. Everything is sent as plain text, so nothing needs escaping. Amounts, dates and names
 * are already formatted (format.ts).
 */
import type { Language } from "../catalogue.ts";

const en = {
  commands: {
    start: "Open your account",
    balance: "Your balance and last entries",
    shop: "Browse products and buy",
    topup: "Add to your balance with Telegram Stars",
    orders: "Your orders and refunds",
    note: "Add a note to an order",
    export: "Export your personal data",
    language: "Choose your language",
    support: "Write to the people behind this shop",
    forget: "Delete your personal data",
    paysupport: "Help with a payment",
    terms: "Terms of this shop",
    help: "What this bot can do",
  },

  someone: "friend",
  greeting: (name: string, balance: string) =>
    `Hello, ${name}! Your account is open.\n\nBalance: ${balance}`,
  greetingAgain: (name: string, balance: string) => `Welcome back, ${name}!\n\nBalance: ${balance}`,
  greetingInGroup: (name: string) =>
    `Hello, ${name}! Your account is open. Message me privately for your balance and the shop.`,
  begin: "/shop shows the products, /help shows what I can do.",
  openMiniApp: "Open the app",
  privateOnly: "Balance, shop and orders are private. Please message me privately.",
  openPrivateChat: "Open private chat",
  help: (commands: string) => `This is what I can do:\n\n${commands}\n\nAll times are in UTC.`,

  balance: (balance: string) => `Balance: ${balance}`,
  lastEntries: "Last entries:",
  noEntries: "No entries yet.",
  entry: (date: string, amount: string, kind: string) => `${date}\n${amount}  ${kind}`,
  entryKinds: {
    welcome: "Welcome balance",
    purchase: "Purchase",
    refund: "Refund",
    topup: "Top-up",
    "topup-refund": "Top-up refunded",
    credit: "Credited by the shop",
    debit: "Debited by the shop",
  },

  shop: "What would you like? Choose a product to see its details. You will not be charged yet.",
  confirm: (name: string, description: string, price: string) =>
    `${name}\n${description}\n\nPrice: ${price}\nBuy it?`,
  confirmButton: (price: string) => `Buy for ${price}`,
  dropButton: "No, thanks",
  bought: (balance: string) => `Thank you! Your balance is now ${balance}.`,
  boughtToast: (price: string) => `Paid: ${price}`,
  boughtBefore: "This was bought before; you were charged once.",
  dropped: "OK, nothing was bought. Send /shop to see the list again.",
  insufficient: (price: string, balance: string) =>
    `Your balance of ${balance} is not enough for ${price}. Nothing was bought.`,
  priceChanged: (price: string) =>
    `The price has changed to ${price}. Nothing was bought. Choose the product again in /shop.`,
  unknownProduct: "This product is no longer sold. Nothing was bought. Send /shop to see the list.",

  soldOut: "This product is sold out. Nothing was bought.",
  soldOutMark: "sold out",
  left: (count: string) => `Left: ${count}`,
  allCategories: "‹ All categories",
  code: (code: string) => `Your code: ${code}`,
  blocked: "You cannot use this shop.",

  noOrders: "You have no orders yet. Send /shop to see the products.",
  orders: (page: string, pages: string, total: string) =>
    `Your orders, newest first: ${total}\nPage ${page} of ${pages}`,
  orderButton: (id: string, name: string, status: string) => `#${id} ${name} · ${status}`,
  previousPage: "‹ Newer",
  nextPage: "Older ›",
  allOrders: "All orders",
  order: (id: string, name: string, price: string, date: string, status: string) =>
    `Order #${id}\n${name}\nPrice: ${price}\nBought: ${date}\nStatus: ${status}`,
  orderStatuses: { paid: "paid", done: "done", cancelled: "cancelled" },
  cancelledAt: (date: string) => `Cancelled and refunded: ${date}`,
  cancellableUntil: (date: string) => `Can be cancelled until ${date}`,
  cancelButton: (price: string) => `Cancel and refund ${price}`,
  refunded: (price: string, balance: string) => `Refunded ${price}. Balance: ${balance}`,
  refundedBefore: "This order was already cancelled, and you were refunded once.",
  cancelTooLate: "This order can no longer be cancelled.",
  orderNotFound: "There is no such order in your account.",
  note: (note: string) => `Note: ${note}`,
  noteUsage: (lengthMax: string) =>
    "Send the order number and your note, for example: /note 12 leave it at the door\n" +
    `A note can have up to ${lengthMax} characters. Send only /note 12 to remove it.`,
  noteKept: "Your note is kept.",
  noteRemoved: "The note is removed.",

  exportCaption: "This is everything stored about you.",
  exportCaptionCut: (orders: string, entries: string) =>
    `This is the data stored about you, with your last ${orders} orders and ${entries} entries.`,
  askToForget:
    "This deletes your name, username, language, notes and tickets, and your requests that failed and were " +
    "saved.\n\n" +
    "Your account stays, with its balance, orders and entries, linked only to your Telegram ID. The " +
    "money is still yours, and you can keep using it.",
  forgetButton: "Delete",
  keepButton: "No, keep it",
  forgotten: (notes: string) =>
    `Deleted. Notes and messages deleted: ${notes}. We store no personal data about you until you send /start.`,
  notForgotten: "OK, nothing was deleted.",

  chooseLanguage: "Which language shall I speak? / 请选择语言：",
  automaticLanguage: "As in Telegram",
  languageChosen: "OK, I speak English now.",
  languageAutomatic: "OK, I speak the language of your Telegram.",

  askSupport: "What is it about? Write it in one message, and the shop will answer you here.",
  askSupportAgain: (id: string) =>
    `Your ticket #${id} is open: everything you write here without a slash reaches the shop.`,
  ticketOpened: (id: string) =>
    `Your ticket #${id} is open. The shop will answer you here; until it is closed, everything you write reaches it.`,
  ticketWords: (id: string) => `Added to your ticket #${id}.`,
  closeTicket: "Close the ticket",
  ticketClosed: (id: string) => `Your ticket #${id} is closed. /support opens a new one.`,
  ticketAnswer: (id: string, words: string) => `Answer to your ticket #${id}:\n\n${words}`,
  noSupport: "Nobody answers here at present.",

  app: {
    shop: "Shop",
    orders: "My orders",
    noOrders: "You have no orders yet.",
    more: "Show older orders",
    askToBuy: "Buy it?",
    askToCancel: (id: string) => `Cancel order #${id}?`,
    back: "Back",
    close: "OK",
    waiting: "This takes longer than usual…",
    refused: "This is not possible now. Please try again in a moment.",
  },

  unknownText: "I understand commands only. Send /help to see them.",
  unknownCommand: "I do not know this command. Send /help to see all commands.",
  notText: "I can only read text. Send /help to see what I can do.",
  tooManyRequests: "You are going too fast. Please wait a moment and try again.",
  staleButton: "This button no longer works. Please start again with /shop or /orders.",
  failure:
    "Sorry, something went wrong and your request could not be completed. " +
    "It was saved, and the operators can run it again.",
};

/** The texts that every language must have. */
export type Texts = typeof en;

const zh: Texts = {
  commands: {
    start: "开通账户",
    balance: "查看余额和最近明细",
    shop: "浏览商品并购买",
    topup: "用 Telegram Stars 充值",
    orders: "我的订单与退款",
    note: "给订单添加备注",
    export: "导出我的个人数据",
    language: "选择语言",
    support: "联系客服",
    forget: "删除我的个人数据",
    paysupport: "支付问题求助",
    terms: "服务条款",
    help: "查看使用说明",
  },

  someone: "朋友",
  greeting: (name, balance) => `${name}，您好！您的账户已开通。\n\n余额：${balance}`,
  greetingAgain: (name, balance) => `${name}，欢迎回来！\n\n余额：${balance}`,
  greetingInGroup: (name) => `${name}，您好！您的账户已开通。如需查看余额和商品，请与我私聊。`,
  begin: "发送 /shop 浏览商品，发送 /help 查看使用说明。",
  openMiniApp: "打开小程序",
  privateOnly: "余额、商品和订单属于个人信息，请与我私聊。",
  openPrivateChat: "打开私聊",
  help: (commands) => `您可以使用以下命令：\n\n${commands}\n\n所有时间均为 UTC。`,

  balance: (balance) => `余额：${balance}`,
  lastEntries: "最近明细：",
  noEntries: "暂无明细。",
  entry: (date, amount, kind) => `${date}\n${amount}  ${kind}`,
  entryKinds: {
    welcome: "新用户赠送",
    purchase: "购买",
    refund: "退款",
    topup: "充值",
    "topup-refund": "充值退款",
    credit: "商家入账",
    debit: "商家扣款",
  },

  shop: "请选择商品查看详情，此时不会扣款。",
  confirm: (name, description, price) => `${name}\n${description}\n\n价格：${price}\n确定购买吗？`,
  confirmButton: (price) => `支付 ${price}`,
  dropButton: "不买了",
  bought: (balance) => `谢谢惠顾！当前余额 ${balance}。`,
  boughtToast: (price) => `已支付 ${price}`,
  boughtBefore: "您此前已购买成功，只扣款一次。",
  dropped: "好的，未购买任何商品。发送 /shop 可重新浏览。",
  insufficient: (price, balance) => `余额 ${balance} 不足以支付 ${price}，购买未完成。`,
  priceChanged: (price) => `价格已变为 ${price}，购买未完成。请发送 /shop 重新选择。`,
  unknownProduct: "该商品已下架，购买未完成。发送 /shop 可重新浏览。",

  soldOut: "该商品已售罄，购买未完成。",
  soldOutMark: "已售罄",
  left: (count) => `剩余：${count}`,
  allCategories: "‹ 全部分类",
  code: (code) => `您的兑换码：${code}`,
  blocked: "您无法使用本店。",

  noOrders: "您还没有订单。发送 /shop 查看商品。",
  orders: (page, pages, total) => `您的订单（最新在前）：共 ${total} 笔\n第 ${page} / ${pages} 页`,
  orderButton: (id, name, status) => `#${id} ${name} · ${status}`,
  previousPage: "‹ 较新",
  nextPage: "较早 ›",
  allOrders: "全部订单",
  order: (id, name, price, date, status) =>
    `订单 #${id}\n${name}\n价格：${price}\n购买时间：${date}\n状态：${status}`,
  orderStatuses: { paid: "已支付", done: "已完成", cancelled: "已取消" },
  cancelledAt: (date) => `已取消并退款：${date}`,
  cancellableUntil: (date) => `可取消至 ${date}`,
  cancelButton: (price) => `取消并退款 ${price}`,
  refunded: (price, balance) => `已退款 ${price}，余额 ${balance}`,
  refundedBefore: "该订单此前已取消，只退款一次。",
  cancelTooLate: "该订单已超过可取消的时限。",
  orderNotFound: "您的账户中没有该订单。",
  note: (note) => `备注：${note}`,
  noteUsage: (lengthMax) =>
    `请发送订单号和备注，例如：/note 12 放在门口\n备注最多 ${lengthMax} 个字符；只发送 /note 12 可删除备注。`,
  noteKept: "备注已保存。",
  noteRemoved: "备注已删除。",

  exportCaption: "这是我们保存的关于您的全部数据。",
  exportCaptionCut: (orders, entries) =>
    `这是我们保存的关于您的数据，包括最近 ${orders} 笔订单和 ${entries} 条明细。`,
  askToForget:
    "这将删除您的姓名、用户名、语言、备注和工单内容，以及您处理失败后被保存的请求。\n\n" +
    "您的账户会保留，其中的余额、订单和明细只与您的 Telegram ID 关联：钱仍是您的，您可以继续使用。",
  forgetButton: "删除",
  keepButton: "不，保留",
  forgotten: (notes) =>
    `已删除，其中备注和消息 ${notes} 条。在您再次发送 /start 之前，我们不会保存您的个人信息。`,
  notForgotten: "好的，未删除任何数据。",

  chooseLanguage: "请选择语言 / Which language shall I speak?",
  automaticLanguage: "与 Telegram 一致",
  languageChosen: "好的，现在使用中文。",
  languageAutomatic: "好的，使用您 Telegram 的语言。",

  askSupport: "请用一条消息说明您的问题，商家会在这里回复您。",
  askSupportAgain: (id) => `您的工单 #${id} 处理中：您在这里发送的文字（命令除外）都会转给商家。`,
  ticketOpened: (id) =>
    `您的工单 #${id} 已创建。商家会在这里回复您；工单关闭之前，您发送的文字都会转给商家。`,
  ticketWords: (id) => `已补充到您的工单 #${id}。`,
  closeTicket: "关闭工单",
  ticketClosed: (id) => `您的工单 #${id} 已关闭。发送 /support 可新建工单。`,
  ticketAnswer: (id, words) => `您的工单 #${id} 有回复：\n\n${words}`,
  noSupport: "暂时没有客服。",

  app: {
    shop: "商品",
    orders: "我的订单",
    noOrders: "您还没有订单。",
    more: "查看更早的订单",
    askToBuy: "确定购买吗？",
    askToCancel: (id) => `取消订单 #${id}？`,
    back: "返回",
    close: "好的",
    waiting: "处理时间比平时长，请稍候…",
    refused: "现在无法操作，请稍后再试。",
  },

  unknownText: "我只能识别命令。发送 /help 查看全部命令。",
  unknownCommand: "没有这个命令。发送 /help 查看全部命令。",
  notText: "我只能识别文字消息。发送 /help 查看使用说明。",
  tooManyRequests: "您的操作太频繁了，请稍后再试。",
  staleButton: "该按钮已失效，请发送 /shop 或 /orders 重新开始。",
  failure: "抱歉，出了点问题，您的请求未能完成。请求已保存，运营人员可以重新处理。",
};

const catalogue: Readonly<Record<Language, Texts>> = { zh, en };

/** A command's name without the slash. */
export type CommandName = keyof Texts["commands"];

/** Every language the bot speaks; the last is the default. */
export const languages: readonly Language[] = ["zh", "en"];

/**
 * Returns the language to use with a user.
 *
 * @param languageCode Telegram's IETF tag for the user, such as "zh-hans"; not trusted.
 */
export function languageOf(languageCode: string | undefined): Language {
  return languageCode?.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export function texts(language: Language): Texts {
  return catalogue[language];
}

/** Returns the commands and descriptions for `setMyCommands`, in menu order. */
export function commandList(
  language: Language,
): readonly { readonly command: CommandName; readonly description: string }[] {
  const { commands } = texts(language);
  const names = Object.keys(commands) as CommandName[];
  return names.map((command) => ({ command, description: commands[command] }));
}

/** Returns the text sent to a user once when their update was given up. */
export function failureNotice(languageCode: string | undefined): string {
  return texts(languageOf(languageCode)).failure;
}

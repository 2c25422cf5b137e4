/**
 * Admin texts: what administrators read, and what others read because of their acts, in every language.
 *
 * As in commands/texts.ts, English is the reference, and everything is plain text.
 */
import type { Language } from "../catalogue.ts";

const en = {
  menu: "What would you like to do?",
  menuButton: "‹ Menu",
  orders: "Orders to fulfil",
  people: "People",
  goods: "Products",
  figures: "Figures",
  deadLetters: "Dead letters",
  troubles: "Holds and incidents",
  pools: "Pause and resume",
  neverMind: "Never mind",
  forgotten: "OK, I expect nothing.",
  refresh: "Refresh",
  older: "More ›",
  newer: "‹ Back",

  noOrders: "No order waits.",
  orderList: (total: string) => `Orders to fulfil, oldest first: ${total}`,
  orderButton: (id: string, name: string, buyer: string) => `#${id} ${name} · ${buyer}`,
  buyer: (name: string, id: string) => `Buyer: ${name} (${id})`,
  doneButton: "Done",
  refuseButton: "Refuse and refund",
  tellButton: "Write to the buyer",
  askRefuse: (id: string) => `Why is order #${id} refused? The buyer will read it.`,
  askTell: (id: string) => `What shall the buyer of order #${id} read?`,
  orderNotOpen: "There is no such order, or it is no longer to fulfil.",
  orderDone: (id: string) => `Order #${id} is done; the buyer was told.`,
  orderRefused: (id: string, price: string) =>
    `Order #${id} is refused, ${price} refunded; the buyer was told.`,
  buyerTold: (id: string) => `The buyer of order #${id} was told.`,
  toldDone: (id: string, name: string) => `Your order #${id} is done: ${name}`,
  toldRefused: (id: string, name: string, price: string, reason: string, balance: string) =>
    `Your order #${id} was refused: ${name}\n${reason}\n\nRefunded ${price}. Balance: ${balance}`,
  toldAboutOrder: (id: string, words: string) => `About your order #${id}:\n\n${words}`,

  askPerson: "Whom do you look for? Send an @username or an id.",
  noPerson: "There is no such person here.",
  foundPeople: "Several people have used this username:",
  person: (name: string, id: string, since: string, balance: string, orders: string) =>
    `${name}\nId: ${id}\nSince: ${since}\nBalance: ${balance}\nOrders: ${orders}`,
  username: (name: string) => `Username: @${name}`,
  isBlocked: "Blocked.",
  lastActs: "Last acts:",
  creditButton: "Credit",
  debitButton: "Debit",
  blockButton: "Block",
  unblockButton: "Unblock",
  entriesButton: "Entries",
  askCredit: (id: string) => `How much, and why? For example: 12.50 broken mug\n\nCredits ${id}.`,
  askDebit: (id: string) => `How much, and why? For example: 12.50 paid twice\n\nDebits ${id}.`,
  askBlock: (id: string) => `Why is ${id} blocked? Only administrators will read it.`,
  amountNotRead: "I did not understand the amount, or the reason is missing. Nothing was booked.",
  booked: (id: string, change: string, balance: string) => `${id}: ${change}. Balance: ${balance}`,
  overdrawn: (balance: string) => `The balance is ${balance}. Nothing was booked.`,
  toldBooked: (change: string, reason: string, balance: string) =>
    `${change}\n${reason}\n\nBalance: ${balance}`,
  blocked: (id: string) => `${id} is blocked.`,
  unblocked: (id: string) => `${id} is no longer blocked.`,
  notYourself: "You cannot block an administrator.",
  unchanged: "Nothing has changed.",
  toldBlocked: "You cannot use this shop any more.",
  toldUnblocked: "You can use this shop again.",

  deadLetterList: (total: string) => `Dead letters, newest first: ${total}`,
  noDeadLetters: "There are no dead letters.",
  deadLetter: (
    id: string,
    type: string,
    reason: string,
    lane: string,
    born: string,
    died: string,
  ) =>
    `Dead letter #${id}\nType: ${type}\nReason: ${reason}\nLane: ${lane}\nQueued: ${born}\nGiven up: ${died}`,
  attempts: (attempts: string, deaths: string) => `Attempts: ${attempts}, deaths: ${deaths}`,
  errors: (codes: string) => `Errors: ${codes}`,
  putBackButton: "Put back",
  putBack: (id: string) => `Dead letter #${id} is back in the queue.`,
  noDeadLetter: "This dead letter is no longer there.",

  noHolds: "Nothing is held back.",
  holds: "Held back at present:",
  hold: (kind: string, target: string, since: string, reason: string) =>
    `${kind} (${target}) since ${since}: ${reason}`,
  noIncidents: "No incidents are on record.",
  incidents: "Last incidents:",
  incident: (subject: string, trouble: string, from: string, to: string) =>
    `${subject}: ${trouble}\n${from} – ${to}`,
  stillOpen: "open",

  poolList:
    "Pools. The one that handles updates can be paused in the dashboard only, because it carries this menu.",
  running: (pool: string) => `${pool}: runs`,
  paused: (pool: string) => `${pool}: paused`,
  pauseButton: (pool: string) => `Pause ${pool}`,
  resumeButton: (pool: string) => `Resume ${pool}`,
  poolPaused: (pool: string) => `${pool} is paused; what it sends waits on disk.`,
  poolResumed: (pool: string) => `${pool} runs.`,

  today: "Today (UTC)",
  lastDays: "Last 30 days",
  figure: (title: string, turnover: string, orders: string, people: string) =>
    `${title}\nTurnover: ${turnover}\nOrders: ${orders}\nNew people: ${people}`,

  goodsList: "Products. 🙈 is hidden, ✏️ differs from the file.",
  product: (name: string, sku: string, price: string) => `${name}\n${sku}\nPrice: ${price}`,
  left: (count: string) => `Left: ${count}`,
  codesLeft: (count: string) => `Codes left: ${count}`,
  uncounted: "Pieces are not counted.",
  isHidden: "Hidden.",
  priceButton: "Price",
  stockButton: "Stock",
  codesButton: "Add codes",
  pictureButton: "Picture",
  hideButton: "Hide",
  showButton: "Show",
  resetButton: "Back to the file",
  askPrice: (name: string) => `What does ${name} cost? For example: 12.50`,
  askStock: (name: string) => `How many of ${name} are left?`,
  askCodes: (name: string) => `Send the codes of ${name}, one on each line.`,
  askPicture: (name: string) => `Send a photo of ${name}.`,
  notUnderstood: "I did not understand that. Nothing was changed.",
  noProduct: "There is no such product in the catalogue.",
  changed: "Changed.",
  codesAdded: (added: string, known: string) =>
    `Codes added: ${added}. Left out because they are known, or not 1 to 200 characters: ${known}.`,
  fileProblem:
    "The catalogue file is not used, because it has problems; the one before it is in force:",
  fileTaken: (products: string) => `The catalogue file was read again. Products: ${products}`,

  ticket: (id: string, name: string, userId: string, words: string) =>
    `#T${id} ${name} (${userId})\n\n${words}\n\nAnswer by replying to this message.`,
  ticketAnswered: (id: string, words: string) => `#T${id} was answered:\n\n${words}`,
  answerSent: (id: string) => `#T${id}: your answer was sent.`,
  noTicket: "There is no such ticket.",
  closeTicketButton: "Close the ticket",
  ticketClosed: (id: string) => `#T${id} is closed.`,
};

/** The texts that every language must have. */
export type AdminTexts = typeof en;

const zh: AdminTexts = {
  menu: "请选择操作：",
  menuButton: "‹ 菜单",
  orders: "待处理订单",
  people: "用户",
  goods: "商品",
  figures: "统计",
  deadLetters: "死信",
  troubles: "限制与事件",
  pools: "暂停与恢复",
  neverMind: "取消",
  forgotten: "好的，已取消。",
  refresh: "刷新",
  older: "更多 ›",
  newer: "‹ 返回",

  noOrders: "没有待处理订单。",
  orderList: (total) => `待处理订单（最早在前）：${total}`,
  orderButton: (id, name, buyer) => `#${id} ${name} · ${buyer}`,
  buyer: (name, id) => `买家：${name}（${id}）`,
  doneButton: "完成",
  refuseButton: "拒绝并退款",
  tellButton: "联系买家",
  askRefuse: (id) => `为什么拒绝订单 #${id}？买家会看到原因。`,
  askTell: (id) => `请发送给订单 #${id} 买家的内容。`,
  orderNotOpen: "没有该订单，或该订单已处理。",
  orderDone: (id) => `订单 #${id} 已完成，已通知买家。`,
  orderRefused: (id, price) => `订单 #${id} 已拒绝，退款 ${price}，已通知买家。`,
  buyerTold: (id) => `已通知订单 #${id} 的买家。`,
  toldDone: (id, name) => `您的订单 #${id} 已完成：${name}`,
  toldRefused: (id, name, price, reason, balance) =>
    `您的订单 #${id} 未能完成：${name}\n${reason}\n\n已退款 ${price}，余额 ${balance}`,
  toldAboutOrder: (id, words) => `关于您的订单 #${id}：\n\n${words}`,

  askPerson: "请发送 @用户名 或 ID。",
  noPerson: "没有该用户。",
  foundPeople: "多人用过该用户名：",
  person: (name, id, since, balance, orders) =>
    `${name}\nID：${id}\n注册：${since}\n余额：${balance}\n订单：${orders}`,
  username: (name) => `用户名：@${name}`,
  isBlocked: "已封禁。",
  lastActs: "最近操作：",
  creditButton: "入账",
  debitButton: "扣款",
  blockButton: "封禁",
  unblockButton: "解除封禁",
  entriesButton: "明细",
  askCredit: (id) => `请发送金额和原因，例如：12.50 杯子破损\n\n为 ${id} 入账。`,
  askDebit: (id) => `请发送金额和原因，例如：12.50 重复付款\n\n从 ${id} 扣款。`,
  askBlock: (id) => `为什么封禁 ${id}？只有管理员会看到。`,
  amountNotRead: "无法识别金额，或缺少原因，未记账。",
  booked: (id, change, balance) => `${id}：${change}，余额 ${balance}`,
  overdrawn: (balance) => `余额为 ${balance}，未记账。`,
  toldBooked: (change, reason, balance) => `${change}\n${reason}\n\n余额 ${balance}`,
  blocked: (id) => `已封禁 ${id}。`,
  unblocked: (id) => `已解除封禁 ${id}。`,
  notYourself: "不能封禁管理员。",
  unchanged: "没有变化。",
  toldBlocked: "您无法再使用本店。",
  toldUnblocked: "您可以重新使用本店。",

  deadLetterList: (total) => `死信（最新在前）：${total}`,
  noDeadLetters: "没有死信。",
  deadLetter: (id, type, reason, lane, born, died) =>
    `死信 #${id}\n类型：${type}\n原因：${reason}\n通道：${lane}\n入队：${born}\n放弃：${died}`,
  attempts: (attempts, deaths) => `尝试 ${attempts} 次，进程死亡 ${deaths} 次`,
  errors: (codes) => `错误：${codes}`,
  putBackButton: "放回队列",
  putBack: (id) => `死信 #${id} 已放回队列。`,
  noDeadLetter: "该死信已不存在。",

  noHolds: "没有限制。",
  holds: "当前限制：",
  hold: (kind, target, since, reason) => `${kind}（${target}）自 ${since}：${reason}`,
  noIncidents: "没有事件记录。",
  incidents: "最近事件：",
  incident: (subject, trouble, from, to) => `${subject}：${trouble}\n${from} – ${to}`,
  stillOpen: "未结束",

  poolList: "工作池。处理更新的工作池承载本菜单，只能在监控面板中暂停。",
  running: (pool) => `${pool}：运行中`,
  paused: (pool) => `${pool}：已暂停`,
  pauseButton: (pool) => `暂停 ${pool}`,
  resumeButton: (pool) => `恢复 ${pool}`,
  poolPaused: (pool) => `${pool} 已暂停，待发送的内容保存在磁盘上。`,
  poolResumed: (pool) => `${pool} 运行中。`,

  today: "今天（UTC）",
  lastDays: "最近 30 天",
  figure: (title, turnover, orders, people) =>
    `${title}\n营业额：${turnover}\n订单：${orders}\n新用户：${people}`,

  goodsList: "商品。🙈 已隐藏，✏️ 与文件不同。",
  product: (name, sku, price) => `${name}\n${sku}\n价格：${price}`,
  left: (count) => `剩余：${count}`,
  codesLeft: (count) => `剩余兑换码：${count}`,
  uncounted: "不计库存。",
  isHidden: "已隐藏。",
  priceButton: "价格",
  stockButton: "库存",
  codesButton: "添加兑换码",
  pictureButton: "图片",
  hideButton: "隐藏",
  showButton: "显示",
  resetButton: "恢复为文件内容",
  askPrice: (name) => `${name} 的价格是多少？例如：12.50`,
  askStock: (name) => `${name} 还剩多少件？`,
  askCodes: (name) => `请发送 ${name} 的兑换码，每行一个。`,
  askPicture: (name) => `请发送 ${name} 的照片。`,
  notUnderstood: "无法识别，未作更改。",
  noProduct: "目录中没有该商品。",
  changed: "已更改。",
  codesAdded: (added, known) =>
    `已添加 ${added} 个；${known} 个因重复或不是 1–200 个字符而未添加。`,
  fileProblem: "商品目录文件有问题，未使用，仍使用之前的目录：",
  fileTaken: (products) => `商品目录文件已重新读取，共 ${products} 件商品。`,

  ticket: (id, name, userId, words) =>
    `#T${id} ${name}（${userId}）\n\n${words}\n\n回复此消息即可答复。`,
  ticketAnswered: (id, words) => `#T${id} 已答复：\n\n${words}`,
  answerSent: (id) => `#T${id}：答复已发送。`,
  noTicket: "没有该工单。",
  closeTicketButton: "关闭工单",
  ticketClosed: (id) => `#T${id} 已关闭。`,
};

const catalogue: Readonly<Record<Language, AdminTexts>> = { zh, en };

export function adminTexts(language: Language): AdminTexts {
  return catalogue[language];
}

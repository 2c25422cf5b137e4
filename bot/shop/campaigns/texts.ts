/**
 * Broadcast texts: what administrators read about broadcasts, in every language.
 *
 * As in commands/texts.ts, English is the reference, and everything is plain text.
 */
import type { Language } from "../catalogue.ts";
import type { CampaignState, Outcome, Segment } from "./campaign-tables.ts";

const en = {
  usage:
    "Send /broadcast with the text behind it, or as a reply to the message that everybody shall get.",
  list: "The latest broadcasts:",
  listButton: "Broadcasts",
  chooseSegment:
    "Above is what people will read. Who shall get it?\n\nThe bot does not know who only reads: with a number of days, it counts who has joined or moved money since.",
  confirm: (people: string, count: string) =>
    `Above is what people will read.\n\nTo: ${people}\nThat is ${count} at present. Shall I begin?`,
  goButton: "Send",
  goPaidButton: "Send fast, paid in Stars",
  otherButton: "Somebody else",
  pauseButton: "Pause",
  resumeButton: "Go on",
  cancelButton: "Cancel",
  notNow: "That is not possible any more.",
  nobody: "There is nobody to write to.",
  card: (id: string, state: string, people: string, done: string, expected: string) =>
    `Broadcast #${id}: ${state}\nTo: ${people}\nDone: ${done} of ${expected}`,
  paid: "Paid in Stars where it is faster than Telegram's free limit.",
  notWritten: (count: string) => `Not written to: ${count}`,
  states: {
    draft: "draft",
    running: "under way",
    paused: "paused",
    cancelled: "cancelled",
    done: "done",
  } satisfies Record<CampaignState, string>,
  segments: {
    all: "everybody",
    zh: "people who read Chinese",
    en: "people who read English",
    bought: "people who bought something",
    active7: "joined, topped up or bought in 7 days",
    active30: "joined, topped up or bought in 30 days",
    active90: "joined, topped up or bought in 90 days",
  } satisfies Record<Segment, string>,
  outcomes: {
    sent: "Sent",
    blocked: "Have blocked the bot",
    gone: "Gone",
    failed: "Failed",
    unclear: "Unclear: cut off, so it may have arrived; not repeated",
  } satisfies Record<Outcome, string>,
};

type BroadcastTexts = typeof en;

const zh: BroadcastTexts = {
  usage: "发送 /broadcast 加上要群发的文字，或者用 /broadcast 回复要群发的那条消息。",
  list: "最近的群发：",
  listButton: "群发",
  chooseSegment:
    "上面就是大家会收到的内容。发给谁？\n\n机器人不知道谁只看不说：按天数筛选的，是这段时间内加入过或有过资金变动的人。",
  confirm: (people, count) =>
    `上面就是大家会收到的内容。\n\n收件人：${people}\n目前共 ${count} 人。开始发送吗？`,
  goButton: "发送",
  goPaidButton: "快速发送（用 Stars 付费）",
  otherButton: "换一批人",
  pauseButton: "暂停",
  resumeButton: "继续",
  cancelButton: "取消",
  notNow: "现在已经不能这样做了。",
  nobody: "没有可以发送的人。",
  card: (id, state, people, done, expected) =>
    `群发 #${id}：${state}\n收件人：${people}\n完成：${done} / ${expected}`,
  paid: "超出 Telegram 免费速度的部分用 Stars 付费。",
  notWritten: (count) => `没有发送：${count}`,
  states: {
    draft: "草稿",
    running: "进行中",
    paused: "已暂停",
    cancelled: "已取消",
    done: "已完成",
  },
  segments: {
    all: "所有人",
    zh: "使用中文的人",
    en: "使用英文的人",
    bought: "买过商品的人",
    active7: "7 天内加入、充值或购买的人",
    active30: "30 天内加入、充值或购买的人",
    active90: "90 天内加入、充值或购买的人",
  },
  outcomes: {
    sent: "已送达",
    blocked: "屏蔽了机器人",
    gone: "账号已不存在",
    failed: "发送失败",
    unclear: "不确定：中途断开，可能已送达；不再重发",
  },
};

const all: Readonly<Record<Language, BroadcastTexts>> = { en, zh };

export function broadcastTexts(language: Language): BroadcastTexts {
  return all[language];
}

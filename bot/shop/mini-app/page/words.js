/** Words: the few that the page says before the server has answered. All others come from the server. */
const words = {
  en: {
    unreachable: "The shop cannot be reached. Trying again…",
    reopen: "This page has been open for too long. Close it and open it again.",
    outside: "Please open this page from the bot in Telegram.",
    close: "Close",
  },
  zh: {
    unreachable: "暂时无法连接商店，正在重试…",
    reopen: "页面打开时间过长，请关闭后重新打开。",
    outside: "请在 Telegram 中从机器人打开此页面。",
    close: "关闭",
  },
};

/** @param language An IETF tag. */
export function firstWords(language) {
  return language.toLowerCase().startsWith("zh") ? words.zh : words.en;
}

/**
 * Table: every method the sandbox knows, by its name in lower case.
 *
 * A method that is not in the table is answered with 404; one that Telegram has but the sandbox does
 * not model, with 501.
 */
import type { ImmediateMethod, SendingMethod } from "./call.ts";
import {
  changeChat,
  getChat,
  getChatAdministrators,
  getChatMember,
  getChatMemberCount,
  leaveChat,
  moderate,
  pinChatMessage,
  sendChatAction,
  setMessageReaction,
  unpinAllChatMessages,
  unpinChatMessage,
} from "./chats.ts";
import {
  deleteMessage,
  deleteMessages,
  editMessageCaption,
  editMessageMedia,
  editMessageReplyMarkup,
  editMessageText,
} from "./editing.ts";
import { getFile, sendMedia, sendMediaGroup } from "./media.ts";
import {
  answerPreCheckoutQuery,
  answerShippingQuery,
  createInvoiceLink,
  getMyStarBalance,
  getStarTransactions,
  refundStarPayment,
  sendInvoice,
} from "./payments.ts";
import { answerCallbackQuery, answerInlineQuery } from "./queries.ts";
import {
  copyMessage,
  copyMessages,
  forwardMessage,
  forwardMessages,
  sendMessage,
} from "./sending.ts";
import {
  close,
  deleteMyCommands,
  getChatMenuButton,
  getMe,
  getMyCommands,
  getText,
  logOut,
  setChatMenuButton,
  setMyCommands,
  setText,
} from "./settings.ts";
import { sendContact, sendDice, sendLocation, sendPoll, sendVenue } from "./simple-content.ts";
import { deleteWebhook, getWebhookInfo, setWebhook } from "./webhooks.ts";

/** Methods under flood control; the answer is the message. */
const sending: Readonly<Record<string, SendingMethod>> = {
  sendMessage,
  sendPhoto: sendMedia("photo"),
  sendDocument: sendMedia("document"),
  sendVideo: sendMedia("video"),
  sendAnimation: sendMedia("animation"),
  sendAudio: sendMedia("audio"),
  sendVoice: sendMedia("voice"),
  sendVideoNote: sendMedia("video_note"),
  sendSticker: sendMedia("sticker"),
  sendMediaGroup,
  sendLocation,
  sendVenue,
  sendContact,
  sendDice,
  sendPoll,
  sendInvoice,
  copyMessage,
  copyMessages,
  forwardMessage,
  forwardMessages,
  editMessageText,
  editMessageCaption,
  editMessageMedia,
  editMessageReplyMarkup,
};

const immediate: Readonly<Record<string, ImmediateMethod>> = {
  getMe,
  setWebhook,
  deleteWebhook,
  getWebhookInfo,
  close,
  logOut,
  sendChatAction,
  deleteMessage,
  deleteMessages,
  answerCallbackQuery,
  answerInlineQuery,
  answerPreCheckoutQuery,
  answerShippingQuery,
  refundStarPayment,
  createInvoiceLink,
  getStarTransactions,
  getMyStarBalance,
  setMyCommands,
  getMyCommands,
  deleteMyCommands,
  setMyName: setText("name"),
  getMyName: getText("name", ({ me }) => me.first_name),
  setMyDescription: setText("description"),
  getMyDescription: getText("description", () => ""),
  setMyShortDescription: setText("short_description"),
  getMyShortDescription: getText("short_description", () => ""),
  setChatMenuButton,
  getChatMenuButton,
  getChat,
  getChatMember,
  getChatMemberCount,
  getChatMembersCount: getChatMemberCount,
  getChatAdministrators,
  getFile,
  leaveChat,
  pinChatMessage,
  unpinChatMessage,
  unpinAllChatMessages,
  setMessageReaction,
  banChatMember: moderate((room, id) => room.memberIds.delete(id)),
  kickChatMember: moderate((room, id) => room.memberIds.delete(id)),
  unbanChatMember: moderate(() => {}),
  restrictChatMember: moderate(() => {}),
  promoteChatMember: moderate(() => {}),
  setChatTitle: changeChat,
  setChatDescription: changeChat,
  setChatPhoto: changeChat,
  deleteChatPhoto: changeChat,
  setChatPermissions: changeChat,
  banChatSenderChat: changeChat,
  unbanChatSenderChat: changeChat,
  approveChatJoinRequest: changeChat,
  declineChatJoinRequest: changeChat,
  setMyDefaultAdministratorRights: () => true,
};

/** Telegram's methods that the sandbox does not model. */
const notModelled: readonly string[] = [
  "sendPaidMedia",
  "sendGame",
  "sendChecklist",
  "sendGift",
  "setGameScore",
  "getGameHighScores",
  "stopPoll",
  "editMessageLiveLocation",
  "stopMessageLiveLocation",
  "editMessageChecklist",
  "answerWebAppQuery",
  "savePreparedInlineMessage",
  "getUserProfilePhotos",
  "getUserChatBoosts",
  "editUserStarSubscription",
  "getBusinessConnection",
  "createChatInviteLink",
  "exportChatInviteLink",
  "editChatInviteLink",
  "revokeChatInviteLink",
  "createForumTopic",
  "editForumTopic",
  "closeForumTopic",
  "reopenForumTopic",
  "deleteForumTopic",
  "getForumTopicIconStickers",
  "getStickerSet",
  "getCustomEmojiStickers",
  "uploadStickerFile",
  "createNewStickerSet",
  "addStickerToSet",
  "setStickerSetThumb",
  "setPassportDataErrors",
  "getAvailableGifts",
  "verifyUser",
  "setUserEmojiStatus",
  "getMyDefaultAdministratorRights",
];

export type KnownMethod =
  | { readonly kind: "sending"; readonly name: string; readonly prepare: SendingMethod }
  | { readonly kind: "immediate"; readonly name: string; readonly run: ImmediateMethod }
  | { readonly kind: "polling"; readonly name: string }
  | { readonly kind: "not-modelled"; readonly name: string };

const table = new Map<string, KnownMethod>([
  ["getupdates", { kind: "polling", name: "getUpdates" }],
]);
for (const [name, prepare] of Object.entries(sending)) {
  table.set(name.toLowerCase(), { kind: "sending", name, prepare });
}
for (const [name, run] of Object.entries(immediate)) {
  table.set(name.toLowerCase(), { kind: "immediate", name, run });
}
for (const name of notModelled) table.set(name.toLowerCase(), { kind: "not-modelled", name });

/** @param name In lower case. */
export function methodNamed(name: string): KnownMethod | undefined {
  return table.get(name);
}

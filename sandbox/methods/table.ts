/**
 * Table: how the sandbox carries out every method of the Bot API.
 *
 * The methods and their parameters are in `../bot-api-table/methods.json`; this file says which
 * function answers each of them. A name that is not here is answered with 404.
 */

import * as botProfile from "./bot-profile.ts";
import * as business from "./business.ts";
import type { ImmediateMethod, SendingMethod } from "./call.ts";
import * as chatProfile from "./chat-profile.ts";
import * as chats from "./chats.ts";
import * as checklists from "./checklists.ts";
import * as drafts from "./drafts.ts";
import * as editing from "./editing.ts";
import * as ephemeral from "./ephemeral.ts";
import * as games from "./games.ts";
import * as gifts from "./gifts.ts";
import * as inviteLinks from "./invite-links.ts";
import * as managedBots from "./managed-bots.ts";
import * as media from "./media.ts";
import * as moderation from "./moderation.ts";
import * as paidMedia from "./paid-media.ts";
import * as payments from "./payments.ts";
import * as pins from "./pins.ts";
import * as polls from "./polls.ts";
import * as queries from "./queries.ts";
import * as reactions from "./reactions.ts";
import * as sending from "./sending.ts";
import * as settings from "./settings.ts";
import * as simpleContent from "./simple-content.ts";
import * as stickers from "./stickers.ts";
import * as stories from "./stories.ts";
import * as suggestedPosts from "./suggested-posts.ts";
import * as topics from "./topics.ts";
import * as users from "./users.ts";
import * as webhooks from "./webhooks.ts";

/** Methods under flood control; the answer is the message. */
const sendingMethods: Readonly<Record<string, SendingMethod>> = {
  sendPhoto: media.sendMedia("photo"),
  sendLivePhoto: media.sendMedia("live_photo"),
  sendDocument: media.sendMedia("document"),
  sendVideo: media.sendMedia("video"),
  sendAnimation: media.sendMedia("animation"),
  sendAudio: media.sendMedia("audio"),
  sendVoice: media.sendMedia("voice"),
  sendVideoNote: media.sendMedia("video_note"),
  sendSticker: media.sendMedia("sticker"),
  sendMessage: sending.sendMessage,
  sendRichMessage: drafts.sendRichMessage,
  sendMediaGroup: media.sendMediaGroup,
  sendPaidMedia: paidMedia.sendPaidMedia,
  sendLocation: simpleContent.sendLocation,
  sendVenue: simpleContent.sendVenue,
  sendContact: simpleContent.sendContact,
  sendDice: simpleContent.sendDice,
  sendPoll: polls.sendPoll,
  sendChecklist: checklists.sendChecklist,
  sendGame: games.sendGame,
  sendInvoice: payments.sendInvoice,
  copyMessage: sending.copyMessage,
  copyMessages: sending.copyMessages,
  forwardMessage: sending.forwardMessage,
  forwardMessages: sending.forwardMessages,
  editMessageText: editing.editMessageText,
  editMessageCaption: editing.editMessageCaption,
  editMessageMedia: editing.editMessageMedia,
  editMessageReplyMarkup: editing.editMessageReplyMarkup,
  editMessageLiveLocation: editing.editMessageLiveLocation,
  stopMessageLiveLocation: editing.stopMessageLiveLocation,
  editMessageChecklist: checklists.editMessageChecklist,
  setGameScore: games.setGameScore,
};

const immediateMethods: Readonly<Record<string, ImmediateMethod>> = {
  setMyName: botProfile.setMyName,
  getMyName: botProfile.getMyName,
  setMyDescription: botProfile.setMyDescription,
  getMyDescription: botProfile.getMyDescription,
  setMyShortDescription: botProfile.setMyShortDescription,
  getMyShortDescription: botProfile.getMyShortDescription,
  setMyProfilePhoto: botProfile.setMyProfilePhoto,
  removeMyProfilePhoto: botProfile.removeMyProfilePhoto,
  setMyDefaultAdministratorRights: botProfile.setMyDefaultAdministratorRights,
  getMyDefaultAdministratorRights: botProfile.getMyDefaultAdministratorRights,
  getBusinessConnection: business.getBusinessConnection,
  deleteBusinessMessages: business.deleteBusinessMessages,
  setBusinessAccountName: business.setBusinessAccountName,
  setBusinessAccountUsername: business.setBusinessAccountUsername,
  setBusinessAccountBio: business.setBusinessAccountBio,
  setBusinessAccountProfilePhoto: business.setBusinessAccountProfilePhoto,
  removeBusinessAccountProfilePhoto: business.removeBusinessAccountProfilePhoto,
  setBusinessAccountGiftSettings: business.setBusinessAccountGiftSettings,
  getBusinessAccountStarBalance: business.getBusinessAccountStarBalance,
  transferBusinessAccountStars: business.transferBusinessAccountStars,
  readBusinessMessage: business.readBusinessMessage,
  setChatPhoto: chatProfile.setChatPhoto,
  deleteChatPhoto: chatProfile.deleteChatPhoto,
  setChatTitle: chatProfile.setChatTitle,
  setChatDescription: chatProfile.setChatDescription,
  setChatStickerSet: chatProfile.setChatStickerSet,
  deleteChatStickerSet: chatProfile.deleteChatStickerSet,
  sendChatAction: chats.sendChatAction,
  leaveChat: chats.leaveChat,
  getChat: chats.getChat,
  getChatAdministrators: chats.getChatAdministrators,
  getChatMemberCount: chats.getChatMemberCount,
  getChatMember: chats.getChatMember,
  sendMessageDraft: drafts.sendMessageDraft,
  sendRichMessageDraft: drafts.sendRichMessageDraft,
  deleteMessage: editing.deleteMessage,
  deleteMessages: editing.deleteMessages,
  editEphemeralMessageText: ephemeral.editEphemeralMessageText,
  editEphemeralMessageMedia: ephemeral.editEphemeralMessageMedia,
  editEphemeralMessageCaption: ephemeral.editEphemeralMessageCaption,
  editEphemeralMessageReplyMarkup: ephemeral.editEphemeralMessageReplyMarkup,
  deleteEphemeralMessage: ephemeral.deleteEphemeralMessage,
  getGameHighScores: games.getGameHighScores,
  getUserGifts: gifts.getUserGifts,
  getChatGifts: gifts.getChatGifts,
  getBusinessAccountGifts: gifts.getBusinessAccountGifts,
  convertGiftToStars: gifts.convertGiftToStars,
  upgradeGift: gifts.upgradeGift,
  transferGift: gifts.transferGift,
  getAvailableGifts: gifts.getAvailableGifts,
  sendGift: gifts.sendGift,
  giftPremiumSubscription: gifts.giftPremiumSubscription,
  exportChatInviteLink: inviteLinks.exportChatInviteLink,
  createChatInviteLink: inviteLinks.createChatInviteLink,
  editChatInviteLink: inviteLinks.editChatInviteLink,
  createChatSubscriptionInviteLink: inviteLinks.createChatSubscriptionInviteLink,
  editChatSubscriptionInviteLink: inviteLinks.editChatSubscriptionInviteLink,
  revokeChatInviteLink: inviteLinks.revokeChatInviteLink,
  approveChatJoinRequest: inviteLinks.approveChatJoinRequest,
  declineChatJoinRequest: inviteLinks.declineChatJoinRequest,
  answerChatJoinRequestQuery: inviteLinks.answerChatJoinRequestQuery,
  sendChatJoinRequestWebApp: inviteLinks.sendChatJoinRequestWebApp,
  getManagedBotToken: managedBots.getManagedBotToken,
  replaceManagedBotToken: managedBots.replaceManagedBotToken,
  getManagedBotAccessSettings: managedBots.getManagedBotAccessSettings,
  setManagedBotAccessSettings: managedBots.setManagedBotAccessSettings,
  getFile: media.getFile,
  banChatMember: moderation.banChatMember,
  unbanChatMember: moderation.unbanChatMember,
  restrictChatMember: moderation.restrictChatMember,
  promoteChatMember: moderation.promoteChatMember,
  setChatAdministratorCustomTitle: moderation.setChatAdministratorCustomTitle,
  setChatMemberTag: moderation.setChatMemberTag,
  banChatSenderChat: moderation.banChatSenderChat,
  unbanChatSenderChat: moderation.unbanChatSenderChat,
  setChatPermissions: moderation.setChatPermissions,
  getMyStarBalance: payments.getMyStarBalance,
  createInvoiceLink: payments.createInvoiceLink,
  answerShippingQuery: payments.answerShippingQuery,
  answerPreCheckoutQuery: payments.answerPreCheckoutQuery,
  getStarTransactions: payments.getStarTransactions,
  refundStarPayment: payments.refundStarPayment,
  editUserStarSubscription: payments.editUserStarSubscription,
  pinChatMessage: pins.pinChatMessage,
  unpinChatMessage: pins.unpinChatMessage,
  unpinAllChatMessages: pins.unpinAllChatMessages,
  stopPoll: polls.stopPoll,
  answerCallbackQuery: queries.answerCallbackQuery,
  answerGuestQuery: queries.answerGuestQuery,
  answerInlineQuery: queries.answerInlineQuery,
  answerWebAppQuery: queries.answerWebAppQuery,
  savePreparedInlineMessage: queries.savePreparedInlineMessage,
  savePreparedKeyboardButton: queries.savePreparedKeyboardButton,
  setMessageReaction: reactions.setMessageReaction,
  deleteMessageReaction: reactions.deleteMessageReaction,
  deleteAllMessageReactions: reactions.deleteAllMessageReactions,
  getMe: settings.getMe,
  logOut: settings.logOut,
  close: settings.close,
  setMyCommands: settings.setMyCommands,
  deleteMyCommands: settings.deleteMyCommands,
  getMyCommands: settings.getMyCommands,
  setChatMenuButton: settings.setChatMenuButton,
  getChatMenuButton: settings.getChatMenuButton,
  getStickerSet: stickers.getStickerSet,
  getCustomEmojiStickers: stickers.getCustomEmojiStickers,
  uploadStickerFile: stickers.uploadStickerFile,
  createNewStickerSet: stickers.createNewStickerSet,
  addStickerToSet: stickers.addStickerToSet,
  setStickerPositionInSet: stickers.setStickerPositionInSet,
  deleteStickerFromSet: stickers.deleteStickerFromSet,
  replaceStickerInSet: stickers.replaceStickerInSet,
  setStickerEmojiList: stickers.setStickerEmojiList,
  setStickerKeywords: stickers.setStickerKeywords,
  setStickerMaskPosition: stickers.setStickerMaskPosition,
  setStickerSetTitle: stickers.setStickerSetTitle,
  deleteStickerSet: stickers.deleteStickerSet,
  setStickerSetThumbnail: stickers.setStickerSetThumbnail,
  setCustomEmojiStickerSetThumbnail: stickers.setCustomEmojiStickerSetThumbnail,
  postStory: stories.postStory,
  repostStory: stories.repostStory,
  editStory: stories.editStory,
  deleteStory: stories.deleteStory,
  approveSuggestedPost: suggestedPosts.approveSuggestedPost,
  declineSuggestedPost: suggestedPosts.declineSuggestedPost,
  getForumTopicIconStickers: topics.getForumTopicIconStickers,
  createForumTopic: topics.createForumTopic,
  editForumTopic: topics.editForumTopic,
  closeForumTopic: topics.closeForumTopic,
  reopenForumTopic: topics.reopenForumTopic,
  deleteForumTopic: topics.deleteForumTopic,
  unpinAllForumTopicMessages: topics.unpinAllForumTopicMessages,
  editGeneralForumTopic: topics.editGeneralForumTopic,
  closeGeneralForumTopic: topics.closeGeneralForumTopic,
  reopenGeneralForumTopic: topics.reopenGeneralForumTopic,
  hideGeneralForumTopic: topics.hideGeneralForumTopic,
  unhideGeneralForumTopic: topics.unhideGeneralForumTopic,
  unpinAllGeneralForumTopicMessages: topics.unpinAllGeneralForumTopicMessages,
  getUserProfilePhotos: users.getUserProfilePhotos,
  getUserProfileAudios: users.getUserProfileAudios,
  setUserEmojiStatus: users.setUserEmojiStatus,
  getUserPersonalChatMessages: users.getUserPersonalChatMessages,
  getUserChatBoosts: users.getUserChatBoosts,
  verifyUser: users.verifyUser,
  verifyChat: users.verifyChat,
  removeUserVerification: users.removeUserVerification,
  removeChatVerification: users.removeChatVerification,
  setPassportDataErrors: users.setPassportDataErrors,
  setWebhook: webhooks.setWebhook,
  deleteWebhook: webhooks.deleteWebhook,
  getWebhookInfo: webhooks.getWebhookInfo,
};

/** Older names of methods. Source: tdlib/telegram-bot-api, Client.cpp. */
const aliases: Readonly<Record<string, string>> = {
  kickChatMember: "banChatMember",
  getChatMembersCount: "getChatMemberCount",
  setStickerSetThumb: "setStickerSetThumbnail",
};

export type KnownMethod =
  | { readonly kind: "sending"; readonly name: string; readonly prepare: SendingMethod }
  | { readonly kind: "immediate"; readonly name: string; readonly run: ImmediateMethod }
  | { readonly kind: "polling"; readonly name: string };

const table = new Map<string, KnownMethod>([
  ["getupdates", { kind: "polling", name: "getUpdates" }],
]);
for (const [name, prepare] of Object.entries(sendingMethods)) {
  table.set(name.toLowerCase(), { kind: "sending", name, prepare });
}
for (const [name, run] of Object.entries(immediateMethods)) {
  table.set(name.toLowerCase(), { kind: "immediate", name, run });
}
for (const [alias, name] of Object.entries(aliases)) {
  const method = table.get(name.toLowerCase());
  if (method) table.set(alias.toLowerCase(), method);
}

/** @param name In lower case. */
export function methodNamed(name: string): KnownMethod | undefined {
  return table.get(name);
}

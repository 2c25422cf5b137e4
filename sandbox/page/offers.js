/** Offers: links that a person follows inside the messenger, and what costs Stars. */
import { ask } from "./dialogs.js";

const inviteLink = /^https:\/\/t\.me\/\+/;
const invoiceLink = /^https:\/\/t\.me\/\$/;

export class Offers {
  #operate;
  #attempt;
  #who;
  #say;
  /** Media that was paid for, by chat, message and person. */
  #bought = new Set();

  /**
   * @param operate Calls the control API. @param attempt Runs work, and shows its error.
   * @param who `userId` and `chatId` of the person in front of the page.
   * @param say Shows a short text.
   */
  constructor(operate, attempt, who, say) {
    this.#operate = operate;
    this.#attempt = attempt;
    this.#who = who;
    this.#say = say;
  }

  /** @returns whether the address is one that a messenger opens itself. */
  follow(url) {
    if (inviteLink.test(url)) this.#attempt(() => this.#join(url));
    else if (invoiceLink.test(url)) this.#attempt(() => this.#payLink(url));
    else return false;
    return true;
  }

  async pay(message) {
    const { description, title, total_amount: stars } = message.invoice;
    const question = { title: `Pay for ${title}`, text: description, action: `Pay ⭐️ ${stars}` };
    if (!(await ask(question))) return;
    const { chatId, userId } = this.#who();
    await this.#operate("pay", { userId, chatId, messageId: message.message_id });
  }

  bought(message) {
    return this.#bought.has(this.#key(message));
  }

  /** @param done Called when the media was bought. */
  async buy(message, done) {
    const stars = message.paid_media.star_count;
    const text = "The bot gets the Stars, and you see what is behind.";
    const question = { title: "Unlock media", text, action: `Pay ⭐️ ${stars}` };
    if (!(await ask(question))) return;
    const { chatId, userId } = this.#who();
    await this.#operate("buy-media", { userId, chatId, messageId: message.message_id });
    this.#bought.add(this.#key(message));
    done();
  }

  #key(message) {
    return `${message.chat.id}:${message.message_id}:${this.#who().userId}`;
  }

  async #join(link) {
    const { asksToJoin, chat, members } = await this.#operate("invitation", { link });
    const text = `${members} ${members === 1 ? "member" : "members"}`;
    const action = asksToJoin ? "Request to join" : "Join";
    if (!(await ask({ title: chat.title, text, action }))) return;
    const { waiting } = await this.#operate("join", { userId: this.#who().userId, link });
    this.#say(waiting ? "An administrator has to let you in" : `You have joined ${chat.title}`);
  }

  async #payLink(link) {
    if (!(await ask({ title: "Pay the invoice", text: link, action: "Pay" }))) return;
    await this.#operate("pay", { userId: this.#who().userId, link });
  }
}

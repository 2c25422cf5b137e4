/** Offers: links that a person follows inside the messenger, and what costs Stars. */
import { ask } from "./dialogs.js";
import { priceText } from "./price.js";
import { state } from "./state.js";

const inviteLink = /^https:\/\/t\.me\/\+/;
const invoiceLink = /^https:\/\/t\.me\/\$/;
const startLink =
  /^(?:https:\/\/t\.me\/(\w+)\?start=|tg:\/\/resolve\?domain=(\w+)&start=)([\w-]*)$/;
const askAgainMs = 200;
const patienceMs = 10_000;

/** What an invoice asks the buyer for: label, what stands there at first, and the kind of field. */
const orderFields = {
  name: { label: "Name", value: "Ann Smith" },
  phone_number: { label: "Phone number", type: "tel", value: "15550100" },
  email: { label: "E-mail", type: "email", value: "ann@example.com" },
  shipping_address: { label: "Street and number", value: "Unter den Linden 1" },
};

export class Offers {
  #operate;
  #attempt;
  #who;
  #say;
  #begin;
  /** Media that was paid for, by chat, message and person. */
  #bought = new Set();

  /**
   * @param operate Calls the control API. @param attempt Runs work, and shows its error.
   * @param who `userId` and `chatId` of the person in front of the page.
   * @param say Shows a short text. @param begin Starts a bot of that name with a parameter.
   */
  constructor(operate, attempt, who, say, begin) {
    this.#operate = operate;
    this.#attempt = attempt;
    this.#who = who;
    this.#say = say;
    this.#begin = begin;
  }

  /** @returns whether the address is one that a messenger opens itself. */
  follow(url) {
    if (inviteLink.test(url)) this.#attempt(() => this.#join(url));
    else if (invoiceLink.test(url)) this.#attempt(() => this.#pay({ link: url }));
    else return this.#followStart(url);
    return true;
  }

  #followStart(url) {
    const [, name, sameName, parameter] = startLink.exec(url) ?? [];
    const bot = state.bots.find(({ username }) => username === (name ?? sameName));
    if (!bot) return false;
    this.#attempt(() => this.#begin(bot, parameter));
    return true;
  }

  pay(message) {
    return this.#pay({ chatId: this.#who().chatId, messageId: message.message_id });
  }

  /** Asks for what the invoice needs, and for the way of shipping where its price depends on that. */
  async #pay(at) {
    const place = { userId: this.#who().userId, ...at };
    const invoice = await this.#operate("invoice", place);
    const { amount, asks, currency, description, flexible, title } = invoice;
    const fields = Object.fromEntries(asks.map((name) => [name, orderFields[name]]));
    const action = flexible ? "Continue" : `Pay ${priceText(currency, amount)}`;
    const given = await ask({ title: `Pay for ${title}`, text: description, action, fields });
    if (!given) return;
    const orderInfo = orderOf(given);
    const shipping = flexible ? await this.#ship(invoice, place, orderInfo) : {};
    if (shipping) await this.#operate("pay", { ...place, orderInfo, ...shipping });
  }

  /** @returns undefined when the person, or the bot, does not want to go on. */
  async #ship({ amount, currency, title }, place, { shipping_address: address }) {
    const { shippingQueryId } = await this.#operate("ship", { ...place, address });
    const endsAt = performance.now() + patienceMs;
    let answer = null;
    while (answer === null && performance.now() < endsAt) {
      await new Promise((resolve) => setTimeout(resolve, askAgainMs));
      answer = await this.#operate("shipping-options", { shippingQueryId });
    }
    if (answer === null) throw new Error("the bot does not answer");
    if (answer.refused) throw new Error(answer.refused);
    const options = answer.options.map(({ id, prices, title: name }) => {
      const price = prices.reduce((sum, one) => sum + one.amount, amount);
      return [id, `${name}: ${priceText(currency, price)} in all`];
    });
    const fields = { way: { label: "Shipping", options } };
    const given = await ask({ title: `Pay for ${title}`, action: "Pay", fields });
    return given && { shippingQueryId, shippingOptionId: given.way };
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
}

/** Telegram's `OrderInfo`; the page asks for a street only. */
function orderOf({ shipping_address: street, ...fields }) {
  if (street === undefined) return fields;
  const city = { country_code: "DE", state: "", city: "Berlin", post_code: "10117" };
  return { ...fields, shipping_address: { ...city, street_line1: street, street_line2: "" } };
}

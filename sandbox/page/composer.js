/** Composer: the line in which a person writes, answers, edits and attaches. */
import { ask } from "./dialogs.js";
import { preview } from "./message-view.js";
import { spokenTone } from "./spoken-tone.js";

const pick = (id) => document.getElementById(id);
const bytesMax = 20 * 2 ** 20;
const thrown = new Set(["🎲", "🎯", "🎳", "🏀", "⚽", "🎰"]);

export class Composer {
  #operate;
  #attempt;
  #place;
  #people;
  #replyTo;
  #editing;
  #chatId;
  /** What was begun in other chats. */
  #unsent = new Map();

  /**
   * @param operate Calls the control API. @param attempt Runs work, and shows its error.
   * @param place Who writes where: `userId`, `chatId`, and `threadId` if there is one.
   * @param people The users that a contact can be made of.
   */
  constructor(operate, attempt, place, people) {
    this.#operate = operate;
    this.#attempt = attempt;
    this.#place = place;
    this.#people = people;
    this.#listen();
  }

  /** The next message answers this one. */
  reply(message) {
    this.#begin(message.from?.first_name ?? message.chat.title, message);
    this.#replyTo = message.message_id;
  }

  /** What is sent next replaces the text of this message. */
  edit(message) {
    this.#begin("Edit message", message);
    this.#editing = message.message_id;
    this.set(message.text ?? message.caption ?? "");
  }

  /** Neither answers nor edits any more. */
  end() {
    if (this.#editing !== undefined) this.set("");
    this.#replyTo = undefined;
    this.#editing = undefined;
    pick("context").hidden = true;
  }

  /** The person goes to another chat, and what they have begun stays in the one before. */
  enter(chatId) {
    if (chatId === this.#chatId) return;
    this.end();
    this.#unsent.set(this.#chatId, pick("text").value);
    this.#chatId = chatId;
    this.set(this.#unsent.get(chatId) ?? "");
  }

  set(text) {
    pick("text").value = text;
    pick("text").dispatchEvent(new Event("input"));
  }

  async say(text) {
    await this.#operate("write", { ...this.#target(), text });
  }

  /** @returns false when the person has cancelled. */
  async sendLocation() {
    const latitude = { label: "Latitude", type: "number", step: "any", value: "52.52" };
    const longitude = { ...latitude, label: "Longitude", value: "13.405" };
    const fields = { latitude, longitude };
    const given = await ask({ title: "Send a location", action: "Send", fields });
    if (!given) return false;
    const place = { latitude: Number(given.latitude), longitude: Number(given.longitude) };
    await this.#attach({ kind: "location", ...place });
    return true;
  }

  /** @returns false when the person has cancelled. */
  async sendContact() {
    const people = this.#people();
    const options = people.map((user) => [String(user.id), user.first_name]);
    const who = { label: "Who", options, value: String(this.#place().userId) };
    const phone = { label: "Phone number", type: "tel", value: "+1 555 0100" };
    const given = await ask({ title: "Send a contact", action: "Send", fields: { who, phone } });
    if (!given) return false;
    const user = people.find(({ id }) => String(id) === given.who);
    const contact = { phoneNumber: given.phone, firstName: user.first_name, userId: user.id };
    await this.#attach({ kind: "contact", ...contact });
    return true;
  }

  /** @param kind `quiz`, or any other. @returns false when the person has cancelled. */
  async sendPoll(kind) {
    const lines = { label: "Answers, with a comma between them", value: "Yes, No" };
    const right = { label: "Number of the right answer", type: "number", min: "1", value: "1" };
    const quiz = kind === "quiz";
    const question = { label: "Question", value: "Tea?" };
    const fields = { question, lines, ...(quiz ? { right } : {}) };
    const given = await ask({ title: quiz ? "New quiz" : "New poll", action: "Send", fields });
    if (!given) return false;
    const options = given.lines
      .split(",")
      .map((text) => text.trim())
      .filter(Boolean);
    const correct = quiz ? { correct: Number(given.right) - 1 } : {};
    await this.#attach({ kind: "poll", question: given.question, options, ...correct });
    return true;
  }

  #begin(title, message) {
    this.end();
    pick("context-title").textContent = title;
    pick("context-text").textContent = preview(message);
    pick("context").hidden = false;
    pick("text").focus();
  }

  #target() {
    const answer = this.#replyTo === undefined ? {} : { replyToMessageId: this.#replyTo };
    return { ...this.#place(), ...answer };
  }

  async #send(text) {
    const editing = this.#editing;
    const target = this.#target();
    this.#editing = undefined;
    this.set("");
    this.end();
    if (editing === undefined) await this.#say(target, text);
    else await this.#operate("edit", { ...target, messageId: editing, text });
  }

  /** A message that is one of these emoji alone is thrown. */
  #say(target, text) {
    const emoji = text.replaceAll("\uFE0F", "");
    if (!thrown.has(emoji)) return this.#operate("write", { ...target, text });
    return this.#operate("attach", { ...target, attachment: { kind: "dice", emoji } });
  }

  async #attach(attachment, caption = "") {
    const target = this.#target();
    this.end();
    await this.#operate("attach", { ...target, attachment, caption });
  }

  /** Sends files, with what is written as the caption of the first. */
  async #sendFiles(files, kindOf) {
    for (const file of files) {
      if (file.size > bytesMax) throw new Error(`${file.name} is too large`);
      const caption = pick("text").value.trim();
      this.set("");
      const attachment = { kind: kindOf(file), content: await inBase64(file), fileName: file.name };
      await this.#attach(attachment, caption);
    }
  }

  #choose(accept, kindOf) {
    const input = document.createElement("input");
    Object.assign(input, { type: "file", accept, multiple: true });
    input.addEventListener("change", () =>
      this.#attempt(() => this.#sendFiles([...input.files], kindOf)),
    );
    input.click();
  }

  #listen() {
    const work = {
      "attach-photo": () => this.#choose("image/*,video/*", pictureKind),
      "attach-file": () => this.#choose("", () => "document"),
      "attach-location": () => this.#attempt(() => this.sendLocation()),
      "attach-contact": () => this.#attempt(() => this.sendContact()),
      "attach-poll": () => this.#attempt(() => this.sendPoll()),
    };
    for (const [id, act] of Object.entries(work)) {
      pick(id).addEventListener("click", () => {
        pick("attach-menu").hidePopover();
        act();
      });
    }
    pick("voice").addEventListener("click", () => {
      const content = spokenTone();
      const attachment = { kind: "voice", content, fileName: "voice.wav" };
      this.#attempt(() => this.#attach(attachment));
    });
    pick("context-close").addEventListener("click", () => this.end());
    pick("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      const text = pick("text").value.trim();
      if (text !== "") this.#attempt(() => this.#send(text));
    });
    pick("text").addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.end();
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      pick("composer").requestSubmit();
    });
    pick("text").addEventListener("input", () =>
      pick("composer").classList.toggle("written", pick("text").value.trim() !== ""),
    );
    pick("text").addEventListener("paste", (event) => {
      const files = [...event.clipboardData.files];
      if (files.length > 0) this.#attempt(() => this.#sendFiles(files, pictureKind));
    });
  }
}

function pictureKind({ type }) {
  if (type.startsWith("image/")) return "photo";
  return type.startsWith("video/") ? "video" : "document";
}

function inBase64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(String(reader.result).split(",")[1] ?? ""));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(file);
  });
}

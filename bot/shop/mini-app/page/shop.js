/** Shop: the page of the Mini App. It shows what the server says, and asks before it acts. */
import { act, ask, NotSignedError, RefusedError, unansweredAct } from "./requests.js";
import { begin, clientLanguage, initData, tell } from "./telegram.js";
import { firstWords } from "./words.js";

const pick = (id) => document.getElementById(id);

const first = firstWords(clientLanguage());
/** The words of the shop, in the person's language, once the server has answered. */
let words;

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function button(className, text, press) {
  const made = element("button", className, text);
  made.type = "button";
  made.addEventListener("click", press);
  return made;
}

/** Runs what a person has begun, and ends the page when Telegram's signature no longer counts. */
function attempt(work) {
  work().catch((error) => {
    if (error instanceof NotSignedError) endPage(first.reopen);
    else if (error instanceof RefusedError && pick("sheet").open) endSheet(words.refused);
    else throw error;
  });
}

function endPage(text) {
  if (pick("sheet").open) pick("sheet").close();
  for (const id of ["top", "shop", "orders"]) pick(id).hidden = true;
  pick("notice").className = "over";
  pick("notice").hidden = false;
  pick("notice").textContent = text;
  if (initData !== "") pick("notice").append(button("main alone", first.close, closePage));
}

function closePage() {
  tell("web_app_close");
}

function showTrouble() {
  pick("notice").hidden = false;
  pick("notice").textContent = first.unreachable;
}

// ---- the catalogue ------------------------------------------------------------------------------

async function showShop() {
  const shop = await ask("shop", null, showTrouble);
  if (shop.blocked) return endPage(shop.blocked);
  ({ words } = shop);
  document.documentElement.lang = shop.language;
  document.title = words.shop;
  pick("tab-shop").textContent = words.shop;
  pick("tab-orders").textContent = words.orders;
  pick("balance").textContent = shop.balance;
  pick("top").hidden = false;
  pick("notice").hidden = true;
  pick("shop").replaceChildren(...shop.shelves.flatMap(shelfView));
}

function shelfView({ name, offers }) {
  const shelf = element("section", "shelf");
  shelf.append(...offers.map(offerView));
  return name === "" ? [shelf] : [element("h3", "", name), shelf];
}

function offerView({ description, name, note, price, sku, soldOut }) {
  const row = button("offer", "", () => attempt(() => offer(sku)));
  row.disabled = soldOut;
  row.append(element("strong", "", name), element("span", "", description));
  if (note) row.append(element("span", "", note));
  row.append(element("span", "price", price));
  return row;
}

/** Asks whether to buy, at the price of now, which the server keeps for this wish. */
async function offer(sku) {
  const wish = crypto.randomUUID();
  openSheet({ title: words.askToBuy });
  const asked = await ask("confirm", { sku, wish }, waitInSheet);
  if (!pick("sheet").open) return;
  if (asked.blocked) return endPage(asked.blocked);
  if (asked.kind !== "confirm") return endSheet(asked.text);
  openSheet({
    title: asked.name,
    text: asked.description,
    price: asked.price,
    yes: asked.button,
    press: () => carryOut("buy", wish, { sku, priceMinor: asked.priceMinor }),
  });
}

// ---- orders -------------------------------------------------------------------------------------

async function showOrders(page = 0) {
  const list = await ask("orders", { page }, showTrouble);
  if (list.blocked) return endPage(list.blocked);
  pick("notice").hidden = true;
  const views = list.orders.map(orderView);
  if (list.nextPage !== undefined) {
    const more = button("plain", words.more, () => {
      more.remove();
      attempt(() => showOrders(list.nextPage));
    });
    views.push(more);
  }
  if (page > 0) pick("orders").append(...views);
  else pick("orders").replaceChildren(...views);
  if (page === 0 && views.length === 0) pick("orders").append(emptyView());
}

function emptyView() {
  const view = element("p", "", words.noOrders);
  view.id = "no-orders";
  return view;
}

function orderView(order) {
  const view = element("article", "order");
  view.append(
    element("strong", "", order.title),
    element("span", `badge ${order.status}`, order.statusText),
    element("p", "wide", `${order.price} · ${order.bought}`),
  );
  if (order.code) view.append(element("p", "wide code", order.code));
  if (order.note) view.append(element("p", "wide", order.note));
  if (order.cancel) {
    const press = () => carryOut("cancel", crypto.randomUUID(), { orderId: order.id });
    const question = { title: order.askToCancel, yes: order.cancel, press };
    view.append(button("act", order.cancel, () => openSheet(question)));
  }
  return view;
}

// ---- the sheet ----------------------------------------------------------------------------------

let pressYes = () => {};

/** A question; without `yes`, one that is still being prepared. */
function openSheet({ press = () => {}, price = "", text = "", title, yes }) {
  pick("sheet-title").textContent = title;
  pick("sheet-text").textContent = text;
  pick("sheet-price").textContent = price;
  pick("sheet-status").textContent = "";
  pick("sheet-yes").textContent = yes ?? "";
  if (yes === undefined) pick("sheet-yes").append(element("span", "spinner"));
  pick("sheet-yes").disabled = yes === undefined;
  pick("sheet-yes").hidden = false;
  pick("sheet-no").textContent = words.back;
  pick("sheet-no").className = "plain";
  pressYes = press;
  if (!pick("sheet").open) pick("sheet").showModal();
}

/** How it ended, and nothing more to choose. */
function endSheet(text) {
  pick("sheet-status").textContent = text;
  pick("sheet-yes").hidden = true;
  pick("sheet-no").textContent = words.close;
  pick("sheet-no").className = "main";
  pick("sheet-no").hidden = false;
}

function waitInSheet() {
  pick("sheet-status").textContent = words.waiting;
}

/** Acts once under this id, and shows how it ended and what has changed. */
function carryOut(name, id, data) {
  pick("sheet-yes").replaceChildren(element("span", "spinner"));
  pick("sheet-yes").disabled = true;
  pick("sheet-no").hidden = true;
  attempt(async () => {
    endSheet(textOf(await act(name, id, data, waitInSheet)));
    await refresh();
  });
}

function textOf({ answer, state }) {
  if (state === "answered") return answer.text;
  return state === "failed" ? words.failed : words.refused;
}

async function refresh() {
  await showShop();
  if (words) await showOrders();
}

// ---- the page -----------------------------------------------------------------------------------

function showTab(name) {
  for (const tab of ["shop", "orders"]) {
    pick(tab).hidden = tab !== name;
    pick(`tab-${tab}`).setAttribute("aria-selected", String(tab === name));
  }
  scrollTo(0, 0);
}

/** Shows how an act ended whose answer the page before this one did not live to see. */
async function showUnanswered() {
  const ended = await unansweredAct().catch(() => undefined);
  if (ended === undefined) return;
  openSheet({ title: words.shop });
  endSheet(textOf(ended));
}

pick("tab-shop").addEventListener("click", () => showTab("shop"));
pick("tab-orders").addEventListener("click", () => showTab("orders"));
pick("sheet-yes").addEventListener("click", () => pressYes());
pick("sheet-no").addEventListener("click", () => pick("sheet").close());
pick("sheet").addEventListener("cancel", (event) => {
  // What is under way cannot be taken back, so its end is awaited.
  if (pick("sheet-no").hidden) event.preventDefault();
});

begin();
attempt(async () => {
  if (initData === "") return endPage(first.outside);
  await refresh();
  if (!pick("top").hidden) await showUnanswered();
});

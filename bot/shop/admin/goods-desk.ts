/** Goods desk: shows the products and changes price, stock, codes, picture and whether they are sold. */
import type { Transaction } from "../../core/transaction.ts";
import { findProduct } from "../catalogue.ts";
import { button, keyboard } from "../commands/keyboard.ts";
import type { Card } from "../commands/order-card.ts";
import { type CommandOptions, parseCount, type Routes, type Turn } from "../commands/routes.ts";
import {
  changeProduct,
  findOffer,
  listOffers,
  type Offer,
  type ProductChange,
  setStock,
} from "../stock/offers.ts";
import { lockCodes, stockOf } from "../stock/stock-tables.ts";
import { type ActKind, noteAct } from "./acts.ts";
import { askAdmin, audit, menuButton, parseAmount, reply, show, textsOf } from "./admin-turn.ts";

const stockMax = 1_000_000;
/** Characters of a code. */
const codeLengthMax = 200;

export function registerGoodsDesk(routes: Routes, options: CommandOptions): void {
  routes.press("adm-goods", async (turn) => show(turn, await listCard(turn, options)));

  routes.press("adm-good", async (turn, [sku = ""]) =>
    show(turn, await productCard(turn, options, sku)),
  );

  for (const [verb, what] of [
    ["adm-price", "price"],
    ["adm-stock", "stock"],
    ["adm-codes", "codes"],
    ["adm-picture", "picture"],
  ] as const) {
    routes.press(verb, async (turn, [sku = ""]) => {
      const product = findProduct(options.catalogue, sku);
      if (!product) return textsOf(turn).noProduct;
      const name = product.name[turn.visitor.language];
      return askAdmin(turn, { what, of: sku }, questionOf(turn, what)(name));
    });
  }

  for (const [verb, kind, change] of [
    ["adm-hide", "hide", { hidden: true }],
    ["adm-show", "show", { hidden: false }],
    ["adm-reset", "reset", undefined],
  ] as const) {
    routes.press(verb, (turn, [sku = ""]) => changeByPress(turn, options, sku, kind, change));
  }
}

export type GoodsQuestion = "price" | "stock" | "codes" | "picture";

function questionOf(turn: Turn, what: GoodsQuestion): (name: string) => string {
  const { askCodes, askPicture, askPrice, askStock } = textsOf(turn);
  return { price: askPrice, stock: askStock, codes: askCodes, picture: askPicture }[what];
}

/** Changes a product by a press, and shows it. */
async function changeByPress(
  turn: Turn,
  options: CommandOptions,
  sku: string,
  kind: ActKind,
  change: ProductChange | undefined,
): Promise<string> {
  if (!findProduct(options.catalogue, sku)) return textsOf(turn).noProduct;
  const adminId = turn.visitor.userId;
  await turn.ctx.transaction(async (tx) => {
    await changeProduct(tx, sku, change);
    await noteAct(tx, { adminId, kind, subject: `product:${sku}` });
  });
  audit(options, turn, kind, { sku });
  await show(turn, await productCard(turn, options, sku));
  return textsOf(turn).changed;
}

export type GoodsAnswer =
  | { readonly kind: "changed"; readonly sku: string }
  | {
      readonly kind: "codes";
      readonly sku: string;
      readonly added: number;
      readonly leftOut: number;
    }
  | { readonly kind: "not-understood"; readonly sku: string }
  | { readonly kind: "no-product" };

/**
 * Carries out the answer to a question of this desk.
 *
 * @param text What was written, or the file id of the photo that was sent.
 */
export async function answerGoods(
  tx: Transaction,
  { catalogue }: CommandOptions,
  adminId: number,
  what: GoodsQuestion,
  sku: string,
  text: string,
): Promise<GoodsAnswer> {
  const product = findProduct(catalogue, sku);
  if (!product) return { kind: "no-product" };
  const subject = `product:${sku}`;
  if (what === "codes") {
    const codes = text
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
    let added = 0;
    await lockCodes(tx);
    for (const code of codes) {
      if (code.length > codeLengthMax) continue;
      if (await stockOf(tx).addCode(sku, code, tx.nowEpochMs)) added++;
    }
    if (added > 0) await noteAct(tx, { adminId, kind: "codes", subject });
    return { kind: "codes", sku, added, leftOut: codes.length - added };
  }
  const count = parseCount(text.trim());
  const priceMinor = parseAmount(catalogue, text);
  if (what === "stock" && count !== undefined && count <= stockMax) {
    await setStock(tx, product, count);
  } else if (what === "price" && priceMinor !== undefined) {
    await changeProduct(tx, sku, { priceMinor });
  } else if (what === "picture" && /^[\w-]{10,200}$/.test(text)) {
    await changeProduct(tx, sku, { picture: text });
  } else {
    return { kind: "not-understood", sku };
  }
  const reason = what === "picture" ? {} : { reason: text.trim() };
  await noteAct(tx, { adminId, kind: what, subject, ...reason });
  return { kind: "changed", sku };
}

/** Says how an answer was carried out. */
export async function replyToGoodsAnswer(
  turn: Turn,
  options: CommandOptions,
  what: GoodsQuestion,
  answer: GoodsAnswer,
): Promise<void> {
  const t = textsOf(turn);
  if (answer.kind === "no-product") return reply(turn, [t.noProduct, keyboard([menuButton(turn)])]);
  const [text, buttons] = await productCard(turn, options, answer.sku);
  if (answer.kind === "not-understood") return reply(turn, [t.notUnderstood, buttons]);
  if (answer.kind === "changed") audit(options, turn, what, { sku: answer.sku });
  if (answer.kind === "codes") {
    const { added, leftOut, sku } = answer;
    audit(options, turn, "codes", { sku, added });
    const [first, second] = [added, leftOut].map(turn.format.count);
    return reply(turn, [`${t.codesAdded(first ?? "", second ?? "")}\n\n${text}`, buttons]);
  }
  return reply(turn, [`${t.changed}\n\n${text}`, buttons]);
}

async function listCard(turn: Turn, options: CommandOptions): Promise<Card> {
  const t = textsOf(turn);
  const { catalogue, catalogueProblem } = options;
  const offers = await options.read((tx) => listOffers(tx, catalogue));
  const row = ({ left, product }: Offer) => {
    const { name, priceMinor, sku } = product;
    const marks = [product.hidden && "🙈", isChanged(options, product) && "✏️"];
    const label = [
      ...marks,
      name[turn.visitor.language],
      "·",
      turn.format.money(priceMinor),
      left !== undefined && `· ${turn.format.count(left)}`,
    ];
    return [button(label.filter(Boolean).join(" "), `adm-good:${sku}`)];
  };
  const problem = catalogueProblem?.();
  const text = [t.goodsList, problem && `${t.fileProblem}\n${problem.message}`];
  const heading = text.filter(Boolean).join("\n\n").slice(0, 4_000);
  return [heading, keyboard(...offers.map(row), [menuButton(turn)])];
}

async function productCard(turn: Turn, options: CommandOptions, sku: string): Promise<Card> {
  const t = textsOf(turn);
  const { format, visitor } = turn;
  const offer = await options.read((tx) => findOffer(tx, options.catalogue, sku));
  if (!offer) return [t.noProduct, keyboard([button(t.goods, "adm-goods"), menuButton(turn)])];
  const { left, product } = offer;
  const count = left === undefined ? "" : format.count(left);
  const text = [
    t.product(product.name[visitor.language], sku, format.money(product.priceMinor)),
    left === undefined ? t.uncounted : product.digital ? t.codesLeft(count) : t.left(count),
    product.hidden && t.isHidden,
  ];
  const buttons = keyboard(
    [
      button(t.priceButton, `adm-price:${sku}`),
      product.digital
        ? button(t.codesButton, `adm-codes:${sku}`)
        : button(t.stockButton, `adm-stock:${sku}`),
      button(t.pictureButton, `adm-picture:${sku}`),
    ],
    [
      product.hidden
        ? button(t.showButton, `adm-show:${sku}`)
        : button(t.hideButton, `adm-hide:${sku}`),
      isChanged(options, product) && button(t.resetButton, `adm-reset:${sku}`),
    ],
    [button(t.goods, "adm-goods"), menuButton(turn)],
  );
  return [text.filter(Boolean).join("\n"), buttons];
}

/** Whether an administrator has changed the product since the file was written. */
function isChanged({ catalogue }: CommandOptions, product: Offer["product"]): boolean {
  const filed = findProduct(catalogue, product.sku);
  return (
    filed?.priceMinor !== product.priceMinor ||
    (filed?.hidden ?? false) !== (product.hidden ?? false) ||
    filed?.picture !== product.picture
  );
}

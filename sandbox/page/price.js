/** Price: an amount of money as people read it. */

/** @param amount In the smallest unit of the currency. */
export function priceText(currency, amount) {
  if (currency === "XTR") return `⭐️ ${amount}`;
  const format = new Intl.NumberFormat([], { style: "currency", currency });
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
}

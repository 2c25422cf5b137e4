/**
 * Launch parameters: the fragment that Telegram adds to a Mini App's address.
 *
 * They are signed twice, as at Telegram: with the bot's token, and with the sandbox's own key in place
 * of Telegram's. Source: core.telegram.org/bots/webapps, "Validating data received via the Mini App".
 */
import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { User } from "../world/objects.ts";

/** The colours of a client, by names that Telegram gives them. */
const themes = {
  light: {
    bg_color: "#ffffff",
    secondary_bg_color: "#f4f4f5",
    section_bg_color: "#ffffff",
    text_color: "#000000",
    hint_color: "#707579",
    link_color: "#3390ec",
    button_color: "#3390ec",
    button_text_color: "#ffffff",
    destructive_text_color: "#df3f40",
  },
  dark: {
    bg_color: "#212121",
    secondary_bg_color: "#181818",
    section_bg_color: "#212121",
    text_color: "#ffffff",
    hint_color: "#aaaaaa",
    link_color: "#8774e1",
    button_color: "#8774e1",
    button_text_color: "#ffffff",
    destructive_text_color: "#ff595a",
  },
};

export type Theme = keyof typeof themes;

/** The fragment that Telegram adds to the address of a Mini App. */
export function launchFragment(initData: string, theme: Theme): string {
  return new URLSearchParams({
    tgWebAppData: initData,
    tgWebAppVersion: "8.0",
    tgWebAppPlatform: "web",
    tgWebAppThemeParams: JSON.stringify(themes[theme]),
  }).toString();
}

export class LaunchSigner {
  #keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject } | undefined;

  /** Ed25519, hexadecimal. */
  get publicKey(): string {
    const jwk = this.#pair().publicKey.export({ format: "jwk" });
    return Buffer.from(jwk.x ?? "", "base64url").toString("hex");
  }

  /** The query string that Telegram calls `initData`. */
  initData(token: string, user: User, queryId: string, authDateS: number): string {
    const { is_bot, ...person } = user;
    const fields = new Map([
      ["auth_date", String(authDateS)],
      ["query_id", queryId],
      ["user", JSON.stringify(person)],
    ]);
    const botId = token.slice(0, token.indexOf(":"));
    const message = Buffer.from(`${botId}:WebAppData\n${checkString(fields)}`);
    fields.set("signature", sign(null, message, this.#pair().privateKey).toString("base64url"));
    const secret = createHmac("sha256", "WebAppData").update(token).digest();
    fields.set("hash", createHmac("sha256", secret).update(checkString(fields)).digest("hex"));
    return new URLSearchParams([...fields]).toString();
  }

  #pair() {
    this.#keys ??= generateKeyPairSync("ed25519");
    return this.#keys;
  }
}

/** The fields as Telegram signs them. */
export function checkString(fields: ReadonlyMap<string, string>): string {
  return [...fields.keys()]
    .sort()
    .map((key) => `${key}=${fields.get(key)}`)
    .join("\n");
}

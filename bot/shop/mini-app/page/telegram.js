/**
 * Telegram: what the client around the page says in the page's address and by events, and what it is told.
 *
 * This is the part of Telegram's web app protocol that the page needs, so that it loads no script from
 * elsewhere (docs/decisions/0028). Nothing here is trusted: the server checks the init data.
 * Source: core.telegram.org/api/web-events; core.telegram.org/bots/webapps.
 */
const launch = new URLSearchParams(location.hash.slice(1));

/** What Telegram has signed about the person; "" outside of Telegram. */
export const initData = launch.get("tgWebAppData") ?? "";

/** The language of the person's client, until the server says in which one it answers. */
export function clientLanguage() {
  const { language_code: code } = readJson(new URLSearchParams(initData).get("user"));
  return String(code ?? navigator.language);
}

/** Tells the client something. */
export function tell(eventType, eventData = {}) {
  const proxy = window.TelegramWebviewProxy;
  if (proxy) proxy.postEvent(eventType, JSON.stringify(eventData));
  else if (typeof window.external?.notify === "function") {
    window.external.notify(JSON.stringify({ eventType, eventData }));
  } else if (window.parent !== window) {
    // The client's address differs from client to client, and no secret is told.
    window.parent.postMessage(JSON.stringify({ eventType, eventData }), "*");
  }
}

/** Takes over the client's colours, now and whenever they change, and says that the page is there. */
export function begin() {
  showTheme(readJson(launch.get("tgWebAppThemeParams")));
  const hear = (eventType, eventData) => {
    if (eventType === "theme_changed") showTheme(eventData?.theme_params ?? {});
  };
  // Each kind of client calls another one of these.
  window.Telegram = { WebView: { receiveEvent: hear } };
  window.TelegramGameProxy = { receiveEvent: hear };
  window.TelegramGameProxy_receiveEvent = hear;
  window.addEventListener("message", ({ data, source }) => {
    if (source !== window.parent || typeof data !== "string") return;
    const { eventData, eventType } = readJson(data);
    hear(eventType, eventData);
  });
  tell("iframe_ready");
  tell("web_app_ready");
  tell("web_app_expand");
}

function showTheme(colours) {
  const root = document.documentElement;
  for (const [name, colour] of Object.entries(colours)) {
    if (!/^[a-z_]+$/.test(name) || !/^#[\da-f]{6}$/i.test(colour)) continue;
    root.style.setProperty(`--tg-${name.replaceAll("_", "-")}`, colour);
    if (name === "bg_color") root.style.colorScheme = isDark(colour) ? "dark" : "light";
  }
}

function isDark(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  return 0.3 * red + 0.59 * green + 0.11 * blue < 128;
}

function readJson(text) {
  try {
    return JSON.parse(text ?? "") ?? {};
  } catch {
    // What is no JSON says nothing to this page.
    return {};
  }
}

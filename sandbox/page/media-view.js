/** Media view: the part of a message that is no text: pictures, sounds, places, contacts, offers. */
import { element } from "./element.js";
import { priceText } from "./price.js";

/** What stands in previews, and in place of files that were named by an address only. */
export const mediaNames = {
  photo: "🖼 Photo",
  video: "🎬 Video",
  animation: "🎞 GIF",
  audio: "🎵 Audio",
  voice: "🎤 Voice message",
  video_note: "🎥 Video message",
  document: "📄 File",
  sticker: "🙂 Sticker",
  location: "📍 Location",
  venue: "📍 Venue",
  contact: "👤 Contact",
  poll: "📊 Poll",
  live_photo: "🖼 Live photo",
  paid_media: "⭐️ Paid media",
  game: "🎮 Game",
  checklist: "☑️ Checklist",
  story: "🗯 Story",
  dice: "🎲 Dice",
  invoice: "🧾 Invoice",
};

export function mediaField(message) {
  // A venue has a location too, an animation a document.
  const names = Object.keys(mediaNames);
  const order = ["venue", "animation", ...names];
  return order.find((name) => message[name] !== undefined);
}

const views = {
  photo: (photo, on) => picture(photo.at(-1), on),
  live_photo: picture,
  sticker: (sticker, on) => picture(sticker, on, sticker.emoji),
  video: film,
  animation: film,
  video_note: film,
  voice: sound,
  audio: sound,
  document: (file, on) => {
    const size = `${Math.max(1, Math.round((file.file_size ?? 0) / 1024))} KB`;
    const view = card("icon-file", file.file_name ?? "File", size, element("a"));
    view.href = on.fileAddress(file.file_id);
    view.download = file.file_name ?? "file";
    return view;
  },
  location: (place) => map(place, place.live_period ? "Live location" : "Location"),
  venue: ({ address, location, title }) => map(location, title, address),
  contact: ({ first_name, phone_number }) => card(first_name[0], first_name, phone_number),
  game: ({ description, title }) => card("icon-game", title, description),
  story: () => card("icon-photo", "Story", "seen in Telegram only"),
  dice: ({ emoji, value }) => {
    const view = element("div", "dice", emoji);
    view.append(element("span", "faint", String(value)));
    return view;
  },
  invoice: ({ currency, description, title, total_amount }) => {
    const view = element("div", "invoice");
    view.append(
      element("strong", "", title),
      element("span", "", description),
      element("span", "price", priceText(currency, total_amount)),
    );
    return view;
  },
  paid_media: paid,
};

/**
 * @param on `fileAddress(fileId)`; `bought`, whether the person has paid for the media; `buy()`.
 * @returns undefined when the message is text only.
 */
export function mediaView(message, on) {
  const field = mediaField(message);
  const view = field && views[field]?.(message[field], on);
  if (view) view.dataset.media = field;
  return view || undefined;
}

function picture(file, on, emoji) {
  const view = element("div", "media");
  const image = element("img");
  image.alt = mediaNames.photo;
  image.src = on.fileAddress(file.file_id);
  // A file that was named by an address has no content here, and a test's may be no picture.
  const instead = emoji ? element("span", "sign", emoji) : element("span", "sign icon icon-photo");
  image.addEventListener("error", () => image.replaceWith(instead));
  view.append(image);
  return view;
}

function film(file, on) {
  const view = element("div", "media");
  const video = element("video");
  Object.assign(video, { src: on.fileAddress(file.file_id), controls: true, muted: true });
  video.addEventListener("error", () => video.replaceWith(element("span", "sign", "▶")));
  view.append(video);
  return view;
}

const bars = 28;

function sound(file, on) {
  const view = element("div", "sound");
  const button = element("button", "round", "▶");
  button.type = "button";
  button.setAttribute("aria-label", "Play");
  const audio = new Audio(on.fileAddress(file.file_id));
  audio.preload = "none";
  const draw = () => {
    button.textContent = audio.paused ? "▶" : "❚❚";
  };
  for (const name of ["play", "pause", "ended"]) audio.addEventListener(name, draw);
  button.addEventListener("click", () => {
    if (!audio.paused) return audio.pause();
    // A sound that the browser cannot play stays silent.
    return audio.play().catch(draw);
  });
  const wave = element("span", "wave");
  wave.setAttribute("aria-hidden", "true");
  for (let bar = 0; bar < bars; bar++) {
    const line = element("i");
    line.style.height = `${4 + ((bar * bar * 7 + bar * 3) % 17)}px`;
    wave.append(line);
  }
  const seconds = file.duration ?? 0;
  const length = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  const told = element("span", "told");
  told.append(file.title ? element("strong", "", file.title) : wave);
  told.append(element("span", "faint", length));
  view.append(button, told);
  return view;
}

function map({ latitude, longitude }, title, more = "") {
  const view = element("div", "map");
  const place = `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`;
  view.append(element("span", "pin icon icon-location"));
  const words = element("div", "map-words");
  words.append(element("strong", "", title), element("span", "faint", more || place));
  view.append(words);
  return view;
}

function card(sign, title, more = "", view = element("div")) {
  view.className = "card";
  const words = element("span", "told");
  words.append(element("strong", "", title), element("span", "faint", more));
  const icon = sign.startsWith("icon-");
  view.append(icon ? element("span", `round icon ${sign}`) : element("span", "round", sign), words);
  return view;
}

function paid({ paid_media: items, star_count: stars }, on) {
  const view = element("div", on.bought ? "paid" : "paid locked");
  for (const item of items) {
    const [field] = Object.keys(views).filter((name) => item[name] !== undefined);
    if (on.bought && field) view.append(views[field](item[field], on));
    else view.append(element("div", "media", ""));
  }
  if (on.bought) return view;
  const button = element("button", "unlock", `Unlock for ⭐️ ${stars}`);
  button.type = "button";
  button.addEventListener("click", on.buy);
  view.append(button);
  return view;
}

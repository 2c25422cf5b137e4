/** Spoken tone: what a person says in a voice message, without a microphone. */

const toneRate = 8_000;

/** A second of a hum that rises and falls, as a WAV file in Base64: no microphone is asked for. */
export function spokenTone() {
  const bytes = new Uint8Array(44 + toneRate);
  const view = new DataView(bytes.buffer);
  const text = (at, word) => bytes.set(new TextEncoder().encode(word), at);
  text(0, "RIFF");
  view.setUint32(4, 36 + toneRate, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, toneRate, true);
  view.setUint32(28, toneRate, true);
  view.setUint16(32, 1, true);
  view.setUint16(34, 8, true);
  text(36, "data");
  view.setUint32(40, toneRate, true);
  for (let at = 0; at < toneRate; at++) {
    const loudness = Math.abs(Math.sin((at / toneRate) * Math.PI * 3));
    bytes[44 + at] = 128 + Math.round(50 * loudness * Math.sin((at / toneRate) * 440 * Math.PI));
  }
  return btoa(String.fromCharCode(...bytes));
}

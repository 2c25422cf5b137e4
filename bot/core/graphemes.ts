/** Graphemes: what readers take for one character, such as a letter with its accents. */

/** Made when it is needed: it loads tables of Unicode, and few texts have to be cut. */
let segmenter: Intl.Segmenter | undefined;

export function graphemesOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  return segmenter.segment(text);
}

/** Leak verdict: what the process monitor concludes about the heap, and the memory probe reports. */
export type LeakVerdict =
  | { readonly kind: "unknown" | "steady" }
  /** It reaches the limit within a day: an operator should know. */
  | { readonly kind: "growing"; readonly hoursToLimit: number }
  /** Within two hours: a restart in a quiet moment is better than one in a busy one. */
  | { readonly kind: "leaking"; readonly hoursToLimit: number };

/** Why the office refused work, as far as it can be said in plain words. */

/** All that can be wrong with one of the texts that are merged by character. */
export const TEXT_TOO_LONG = "text_too_long";

/** The word for a refusal: its code, or a plainer one where the path says more. */
export function refusalReason(code: string, path: string): string {
  const unfit = code === "invalid_record" || code === "invalid_value";
  return unfit && (path === "notes" || path === "feedback") ? TEXT_TOO_LONG : code;
}

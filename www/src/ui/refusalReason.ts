/** The reason for which the office refused work, as a code that has a text. */

/** The only way in which a merged text can be invalid. */
export const TEXT_TOO_LONG = "text_too_long";

/** The refusal's code, or a more specific one if the path allows it. */
export function refusalReason(code: string, path: string): string {
  const invalid = code === "invalid_record" || code === "invalid_value";
  return invalid && (path === "notes" || path === "feedback") ? TEXT_TOO_LONG : code;
}

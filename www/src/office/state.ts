/** What the console's pages share. */
import { signal } from "@preact/signals";
import { sentence } from "../i18n";
import { api, ApiError, type Me } from "./api";

/** Undefined until the office has answered. */
export const me = signal<Me | null | undefined>(undefined);

export const mayWrite = (): boolean => me.value?.role === "supervisor" || me.value?.role === "admin";

/** Words for whatever was thrown; a session that ended leads back to the sign-in. */
export function explain(cause: unknown): string {
  if (!(cause instanceof ApiError)) return sentence("error", "failed");
  if (cause.code === "signed_out") me.value = null;
  const words = sentence("error", cause.code);
  return words === sentence("error", "failed") && cause.message ? cause.message : words;
}

export async function begin(): Promise<void> {
  me.value = await api.me().catch(() => null);
}

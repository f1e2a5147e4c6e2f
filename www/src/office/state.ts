/** What the console's pages share. */
import { signal } from "@preact/signals";
import { t, textFor } from "../i18n";
import { api, ApiError, type Me, type User } from "./api";
import { pathName } from "./fieldLabels";

/** Undefined until the office has answered. */
export const me = signal<Me | null | undefined>(undefined);

/** The session ended by itself: the page stays as it is behind the sign-in, with what was typed. */
export const expired = signal(false);

/** Filters of the list as they were left, so that the way back leads to them. */
export const lastSearch = signal("");

/** Collectors that a record can be given to. */
export const collectors = signal<User[]>([]);

export const mayWrite = (): boolean => me.value?.role === "supervisor" || me.value?.role === "admin";

/** No session, or that of another user who signed in in this browser. */
const needsSignIn = ({ code }: ApiError): boolean => code === "signed_out" || code === "other_workspace";

/** Words for whatever was thrown; a session that ended leads to the sign-in. */
export function explain(cause: unknown): string {
  if (!(cause instanceof ApiError)) {
    console.error(cause);
    return t("error/failed");
  }
  if (needsSignIn(cause) && me.value) expired.value = true;
  const words = errorWords(cause.code, cause.message);
  return cause.path ? t("office/error_at", { field: pathName(cause.path), words }) : words;
}

/** The console's sentence for a code, else the shared one, else the office's own. */
export function errorWords(code: string, detail: string): string {
  return textFor(`office/error/${code}`) ?? textFor(`error/${code}`) ?? (detail || t("error/failed"));
}

export async function begin(): Promise<void> {
  me.value = await api.me().catch(() => null);
}

export async function signIn(name: string, password: string): Promise<void> {
  me.value = await api.signIn(name, password);
  expired.value = false;
}

/** Ends the session; the office is asked first, so that a session never stays open unseen. */
export async function signOut(): Promise<void> {
  try {
    await api.signOut();
  } catch (cause) {
    if (!(cause instanceof ApiError && needsSignIn(cause))) throw cause;
  }
  lastSearch.value = "";
  collectors.value = [];
  expired.value = false;
  me.value = null;
}

/** Asks for the collectors once; a list that can't be had is left empty and asked for again later. */
export async function needCollectors(): Promise<void> {
  if (collectors.value.length > 0) return;
  collectors.value = await api.collectors().catch(() => []);
}

/** State that the console's pages share. */
import { signal } from "@preact/signals";
import { t, textFor } from "../i18n";
import { api, ApiError, type Me, type User } from "./api";
import { pathName } from "./fieldLabels";

/** Undefined until the office has answered. */
export const me = signal<Me | null | undefined>(undefined);

/** The session has expired: the sign-in is shown over the page, which keeps typed text. */
export const expired = signal(false);

/** The last filters of the list, for links back to it. */
export const lastSearch = signal("");

/** Collectors that records can be assigned to. */
export const collectors = signal<User[]>([]);

export const mayWrite = (): boolean => me.value?.role === "supervisor" || me.value?.role === "admin";

export const mayAudit = (): boolean => me.value?.role === "auditor" || me.value?.role === "admin";

/** There is no session, or another user signed in in this browser. */
const needsSignIn = ({ code }: ApiError): boolean => code === "signed_out" || code === "other_workspace";

/** The sentence for an error; an expired session shows the sign-in. */
export function explain(cause: unknown): string {
  if (!(cause instanceof ApiError)) {
    console.error(cause);
    return t("error/failed");
  }
  if (needsSignIn(cause) && me.value) expired.value = true;
  const text = officeErrorText(cause.code, cause.message);
  return cause.path ? t("office/error_at", { field: pathName(cause.path), text }) : text;
}

/** The console's sentence for an error code, or else the shared one, or else the office's message. */
function officeErrorText(code: string, detail: string): string {
  return textFor(`office/error/${code}`) ?? textFor(`error/${code}`) ?? (detail || t("error/failed"));
}

export async function startConsole(): Promise<void> {
  me.value = await api.me().catch(() => null);
}

export async function signIn(name: string, password: string): Promise<void> {
  me.value = await api.signIn(name, password);
  expired.value = false;
}

/** Signs out at the office first, so that no session stays open there. */
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

/** Loads the collectors once; a failed load is repeated on the next call. */
export async function loadCollectors(): Promise<void> {
  if (collectors.value.length > 0) return;
  collectors.value = await api.collectors().catch(() => []);
}

/** A collector's name for people, with the sign-in name. */
export function displayName(name: string): string {
  const display = collectors.value.find((user) => user.name === name)?.display_name;
  return display && display !== name ? `${display} (${name})` : name;
}

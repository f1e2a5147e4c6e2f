/** Sign-in through an identity provider, if the office has one. */
import { signal } from "@preact/signals";
import type { EnrolledDevice } from "../core/api";

/** The provider's display name; null without a provider or a network. */
export const provider = signal<string | null>(null);

/** The error code with which the provider's redirect came back, if the sign-in failed. */
export const redirectError = signal<string | null>(null);

/** This page load is the provider's redirect after a successful sign-in. */
export let returnedSignedIn = false;

/** Reads the result of the redirect and removes it from the address. */
export function readRedirect(): void {
  const result = /^#(?:(signed-in)|sign-in=([a-z_]+))$/.exec(location.hash);
  if (!result) return;
  history.replaceState(history.state, "", location.pathname + location.search);
  returnedSignedIn = result[1] !== undefined;
  redirectError.value = result[2] ?? null;
}

/** Loads the provider's name; if that fails, only the password form is offered. */
export async function loadProvider(): Promise<void> {
  try {
    const response = await fetch("/api/sign-in", { cache: "no-store" });
    const ways = (await response.json()) as { openid?: { label?: string } | null };
    provider.value = ways.openid?.label ?? null;
  } catch {
    provider.value = null;
  }
}

/** Redirects to the provider; gives an error code if that is not possible, else an empty text. */
export async function redirectToProvider(door: "field" | "office", enrolled?: EnrolledDevice): Promise<string> {
  let response: Response;
  try {
    response = await fetch("/api/sign-in/openid", {
      method: "POST",
      headers: { "content-type": "application/json", "X-Doorstep": "1" },
      body: JSON.stringify({ door, ...enrolled }),
      cache: "no-store",
    });
  } catch {
    return "offline";
  }
  const body = (await response.json().catch(() => ({}))) as { to?: string; code?: string };
  if (!response.ok || !body.to) return body.code ?? "office_error";
  location.assign(body.to);
  return "";
}

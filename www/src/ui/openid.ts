/** The way to sign in by an identity provider, which both apps offer where the office has one. */
import { signal } from "@preact/signals";
import type { EnrolledDevice } from "../core/api";

/** What the button calls the provider; null where there is none, or no network to ask. */
export const provider = signal<string | null>(null);

/** Why the provider's answer signed nobody in, as a stable word; it comes with the way back. */
export const cameBack = signal<string | null>(null);

/** The browser has just come back signed in. */
export let signedIn = false;

/** Reads what the way back says, and takes it out of the address. */
export function readReturn(): void {
  const said = /^#(?:(signed-in)|sign-in=([a-z_]+))$/.exec(location.hash);
  if (!said) return;
  history.replaceState(history.state, "", location.pathname + location.search);
  signedIn = said[1] !== undefined;
  cameBack.value = said[2] ?? null;
}

/** Asks for the provider's name. Without an answer there is the password. */
export async function askForProvider(): Promise<void> {
  try {
    const response = await fetch("/api/sign-in", { cache: "no-store" });
    const ways = (await response.json()) as { openid?: { label?: string } | null };
    provider.value = ways.openid?.label ?? null;
  } catch {
    provider.value = null;
  }
}

/** Leaves for the provider; gives a stable word where that is not possible. */
export async function leave(door: "field" | "office", enrolled?: EnrolledDevice): Promise<string> {
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

/**
 * Applies commands even if the worker is replaced meanwhile. When the answer is lost with the
 * worker, it is unknown whether the command was applied, so it is repeated in a way that has no
 * effect the second time.
 */
import { ClientError, type Reading } from "../core/api";
import type { Command, FieldValue, VisitView } from "../wasm/doorstep";
import type { TextVersion } from "./AutosaveText";
import { rebase, spliceBetween } from "./rebase";
import { client, me } from "./state";

/** An edit of a merged text, with the version of the record that typing began from. */
interface TextEdit {
  field: "notes" | "feedback";
  base: TextVersion;
  text: string;
}

export interface ApplyOptions {
  /** Set if the command edits a merged text. */
  edit?: TextEdit | undefined;
  /** The form that the command submits; its draft is deleted. */
  form?: string | undefined;
}

export function textCommand({ field, base, text }: TextEdit): Command {
  return { do: field === "notes" ? "edit_notes" : "edit_feedback", base: base.heads, text };
}

export async function applyWithRetry(id: string, command: Command, { edit, form }: ApplyOptions): Promise<VisitView> {
  const since = Date.now();
  try {
    return await client.apply(id, command, form);
  } catch (cause) {
    const code = cause instanceof ClientError ? cause.code : "";
    // The base may have been shown before it was durable, and be lost with the worker.
    if (edit && (code === "restarted" || code === "not_there")) return reapplyText(id, edit, since);
    if (code !== "restarted") throw cause;
  }
  try {
    return await client.apply(id, command, form);
  } catch (cause) {
    if (cause instanceof ClientError && wasApplied(command, cause.code)) return client.view(id);
    throw cause;
  }
}

/** Signs once: the signature has its own id, so a repeated request is refused as `written_once`. */
export async function signWithRetry(id: string, reading: Reading): Promise<VisitView> {
  try {
    return await client.sign(id, reading);
  } catch (cause) {
    if (!(cause instanceof ClientError) || cause.code !== "restarted") throw cause;
  }
  try {
    return await client.sign(id, reading);
  } catch (cause) {
    if (cause instanceof ClientError && cause.code === "written_once") return client.view(id);
    throw cause;
  }
}

/** Whether the refusal of a repeated command means that the first attempt was applied. */
function wasApplied(command: Command, code: string): boolean {
  // Entries have ids of their own.
  if (code === "written_once") return true;
  if (command.do === "seal") return code === "sealed";
  return command.do === "withdraw_option" && code === "not_there";
}

/** Repeating a text edit would insert the text twice, so the history is searched for it first. */
async function reapplyText(id: string, { field, base, text }: TextEdit, since: number): Promise<VisitView> {
  const now = await client.view(id);
  const own = spliceBetween(base.text, text);
  const applied = (await client.history(id)).some((entry) => {
    if (entry.path !== field || entry.by !== me.value || entry.at < since) return false;
    const change = spliceBetween(textOf(entry.from), textOf(entry.to));
    return change.inserted === own.inserted && change.deleted === own.deleted;
  });
  if (applied) return now;
  const onto = { text: now[field], heads: now.heads };
  const rebased = rebase(base.text, text, onto.text, text.length);
  return client.apply(id, textCommand({ field, base: onto, text: rebased.text }));
}

function textOf(value: FieldValue): string {
  return value.type === "text" ? value.value : "";
}

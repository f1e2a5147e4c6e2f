/**
 * Carries a command out, however the core's leader changes meanwhile. Where the answer was lost
 * with the worker that had the command, nobody knows whether it was carried out: it is repeated
 * in a way that does nothing twice.
 */
import { ClientError, type Reading } from "../core/api";
import type { Command, FieldValue, VisitView } from "../wasm/doorstep";
import type { TextVersion } from "./AutosaveText";
import { rebase, stretch } from "./rebase";
import { client, me } from "./state";

/** What stands in a text's field, and the state of the record that typing began from. */
export interface TextEdit {
  field: "notes" | "feedback";
  base: TextVersion;
  text: string;
}

/** What belongs to a command. */
export interface About {
  /** What an edit of a text is about. */
  typed?: TextEdit | undefined;
  /** The form that is handed in with it, and emptied. */
  form?: string | undefined;
}

export function textCommand({ field, base, text }: TextEdit): Command {
  return { do: field === "notes" ? "edit_notes" : "edit_feedback", base: base.heads, text };
}

export async function applyWithRetry(id: string, command: Command, { typed, form }: About): Promise<VisitView> {
  const since = Date.now();
  try {
    return await client.apply(id, command, form);
  } catch (cause) {
    const code = cause instanceof ClientError ? cause.code : "";
    // What a text was typed on may have been shown before it was durable, and be lost.
    if (typed && (code === "restarted" || code === "not_there")) return typedAgain(id, typed, since);
    if (code !== "restarted") throw cause;
  }
  try {
    return await client.apply(id, command, form);
  } catch (cause) {
    if (cause instanceof ClientError && stands(command, cause.code)) return client.view(id);
    throw cause;
  }
}

/** Signs once, however often it is asked for: the signature has an id of its own. */
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

/** Whether the refusal of a repeated command says that it was carried out before. */
function stands(command: Command, code: string): boolean {
  // An entry that is written once has an id of its own.
  if (code === "written_once") return true;
  if (command.do === "seal") return code === "sealed";
  return command.do === "withdraw_option" && code === "not_there";
}

/** A text's edit would double what it put in: the history tells whether it is there. */
async function typedAgain(id: string, typed: TextEdit, since: number): Promise<VisitView> {
  const { field, base, text } = typed;
  const now = await client.view(id);
  const own = stretch(base.text, text);
  const written = (await client.history(id)).some((entry) => {
    if (entry.path !== field || entry.by !== me.value || entry.at < since) return false;
    const change = stretch(asText(entry.from), asText(entry.to));
    return change.inserted === own.inserted && change.deleted === own.deleted;
  });
  if (written) return now;
  const onto = { text: now[field], heads: now.heads };
  const { text: whole } = rebase(base.text, text, onto.text, text.length);
  return client.apply(id, textCommand({ field, base: onto, text: whole }));
}

function asText(value: FieldValue): string {
  return value.type === "text" ? value.value : "";
}

/** Commands that undo an edit. */
import type { Command } from "../wasm/doorstep";

/** Fields of one area and their values before the edit; null for an empty field. */
type Before = Record<string, string | number | null>;

/** Restores the values before an edit, and clears the fields that were empty. */
export function undoCommands(area: "visit" | "talk" | "appointment", before: Before): Command[] {
  const values = Object.entries(before).filter(([, value]) => value !== null);
  const empty = Object.keys(before).filter((key) => before[key] === null);
  const commands: Command[] = [];
  if (values.length > 0) commands.push({ do: `edit_${area}`, ...Object.fromEntries(values) } as Command);
  if (empty.length > 0) commands.push({ do: "clear", paths: empty.map((key) => `${area}.${key}`) });
  return commands;
}

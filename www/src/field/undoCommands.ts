/** The way back from a slip: facts as they stood before. */
import type { Command } from "../wasm/doorstep";

type Facts = Record<string, string | number | null>;

/** Commands that make facts what they were; where nothing stood nothing stands again. */
export function undoCommands(area: "visit" | "talk" | "appointment", facts: Facts): Command[] {
  const stood = Object.entries(facts).filter(([, value]) => value !== null);
  const absent = Object.keys(facts).filter((key) => facts[key] === null);
  const commands: Command[] = [];
  if (stood.length > 0) commands.push({ do: `edit_${area}`, ...Object.fromEntries(stood) } as Command);
  if (absent.length > 0) commands.push({ do: "clear", paths: absent.map((key) => `${area}.${key}`) });
  return commands;
}

/** The remark of a return. Its marks are also lines of it, for phones that know no marks. */
import type { ReviewMark, ReviewView } from "../wasm/doorstep";

/** The remark that is sent: the typed text, and a line per mark. */
export function fullRemark(typed: string, marks: ReviewMark[], name: (path: string) => string): string {
  return [typed.trim(), ...marks.map(({ path, note }) => `${name(path)}: ${note}`)].filter(Boolean).join("\n");
}

/** The typed text: the lines that no mark repeats. */
export function ownRemark({ remark, marks }: ReviewView): string {
  const repeats = (line: string): boolean => marks.some(({ note }) => line.endsWith(`: ${note}`));
  return remark
    .split("\n")
    .filter((line) => !repeats(line))
    .join("\n");
}

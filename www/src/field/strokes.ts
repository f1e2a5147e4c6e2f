/** The strokes of a signature as the text of a draft, and back. */
import type Pad from "signature_pad";

interface Strokes {
  /** How wide the paper was, CSS pixels. */
  width: number;
  /** Of each stroke, four numbers a point: x, y, ms since its first one, pressure. */
  strokes: number[][];
}

/** Nothing where nothing is drawn. */
export function writeStrokes(pad: Pad, width: number): string {
  if (pad.isEmpty()) return "";
  const strokes = pad.toData().map(({ points }) => {
    const begun = points[0]?.time ?? 0;
    return points.flatMap(({ x, y, time, pressure }) => [
      tenths(x),
      tenths(y),
      Math.round(time - begun),
      tenths(pressure),
    ]);
  });
  return JSON.stringify({ width, strokes } satisfies Strokes);
}

/** Null where there is nothing to draw, or a text that this version does not know. */
export function readStrokes(text: string): Strokes | null {
  try {
    const read = JSON.parse(text) as Partial<Strokes> | null;
    const { width, strokes } = read ?? {};
    const sound = typeof width === "number" && width > 0 && Array.isArray(strokes);
    return sound && strokes.flat().every((number) => typeof number === "number") ? { width, strokes } : null;
  } catch {
    return null;
  }
}

/** Draws on a paper that may be wider or narrower than the one before. */
export function drawStrokes(pad: Pad, drawn: Strokes | null, width: number): void {
  if (!drawn) return;
  const scale = width / drawn.width;
  const { penColor, dotSize, minWidth, maxWidth, velocityFilterWeight, compositeOperation } = pad;
  const look = { penColor, dotSize, minWidth, maxWidth, velocityFilterWeight, compositeOperation };
  pad.fromData(drawn.strokes.map((numbers) => ({ ...look, points: pointsOf(numbers, scale) })));
}

function pointsOf(numbers: number[], scale: number): { x: number; y: number; time: number; pressure: number }[] {
  const points = [];
  for (let at = 0; at + 3 < numbers.length; at += 4) {
    const [x = 0, y = 0, time = 0, pressure = 0] = numbers.slice(at, at + 4);
    points.push({ x: x * scale, y: y * scale, time, pressure });
  }
  return points;
}

const tenths = (number: number): number => Math.round(number * 10) / 10;

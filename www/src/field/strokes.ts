/** The strokes of a signature as the text of a draft, and back. */
import type Pad from "signature_pad";

interface Strokes {
  /** Width of the canvas in CSS pixels. */
  width: number;
  /** Per stroke a flat array, four numbers per point: x, y, ms since the first point, pressure. */
  strokes: number[][];
}

/** Empty if nothing is drawn. */
export function writeStrokes(pad: Pad, width: number): string {
  if (pad.isEmpty()) return "";
  const strokes = pad.toData().map(({ points }) => {
    const start = points[0]?.time ?? 0;
    return points.flatMap(({ x, y, time, pressure }) => [
      tenths(x),
      tenths(y),
      Math.round(time - start),
      tenths(pressure),
    ]);
  });
  return JSON.stringify({ width, strokes } satisfies Strokes);
}

/** Null if the text holds no strokes that this version can read. */
export function readStrokes(text: string): Strokes | null {
  try {
    const read = JSON.parse(text) as Partial<Strokes> | null;
    const { width, strokes } = read ?? {};
    const valid = typeof width === "number" && width > 0 && Array.isArray(strokes);
    return valid && strokes.flat().every((number) => typeof number === "number") ? { width, strokes } : null;
  } catch {
    return null;
  }
}

/** Draws the strokes, scaled to the width of the current canvas. */
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

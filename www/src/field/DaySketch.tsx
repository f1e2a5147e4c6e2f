/** Relative positions of a day's stops. Without map tiles no server learns the addresses. */
import type { JSX } from "preact";
import type { PlannedStop } from "../wasm/doorstep";
import { t } from "../i18n";
import { formatDistance } from "../ui/format";

export interface Point {
  lat: number;
  lon: number;
}

const WIDTH = 320;
const HEIGHT = 220;
const MARGIN = 26;
const METRES_A_DEGREE = 111_320;
/** A single address still needs a scale. */
const LEAST_METRES = 400;

interface Props {
  stops: PlannedStop[];
  start: Point | null;
  nameOf: (id: string) => string;
}

export function DaySketch({ stops, start, nameOf }: Props): JSX.Element | null {
  const located = stops.flatMap(({ stop, warning }, at) =>
    stop.lat === null || stop.lon === null
      ? []
      : [{ id: stop.id, number: at + 1, lat: stop.lat, lon: stop.lon, warned: warning !== null }],
  );
  if (located.length === 0) return null;
  const project = projection([...located, ...(start ? [start] : [])]);
  const points = located.map((stop) => ({ ...stop, ...project.at(stop) }));
  const from = start && project.at(start);
  const line = [...(from ? [from] : []), ...points].map(({ x, y }) => `${x},${y}`).join(" ");
  const bar = scaleBar(project.metresAPixel);
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={t("plan_day/sketch", {
        stops: located.map(({ id, number }) => `${number} ${nameOf(id)}`).join(", "),
      })}
      class="rounded-box border-base-300 bg-base-100 w-full border"
      data-testid="day-sketch"
    >
      <polyline points={line} fill="none" class="stroke-primary/50" stroke-width="2" stroke-dasharray="4 4" />
      {from && (
        <g>
          <circle cx={from.x} cy={from.y} r="7" class="fill-info" />
          <circle cx={from.x} cy={from.y} r="3" class="fill-base-100" />
        </g>
      )}
      {points.map(({ id, number, x, y, warned }) => (
        <g key={id}>
          <circle
            cx={x}
            cy={y}
            r="12"
            stroke-width="2"
            class={`stroke-base-100 ${warned ? "fill-error" : "fill-primary"}`}
          />
          <text
            x={x}
            y={y + 4.5}
            text-anchor="middle"
            class={`text-[13px] font-bold ${warned ? "fill-error-content" : "fill-primary-content"}`}
          >
            {number}
          </text>
        </g>
      ))}
      <g class="fill-base-content stroke-base-content">
        <line x1="12" y1={HEIGHT - 10} x2={12 + bar.pixels} y2={HEIGHT - 10} stroke-width="2" />
        <text x="12" y={HEIGHT - 15} stroke="none" class="text-[11px]">
          {formatDistance(bar.metres)}
        </text>
        <path d={`M${WIDTH - 18} 30V12m-4 6 4-6 4 6`} fill="none" stroke-width="1.5" />
        <text x={WIDTH - 18} y="42" text-anchor="middle" stroke="none" class="text-[11px]">
          {t("plan_day/north")}
        </text>
      </g>
    </svg>
  );
}

/** Equirectangular around the middle, the same scale in both directions. */
function projection(points: Point[]): { at: (point: Point) => { x: number; y: number }; metresAPixel: number } {
  const lats = points.map(({ lat }) => lat);
  const lons = points.map(({ lon }) => lon);
  const middle = { lat: (Math.min(...lats) + Math.max(...lats)) / 2, lon: (Math.min(...lons) + Math.max(...lons)) / 2 };
  const east = METRES_A_DEGREE * Math.cos((middle.lat * Math.PI) / 180);
  const wide = Math.max((Math.max(...lons) - Math.min(...lons)) * east, LEAST_METRES);
  const high = Math.max((Math.max(...lats) - Math.min(...lats)) * METRES_A_DEGREE, LEAST_METRES);
  const metresAPixel = Math.max(wide / (WIDTH - 2 * MARGIN), high / (HEIGHT - 2 * MARGIN));
  const round = (value: number): number => Math.round(value * 10) / 10;
  const at = ({ lat, lon }: Point): { x: number; y: number } => ({
    x: round(WIDTH / 2 + ((lon - middle.lon) * east) / metresAPixel),
    y: round(HEIGHT / 2 - ((lat - middle.lat) * METRES_A_DEGREE) / metresAPixel),
  });
  return { at, metresAPixel };
}

/** A round length that takes about a quarter of the width. */
function scaleBar(metresAPixel: number): { metres: number; pixels: number } {
  const about = (metresAPixel * WIDTH) / 4;
  const power = 10 ** Math.floor(Math.log10(about));
  const metres = [5, 2, 1].map((step) => step * power).find((step) => step <= about) ?? power;
  return { metres, pixels: metres / metresAPixel };
}

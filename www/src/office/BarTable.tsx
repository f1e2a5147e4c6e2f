/** A table with a bar beside each row. The bars repeat the numbers and are hidden from screen readers. */
import type { JSX } from "preact";
import { Link } from "wouter-preact";
import { formatCount } from "../ui/format";

/** A figure, and the list of the records that it counts. */
export interface Figure {
  count: number;
  href?: string | undefined;
}

interface Row {
  key: string;
  name: string;
  /** More about the name, such as an amount. */
  detail?: string;
  figures: Figure[];
}

/** Colours of the bars, in order of the columns. */
const TONES = ["primary", "accent", "secondary"] as const;
const FILLS = { primary: "fill-primary", accent: "fill-accent", secondary: "fill-secondary" };
const SWATCHES = { primary: "bg-primary", accent: "bg-accent", secondary: "bg-secondary" };

export function BarTable(props: {
  caption: string;
  heading: string;
  columns: string[];
  rows: Row[];
  testId: string;
}): JSX.Element {
  const sums = props.rows.map((row) => row.figures.reduce((sum, { count }) => sum + count, 0));
  const max = Math.max(1, ...sums);
  const several = props.columns.length > 1;
  return (
    <table class="w-full text-sm" data-testid={props.testId}>
      <caption class="sr-only">{props.caption}</caption>
      <thead>
        <tr class="muted border-base-300 border-b text-left">
          <th scope="col" class="py-1 pr-3 font-normal">
            {props.heading}
          </th>
          <td class="w-2/5" />
          {props.columns.map((column, at) => (
            <th key={column} scope="col" class="py-1 pl-3 text-right font-normal whitespace-nowrap">
              {several && <span class={`mr-1.5 inline-block size-2.5 ${SWATCHES[tone(at)]}`} aria-hidden="true" />}
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {props.rows.map((row) => (
          <tr key={row.key} class="border-base-300 border-b last:border-0" data-name={row.key}>
            <th scope="row" class="py-1 pr-3 text-left font-normal">
              {row.name}
              {row.detail && <span class="muted block text-xs">{row.detail}</span>}
            </th>
            <td aria-hidden="true">
              <Bar counts={row.figures.map(({ count }) => count)} max={max} />
            </td>
            {row.figures.map((figure, at) => (
              <td key={props.columns[at]} class="py-1 pl-3 text-right tabular-nums">
                <Count {...figure} label={[props.caption, row.name, several ? props.columns[at] : ""]} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const tone = (at: number): (typeof TONES)[number] => TONES[at % TONES.length] ?? "primary";

function Bar({ counts, max }: { counts: number[]; max: number }): JSX.Element {
  let from = 0;
  return (
    <svg viewBox="0 0 100 8" preserveAspectRatio="none" class="block h-3 w-full">
      {counts.map((count, at) => {
        const x = from;
        const width = (100 * count) / max;
        from += width;
        return <rect key={at} x={x} y="0" width={width} height="8" class={FILLS[tone(at)]} />;
      })}
    </svg>
  );
}

/** A number that links to the records it counts; zero has none. */
export function Count(props: Figure & { label: (string | undefined)[] }): JSX.Element {
  const text = formatCount(props.count);
  if (!props.href || props.count === 0) return <>{text}</>;
  const label = [...props.label.filter((part) => part), text].join(", ");
  return (
    <Link href={props.href} class="link" aria-label={label}>
      {text}
    </Link>
  );
}

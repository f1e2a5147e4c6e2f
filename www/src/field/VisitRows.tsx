/** The rows of one section. Those on the screen are rendered before it is painted, the others when the page is idle. */
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ListRow } from "../core/api";
import { VisitRow } from "./VisitRow";

/** Sections up to this length are rendered completely, block by block; longer ones only near the screen. */
const MAX_COMPLETE = 300;
/** Rows rendered together: few enough for a slow phone between two frames of a fling. */
const BLOCK = 2;
/** Height of a row with its border, as in the style sheet. */
const ROW_REM = 6.25;
/** Pixels above and below the screen that are rendered too. */
const OVERSCAN_PX = 250;

interface Rows {
  rows: ListRow[];
  showTimes: boolean;
}

/** Blocks by their number: the first one, and the one after the last. */
type Range = readonly [number, number];

export function VisitRows({ rows, showTimes }: Rows): JSX.Element {
  const ref = useRef<HTMLDivElement>(null);
  const blocks = useMemo(() => {
    const groups: ListRow[][] = [];
    for (let at = 0; at < rows.length; at += BLOCK) groups.push(rows.slice(at, at + BLOCK));
    return groups;
  }, [rows]);
  const [near, setNear] = useState<Range>([0, 1]);
  /** Blocks from the start that stay rendered. */
  const [complete, setComplete] = useState(0);
  const isComplete = complete >= blocks.length;
  useEffect(() => {
    if (!isComplete && rows.length <= MAX_COMPLETE) whenIdle(() => setComplete(complete + 1));
  }, [complete, isComplete, rows.length]);
  useLayoutEffect(() => {
    if (isComplete) return;
    const update = (): void => {
      if (!ref.current) return;
      const block = BLOCK * ROW_REM * parseFloat(getComputedStyle(document.documentElement).fontSize);
      const above = -ref.current.getBoundingClientRect().top;
      const limit = (at: number): number => Math.max(0, Math.min(blocks.length, at));
      const first = limit(Math.floor((above - OVERSCAN_PX) / block));
      const end = limit(Math.ceil((above + innerHeight + OVERSCAN_PX) / block));
      setNear((old) => (old[0] === first && old[1] === end ? old : [first, end]));
    };
    // At once: timers come late while a page loads, in Firefox long after the first rows are painted.
    update();
    addEventListener("scroll", update, { passive: true });
    addEventListener("resize", update, { passive: true });
    return () => {
      removeEventListener("scroll", update);
      removeEventListener("resize", update);
    };
  }, [blocks, isComplete]);
  const joined = near[0] <= complete;
  const ranges: Range[] = joined ? [[0, Math.max(complete, near[1])]] : [[0, complete], near];
  return (
    <div ref={ref} class="card-plain divide-base-300 @container divide-y overflow-hidden p-0">
      <Blocks blocks={blocks} ranges={ranges} showTimes={showTimes} />
    </div>
  );
}

/** Some ranges of blocks, with spacers for the blocks between them. */
function Blocks(parts: { blocks: ListRow[][]; ranges: Range[]; showTimes: boolean }): JSX.Element {
  const { blocks, ranges, showTimes } = parts;
  const children: JSX.Element[] = [];
  let at = 0;
  for (const [from, to] of [...ranges, [blocks.length, blocks.length] as const]) {
    const skipped = blocks.slice(at, from).reduce((sum, { length }) => sum + length, 0);
    if (skipped > 0) children.push(<div key={`space-${at}`} style={{ height: `${skipped * ROW_REM}rem` }} />);
    blocks
      .slice(from, to)
      .forEach((rows, index) => children.push(<Block key={from + index} rows={rows} showTimes={showTimes} />));
    at = Math.max(at, to);
  }
  return <>{children}</>;
}

/** Work for idle times, one item at a time. */
const idleQueue: (() => void)[] = [];

function whenIdle(work: () => void): void {
  idleQueue.push(work);
  if (idleQueue.length === 1) setTimeout(runNext);
}

function runNext(): void {
  idleQueue[0]?.();
  idleQueue.shift();
  if (idleQueue.length > 0) setTimeout(runNext);
}

function Block({ rows, showTimes }: Rows): JSX.Element {
  return useMemo(
    () => (
      <ul class="divide-base-300 divide-y">
        {rows.map((row) => (
          <li key={row.id} class="list-row-slot">
            <VisitRow row={row} showTimes={showTimes} />
          </li>
        ))}
      </ul>
    ),
    [rows, showTimes],
  );
}

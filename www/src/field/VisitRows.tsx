/** The rows of one section. In a long section only the rows near the screen are rendered. */
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ListRow } from "../core/api";
import { VisitRow } from "./VisitRow";

/** Sections up to this length are rendered completely, block by block, when the page is idle. */
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

export function VisitRows({ rows, showTimes }: Rows): JSX.Element {
  const blocks = useMemo(() => {
    const groups: ListRow[][] = [];
    for (let at = 0; at < rows.length; at += BLOCK) groups.push(rows.slice(at, at + BLOCK));
    return groups;
  }, [rows]);
  const List = rows.length <= MAX_COMPLETE ? CompleteList : WindowedList;
  return (
    <div class="card-plain divide-base-300 @container divide-y overflow-hidden p-0">
      <List blocks={blocks} showTimes={showTimes} />
    </div>
  );
}

interface Blocks {
  blocks: ListRow[][];
  showTimes: boolean;
}

/** Renders one more block whenever the page is idle. */
function CompleteList({ blocks, showTimes }: Blocks): JSX.Element {
  const [rendered, setRendered] = useState(1);
  useEffect(() => {
    if (rendered < blocks.length) whenIdle(() => setRendered(rendered + 1));
  }, [rendered, blocks.length]);
  return <BlockRange blocks={blocks} showTimes={showTimes} from={0} to={Math.min(rendered, blocks.length)} />;
}

/** Renders the blocks near the screen, in the frame that scrolls to them. */
function WindowedList({ blocks, showTimes }: Blocks): JSX.Element {
  const ref = useRef<HTMLDivElement>(null);
  const [[from, to], setRange] = useState<[number, number]>([0, 1]);
  useLayoutEffect(() => {
    const updateRange = (): void => {
      if (!ref.current) return;
      const block = BLOCK * ROW_REM * parseFloat(getComputedStyle(document.documentElement).fontSize);
      const above = -ref.current.getBoundingClientRect().top;
      const limit = (at: number): number => Math.max(0, Math.min(blocks.length, at));
      const first = limit(Math.floor((above - OVERSCAN_PX) / block));
      const end = limit(Math.ceil((above + innerHeight + OVERSCAN_PX) / block));
      setRange((old) => (old[0] === first && old[1] === end ? old : [first, end]));
    };
    // The first rows appear before the rest of the screen is rendered.
    whenIdle(updateRange);
    addEventListener("scroll", updateRange, { passive: true });
    addEventListener("resize", updateRange, { passive: true });
    return () => {
      removeEventListener("scroll", updateRange);
      removeEventListener("resize", updateRange);
    };
  }, [blocks]);
  return (
    <div ref={ref}>
      <BlockRange blocks={blocks} showTimes={showTimes} from={from} to={to} />
    </div>
  );
}

/** A range of blocks, with spacers for the blocks before and after it. */
function BlockRange({ blocks, showTimes, from, to }: Blocks & { from: number; to: number }): JSX.Element {
  return (
    <>
      <Spacer rows={from * BLOCK} />
      {blocks.slice(from, to).map((rows, at) => (
        <Block key={from + at} rows={rows} showTimes={showTimes} />
      ))}
      <Spacer rows={blocks.slice(to).reduce((sum, { length }) => sum + length, 0)} />
    </>
  );
}

function Spacer({ rows }: { rows: number }): JSX.Element | null {
  return rows === 0 ? null : <div style={{ height: `${rows * ROW_REM}rem` }} />;
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

/** Rows of one section. Of a long one only the blocks near the screen are drawn. */
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ListRow } from "../core/api";
import { VisitRow } from "./VisitRow";

/** Lists up to here are drawn whole, block after block, in the time that nothing else needs. */
const WHOLE = 300;
/** Rows that come and go together: a slow phone draws them between two frames of a flick. */
const BLOCK = 2;
/** Height of a row with its line, as the style sheet has it. */
const ROW_REM = 6.25;
/** Pixels above and below the screen that are drawn with it. */
const AHEAD = 250;

interface Rows {
  rows: ListRow[];
  agenda: boolean;
}

export function VisitRows({ rows, agenda }: Rows): JSX.Element {
  const blocks = useMemo(() => {
    const cut: ListRow[][] = [];
    for (let at = 0; at < rows.length; at += BLOCK) cut.push(rows.slice(at, at + BLOCK));
    return cut;
  }, [rows]);
  const Drawn = rows.length <= WHOLE ? Whole : Part;
  return (
    <div class="card-plain divide-base-300 @container divide-y overflow-hidden p-0">
      <Drawn blocks={blocks} agenda={agenda} />
    </div>
  );
}

interface Blocks {
  blocks: ListRow[][];
  agenda: boolean;
}

/** All blocks, one more whenever there is time. */
function Whole({ blocks, agenda }: Blocks): JSX.Element {
  const [drawn, setDrawn] = useState(1);
  useEffect(() => {
    if (drawn < blocks.length) whenIdle(() => setDrawn(drawn + 1));
  }, [drawn, blocks.length]);
  return <Span blocks={blocks} agenda={agenda} from={0} to={Math.min(drawn, blocks.length)} />;
}

/** The blocks near the screen, which are drawn in the frame that scrolls them there. */
function Part({ blocks, agenda }: Blocks): JSX.Element {
  const ref = useRef<HTMLDivElement>(null);
  const [[from, to], setSpan] = useState<[number, number]>([0, 1]);
  useLayoutEffect(() => {
    const look = (): void => {
      if (!ref.current) return;
      const block = BLOCK * ROW_REM * parseFloat(getComputedStyle(document.documentElement).fontSize);
      const above = -ref.current.getBoundingClientRect().top;
      const limit = (at: number): number => Math.max(0, Math.min(blocks.length, at));
      const first = limit(Math.floor((above - AHEAD) / block));
      const end = limit(Math.ceil((above + innerHeight + AHEAD) / block));
      setSpan((old) => (old[0] === first && old[1] === end ? old : [first, end]));
    };
    // The first rows are shown before the others of the screen are drawn.
    whenIdle(look);
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look, { passive: true });
    return () => {
      removeEventListener("scroll", look);
      removeEventListener("resize", look);
    };
  }, [blocks]);
  return (
    <div ref={ref}>
      <Span blocks={blocks} agenda={agenda} from={from} to={to} />
    </div>
  );
}

/** Some of the blocks, in the room that all of them take. */
function Span({ blocks, agenda, from, to }: Blocks & { from: number; to: number }): JSX.Element {
  return (
    <>
      <Room rows={from * BLOCK} />
      {blocks.slice(from, to).map((rows, at) => (
        <Block key={from + at} rows={rows} agenda={agenda} />
      ))}
      <Room rows={blocks.slice(to).reduce((sum, { length }) => sum + length, 0)} />
    </>
  );
}

function Room({ rows }: { rows: number }): JSX.Element | null {
  return rows === 0 ? null : <div style={{ height: `${rows * ROW_REM}rem` }} />;
}

/** What waits for the page to have nothing better to do, one thing at a time. */
const waiting: (() => void)[] = [];

function whenIdle(work: () => void): void {
  waiting.push(work);
  if (waiting.length === 1) setTimeout(next);
}

function next(): void {
  waiting[0]?.();
  waiting.shift();
  if (waiting.length > 0) setTimeout(next);
}

function Block({ rows, agenda }: Rows): JSX.Element {
  return useMemo(
    () => (
      <ul class="divide-base-300 divide-y">
        {rows.map((row) => (
          <li key={row.id} class="list-row-slot">
            <VisitRow row={row} agenda={agenda} />
          </li>
        ))}
      </ul>
    ),
    [rows, agenda],
  );
}

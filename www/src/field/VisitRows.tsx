/** Rows of one section. Of a long one only the blocks near the screen are drawn. */
import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ListRow } from "../core/api";
import { VisitRow } from "./VisitRow";

/** Lists up to here are drawn whole, block after block, in the time that nothing else needs. */
const WHOLE = 300;
/** Rows that come and go together: a slow phone draws them between two frames of a flick. */
const BLOCK = 8;
/** Height of a row with its line, as the style sheet has it. */
const ROW_REM = 6.25;
/** Blocks are drawn this far ahead, so that a flick never meets an empty one. */
const AHEAD = "700px 0px";

export function VisitRows({ rows, agenda }: { rows: ListRow[]; agenda: boolean }): JSX.Element {
  const blocks: ListRow[][] = [];
  for (let at = 0; at < rows.length; at += BLOCK) blocks.push(rows.slice(at, at + BLOCK));
  return (
    <div class="card-plain divide-base-300 divide-y overflow-hidden p-0">
      {blocks.map((block, at) => (
        <Block key={at} rows={block} agenda={agenda} first={at === 0} stays={rows.length <= WHOLE} />
      ))}
    </div>
  );
}

function Block(props: { rows: ListRow[]; agenda: boolean; first: boolean; stays: boolean }): JSX.Element {
  const ref = useRef<HTMLDivElement>(null);
  const [near, setNear] = useState(props.first);
  useLayoutEffect(() => {
    if (!ref.current) return;
    const watch = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) setNear(true);
        else if (props.stays) whenIdle(() => setNear(true));
        else setNear(false);
      },
      { rootMargin: AHEAD },
    );
    watch.observe(ref.current);
    return () => watch.disconnect();
  }, [props.stays]);
  return (
    <div ref={ref} style={{ minHeight: `${props.rows.length * ROW_REM}rem` }}>
      {near && <List rows={props.rows} agenda={props.agenda} />}
    </div>
  );
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

function List({ rows, agenda }: { rows: ListRow[]; agenda: boolean }): JSX.Element {
  return (
    <ul class="divide-base-300 @container divide-y">
      {rows.map((row) => (
        <li key={row.id} class="list-row-slot">
          <VisitRow row={row} agenda={agenda} />
        </li>
      ))}
    </ul>
  );
}

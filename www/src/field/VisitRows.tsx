/** Rows of one section. Of a long one only the blocks near the screen are drawn. */
import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ListRow } from "../core/api";
import { VisitRow } from "./VisitRow";

/** As many rows as a phone draws without anybody noticing. */
const WHOLE = 300;
/** Rows that come and go together: few screens' worth. */
const BLOCK = 40;
/** Height of a row with its line, as the style sheet has it. */
const ROW_REM = 6.25;
/** Blocks are drawn this far ahead, so that a flick never meets an empty one. */
const AHEAD = "1600px 0px";

export function VisitRows({ rows, agenda }: { rows: ListRow[]; agenda: boolean }): JSX.Element {
  const size = rows.length > WHOLE ? BLOCK : rows.length;
  const blocks: ListRow[][] = [];
  for (let at = 0; at < rows.length; at += size) blocks.push(rows.slice(at, at + size));
  return (
    <div class="card-plain divide-base-300 @container divide-y overflow-hidden p-0">
      {blocks.map((block, at) =>
        blocks.length === 1 ? (
          <List key={at} rows={block} agenda={agenda} />
        ) : (
          <Block key={at} rows={block} agenda={agenda} first={at === 0} />
        ),
      )}
    </div>
  );
}

function Block(props: { rows: ListRow[]; agenda: boolean; first: boolean }): JSX.Element {
  const ref = useRef<HTMLDivElement>(null);
  const [near, setNear] = useState(props.first);
  useLayoutEffect(() => {
    if (!ref.current) return;
    const watch = new IntersectionObserver(([entry]) => entry && setNear(entry.isIntersecting), { rootMargin: AHEAD });
    watch.observe(ref.current);
    return () => watch.disconnect();
  }, []);
  return (
    <div ref={ref} style={{ minHeight: `${props.rows.length * ROW_REM}rem` }}>
      {near && <List rows={props.rows} agenda={props.agenda} />}
    </div>
  );
}

function List({ rows, agenda }: { rows: ListRow[]; agenda: boolean }): JSX.Element {
  return (
    <ul class="divide-base-300 divide-y">
      {rows.map((row) => (
        <li key={row.id} class="list-row-slot">
          <VisitRow row={row} agenda={agenda} />
        </li>
      ))}
    </ul>
  );
}

/** A dependency graph: boxes that are links, arrows from what comes first; and the same as a table. */
import { staticHref } from '../lib/boot.js';
import { plural } from '../lib/format.js';
import { trustedOwnScript } from '../lib/live.js';
import { BOX, layOut, neighbourhood, onCycles } from '../lib/graph-layout.js';
import { classes, html, useEffect, useMemo, useRef, useState } from '../lib/ui.js';
import { Button, ErrorBox, Skeleton, TableBox, TableHead } from './basics.js';

/** From this many nodes on a worker does the layout, and only a neighbourhood is drawn. */
const WORKER_FROM = 80;
const PART_FROM = 300;

/**
 * @typedef {{id: string, label?: string, note?: string, tone?: string, title?: string}} Node
 * @param {{nodes: Node[], edges: {from: string, to: string}[], label: string, hrefOf: (id: string) => string, centre?: string}} props
 *   an edge goes from what must succeed to what waits for it
 */
export function Graph({ nodes, edges, label, hrefOf, centre }) {
  const [asTable, setAsTable] = useState(false);
  const [middle, setMiddle] = useState(centre ?? nodes[0]?.id);
  const isPart = nodes.length > PART_FROM;
  const shown = useMemo(() => (isPart ? neighbourhood({ nodes, edges }, middle, 2) : { nodes, edges }), [nodes, edges, middle, isPart]);
  const cyclic = useMemo(() => onCycles({ nodes, edges }), [nodes, edges]);
  const { drawn, error } = useLayoutOf(shown);
  const waiting = new Set(edges.map(({ to }) => to));
  const sentence = [
    `${plural(nodes.length, 'task')}, ${plural(edges.length, 'dependency', 'dependencies')}`,
    `${plural(waiting.size, 'task waits', 'tasks wait')} for others`,
    cyclic.size > 0 && `${plural(cyclic.size, 'task')} in a cycle, which never fires`,
    isPart && `shown are ${shown.nodes.length} around ${middle}`,
  ].filter(Boolean).join('; ');
  return html`<figure class="graph" data-testid="graph">
    ${isPart && html`<label class="line-up">Around <select value=${middle} onChange=${(event) => setMiddle(event.target.value)}>
      ${nodes.map(({ id }) => html`<option key=${id} value=${id} selected=${id === middle}>${id}</option>`)}</select></label>`}
    ${error && html`<${ErrorBox} error=${error} title="The graph could not be laid out" />`}
    ${!asTable && !error && (drawn ? html`<${Picture} shown=${shown} drawn=${drawn} cyclic=${cyclic} label=${`${label}. ${sentence}`}
      hrefOf=${hrefOf} />` : html`<${Skeleton} lines=${5} />`)}
    ${asTable && html`<${GraphTable} nodes=${nodes} edges=${edges} label=${label} hrefOf=${hrefOf} />`}
    <figcaption><span>${sentence}.</span><${Button} compact=${true} kind="quiet" icon=${asTable ? 'workflow' : 'table-2'} label=${asTable
      ? 'Show as graph' : 'Show as table'}
      onClick=${() => setAsTable(!asTable)} /></figcaption></figure>`;
}

/** The layout of a graph: at once if it is small, from a worker if it is not. */
function useLayoutOf(shown) {
  const [state, setState] = useState({ drawn: null, error: null });
  useEffect(() => {
    let gone = false;
    const show = (drawn) => !gone && setState({ drawn, error: null });
    const fail = (error) => !gone && setState({ drawn: null, error });
    if (shown.nodes.length < WORKER_FROM) {
      try {
        show(layOut(shown));
      } catch (error) {
        fail(error);
      }
      return () => {
        gone = true;
      };
    }
    const worker = new Worker(trustedOwnScript(staticHref('js/worker/layout.js')), { type: 'module' });
    worker.addEventListener('message', ({ data }) => show(data));
    worker.addEventListener('error', () => fail(new Error('The layout did not come to an end.')));
    worker.postMessage({ nodes: shown.nodes.map(({ id }) => ({ id })), edges: shown.edges.map(({ from, to }) => ({ from, to })) });
    return () => {
      gone = true;
      worker.terminate();
    };
  }, [shown]);
  return state;
}

function Picture({ shown, drawn, cyclic, label, hrefOf }) {
  const frame = useRef(null);
  return html`<div class="graph-frame" ref=${frame} tabindex="0" role="group" aria-label=${label}>
    <svg width=${drawn.width} height=${drawn.height} viewBox=${`0 0 ${drawn.width} ${drawn.height}`}>
      <defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" /></marker></defs>
      ${drawn.edges.map(({ from, to, points }) => html`<path key=${`${from} ${to}`} class=${classes('graph-edge', cyclic.has(from) && cyclic.has(to) && 'is-cyclic')}
        d=${pathOf(points)} marker-end="url(#arrow)" />`)}
      ${shown.nodes.map((node) => html`<${Box} key=${node.id} node=${node} at=${drawn.nodes[node.id]} cyclic=${cyclic.has(node.id)} hrefOf=${hrefOf} />`)}
    </svg></div>`;
}

function Box({ node, at, cyclic, hrefOf }) {
  const { width, height } = BOX;
  return html`<a href=${hrefOf(node.id)} class=${classes('graph-node', `tone-${cyclic ? 'bad' : node.tone ?? 'quiet'}`)} data-node=${node.id}
    aria-label=${[node.label ?? node.id, node.note].filter(Boolean).join(', ')} transform=${`translate(${at.x - width / 2} ${at.y - height / 2})`}>
    <title>${node.title ?? node.id}</title>
    <rect width=${width} height=${height} rx="7" /><rect class="graph-bar" width="4" height=${height} rx="2" />
    <text x="14" y="18" class="graph-label">${cut(node.label ?? node.id, 23)}</text><text x="14" y="34" class="graph-note">${cut(node.note ?? '', 27)}</text></a>`;
}

const cut = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

/** A smooth line through the corners. */
function pathOf(points) {
  const [first, ...rest] = points;
  let text = `M${first.x} ${first.y}`;
  for (let index = 0; index < rest.length - 1; index += 1) {
    const middle = { x: (rest[index].x + rest[index + 1].x) / 2, y: (rest[index].y + rest[index + 1].y) / 2 };
    text += index === rest.length - 2 ? `Q${rest[index].x} ${rest[index].y} ${rest[index + 1].x} ${rest[index + 1].y}`
      : `Q${rest[index].x} ${rest[index].y} ${middle.x} ${middle.y}`;
  }
  return rest.length === 1 ? `${text}L${rest[0].x} ${rest[0].y}` : text;
}

function GraphTable({ nodes, edges, label, hrefOf }) {
  const link = (id) => html`<a key=${id} href=${hrefOf(id)}>${id}</a> `;
  return html`<${TableBox} label=${label}><table class="plain-table fit"><${TableHead} columns=${['Task', 'State', 'Waits for', 'Is waited for by']} />
    <tbody>${nodes.map((node) => html`<tr key=${node.id}><th scope="row">${link(node.id)}</th><td>${node.note ?? '–'}</td>
      <td>${edges.filter(({ to }) => to === node.id).map(({ from }) => link(from))}</td><td>${edges.filter(({ from }) => from === node.id).map(({ to }) => link(to))}</td></tr>`)}</tbody></table><//>`;
}

/** Where the boxes and arrows of a dependency graph stand. Pure; runs in a worker for large graphs. */
import { Graph, layout } from '../../vendor/dagre.js';

/** Size of a box in CSS px. */
export const BOX = { width: 168, height: 44 };

/**
 * @param {{nodes: {id: string}[], edges: {from: string, to: string}[]}} graph
 * @returns {{width: number, height: number, nodes: {[id: string]: {x: number, y: number}}, edges: {from: string, to: string, points: {x: number, y: number}[]}[]}}
 *   centres of boxes and corners of arrows, in CSS px
 */
export function layOut({ nodes, edges }) {
  const graph = new Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 18, ranksep: 56, marginx: 12, marginy: 12 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id } of nodes) graph.setNode(id, { ...BOX });
  const known = new Set(nodes.map(({ id }) => id));
  for (const { from, to } of edges) if (known.has(from) && known.has(to)) graph.setEdge(from, to);
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return {
    width, height,
    nodes: Object.fromEntries(graph.nodes().map((id) => [id, { x: graph.node(id).x, y: graph.node(id).y }])),
    edges: graph.edges().map((edge) => ({ from: edge.v, to: edge.w, points: graph.edge(edge).points.map(({ x, y }) => ({ x, y })) })),
  };
}

/**
 * The part of a graph within some steps of one node, in both directions.
 * @param {{nodes: {id: string}[], edges: {from: string, to: string}[]}} graph
 */
export function neighbourhood({ nodes, edges }, centre, hops) {
  let near = new Set([centre]);
  for (let step = 0; step < hops; step += 1) {
    const next = new Set(near);
    for (const { from, to } of edges) {
      if (near.has(from)) next.add(to);
      if (near.has(to)) next.add(from);
    }
    near = next;
  }
  return { nodes: nodes.filter(({ id }) => near.has(id)), edges: edges.filter(({ from, to }) => near.has(from) && near.has(to)) };
}

/** Nodes that lie on a cycle: what is left when all that can be ordered is taken away from both ends. */
export function onCycles({ nodes, edges }) {
  let left = new Set(nodes.map(({ id }) => id));
  for (;;) {
    const inside = edges.filter(({ from, to }) => left.has(from) && left.has(to));
    const heads = new Set(inside.map(({ to }) => to));
    const tails = new Set(inside.map(({ from }) => from));
    const next = new Set([...left].filter((id) => heads.has(id) && tails.has(id)));
    if (next.size === left.size) return left;
    left = next;
  }
}

/** What a dry run found out, with the way on to the real run. */
import { getJson } from '../../lib/api.js';
import { href } from '../../lib/boot.js';
import { html, useEffect, useState } from '../../lib/ui.js';
import { Button, ErrorBox, Icon, Skeleton } from '../basics.js';
import { closeDialog, openDialog } from '../dialog.js';
import { Pairs } from '../kv.js';
import { isEmpty, Value } from '../value.js';

/** Seconds that the server may take before the page of the run is the better place. */
const WAIT_SECONDS = 20;

/** @param {string} id of the dry run @param {() => void} onStart start it in earnest */
export function showPlan(id, onStart) {
  const go = () => {
    closeDialog();
    onStart();
  };
  openDialog({
    title: 'What would run',
    wide: true,
    body: html`<${Plan} id=${id} />`,
    actions: html`<${Button} label="Close" onClick=${closeDialog} /><${Button} kind="primary" icon="play" label="Start it now" onClick=${go} data-testid="plan-start" />`,
  });
}

function Plan({ id }) {
  const [run, setRun] = useState(null);
  const [error, setError] = useState(null);
  useEffect(() => {
    getJson(`/api/runs/${id}`, { query: { wait: WAIT_SECONDS } }).then(setRun, setError);
  }, [id]);
  if (error) return html`<${ErrorBox} error=${error} />`;
  if (!run) return html`<${Skeleton} lines=${5} />`;
  const more = html`<a href=${href(`/runs/${id}/details`)} onClick=${closeDialog}>All about this dry run</a>`;
  if (run.status !== 'completed') {
    return html`<p class="status tone-bad"><${Icon} name="circle-x" /> ${run.error ?? `The dry run is ${run.status}`}. ${more}</p>`;
  }
  return html`<div data-testid="plan"><p class="text-good"><${Icon} name="circle-check" /> Everything is in order; nothing was started. ${more}</p>
    <${PlanPairs} plan=${run.result} /></div>`;
}

/** The plan by its names in the API. */
export function PlanPairs({ plan }) {
  const { dry_run: _, message: __, ...rest } = plan;
  const pairs = Object.entries(rest).filter(([, value]) => value !== null && !isEmpty(value));
  return html`<${Pairs} pairs=${pairs.map(([name, value]) => [name, html`<${Value} value=${value} />`])} />`;
}

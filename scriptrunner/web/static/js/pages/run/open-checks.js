/** Checks of a run that were not passed. Pure. */

/** How many checks were not passed; for the tab. */
export function openChecks(run) {
  const { result } = run;
  if (!result) return 0;
  const gates = (result.performance_gates_results ?? []).filter(({ passed }) => !passed).length;
  const scans = Object.values(result.scans ?? {}).filter(({ status }) => status === 'findings' || status === 'error').length;
  const alerts = (result.alerts ?? []).filter((alert) => alert.triggered).length;
  return gates + scans + alerts;
}

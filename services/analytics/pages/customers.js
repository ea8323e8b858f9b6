// How many different customers there were: asked again when the figures have changed, but not each time.

import { get } from "./api.js";
import { withChanges } from "./filters.js";
import { useEffect, usePaced, useState } from "./ui.js";

const EVERY_MS = 10_000;
// Customers are counted on whole days: only these can be compared with the time before.
const OF_DAYS = new Set(["yesterday", "7d", "30d", "90d"]);

// They are not known by code or instrument.
const ask = (query) => get("analytics", `/v1/statistics/customers?${withChanges(query, { emission_id: null, instrument_id: null })}`).then((answer) => answer, () => null);

// { now, then, days, period }: estimates with their bounds; null as long as they are not known.
export function useCustomers(query, snapshot) {
  const [found, setFound] = useState({ query: null });
  const paced = usePaced(snapshot, EVERY_MS);
  const previous = OF_DAYS.has(snapshot?.period) ? snapshot.previous : null;
  useEffect(() => {
    if (!snapshot) return;
    const before = previous && withChanges(query, { period: null, from: previous.from, to: previous.to });
    Promise.all([ask(query), before ? ask(before) : null]).then(([now, then]) =>
      setFound({ query, now: now?.customers ?? null, then: then?.customers ?? null, days: now?.days ?? [] }));
  }, [query, paced]);
  return found.query === query ? { ...found, period: snapshot?.period } : { now: null, then: null };
}

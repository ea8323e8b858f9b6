// A question about whole days, asked again every minute while one looks.

import { get } from "./api.js";
import { useAsk, useEffect } from "./ui.js";

const EVERY_MS = 60_000;

export function useAsked(path, query) {
  const asked = useAsk((signal) => get("analytics", `/v1/statistics/${path}?${query}`, { signal }), [path, query]);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || asked.reload(), EVERY_MS);
    return () => clearInterval(timer);
  }, [asked.reload]);
  return asked;
}

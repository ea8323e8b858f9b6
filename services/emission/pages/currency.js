// The shop's currency: that of its first store. Rules do not name one.

import { get } from "./api.js";
import { setCurrency } from "./units.js";
import { useAsk } from "./ui.js";

export function useCurrency() {
  const { data } = useAsk(async (signal) => {
    const { items } = await get("emission", "/v1/stores?limit=1", { signal });
    setCurrency(items[0]?.currency ?? "");
    return items[0]?.currency ?? "";
  }, []);
  return data ?? "";
}

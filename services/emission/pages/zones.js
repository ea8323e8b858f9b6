// Time zones by their present names: browsers still call some by old ones.

const PRESENT = { "Europe/Kiev": "Europe/Kyiv", "Asia/Calcutta": "Asia/Kolkata", "Asia/Saigon": "Asia/Ho_Chi_Minh", "Asia/Katmandu": "Asia/Kathmandu", "Asia/Rangoon": "Asia/Yangon", "Atlantic/Faeroe": "Atlantic/Faroe" };
const present = (zone) => PRESENT[zone] ?? zone;

export const ZONES = [...new Set(Intl.supportedValuesOf("timeZone").map(present))].sort();
export const HERE = present(Intl.DateTimeFormat().resolvedOptions().timeZone);

// As options of a select; a zone that the browser does not know stays choosable.
export const zoneOptions = (value) => (value && !ZONES.includes(value) ? [value, ...ZONES] : ZONES).map((zone) => [zone, zone]);

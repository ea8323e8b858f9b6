// Documents of the APIs as forms edit them: values by their path ("conditions.0.compare.value"), by which errors name them, too.

export const read = (document, path) => path.split(".").reduce((value, key) => value?.[key], document);

// The document with another value at the path; undefined takes the field, or the item, out.
export function written(document, path, value) {
  const [key, ...rest] = path.split(".");
  const copy = Array.isArray(document) ? [...document] : { ...document };
  const next = rest.length ? written(copy[key] ?? (/^\d+$/.test(rest[0]) ? [] : {}), rest.join("."), value) : value;
  if (next === undefined && Array.isArray(copy)) copy.splice(Number(key), 1);
  else if (next === undefined) delete copy[key];
  else copy[key] = next;
  return copy;
}

// A view of an API as a form has it: what is null is not there.
export function withoutNulls(value) {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null).map(([key, each]) => [key, withoutNulls(each)]));
}

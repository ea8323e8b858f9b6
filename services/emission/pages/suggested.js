// What another page suggests for something new: it comes in the address, and is only filled in; saving checks it.

import { proposedId } from "./form.js";

const LONGEST = 8_000;

function read() {
  const text = new URLSearchParams(location.search).get("suggested");
  if (!text || text.length > LONGEST) return null;
  try {
    const document = JSON.parse(text);
    return document !== null && typeof document === "object" && !Array.isArray(document) ? document : null;
  } catch {
    return null;
  }
}

// The document that a form begins with, and under which id its draft is kept: of each suggestion one of its own.
export function beginning(noun, id, empty) {
  const suggested = id === "new" ? read() : null;
  if (!suggested) return { empty, draftId: id };
  let hash = 0;
  for (const letter of JSON.stringify(suggested)) hash = (Math.imul(hash, 31) + letter.codePointAt(0)) >>> 0;
  return { empty: { ...empty, [`${noun}_id`]: proposedId(suggested.name), ...suggested }, draftId: `new-${hash.toString(36)}` };
}

// Rows that change places.

// The list with its nth item moved by a place; where that is now, and which of its buttons, "up" or "down", has the
// focus then: the one that was pressed, unless it goes no further.
export function moved(list, n, by) {
  const next = [...list];
  next.splice(n + by, 0, ...next.splice(n, 1));
  const end = n + by === (by < 0 ? 0 : list.length - 1);
  return { next, n: n + by, pressed: (by < 0) !== end ? "up" : "down" };
}

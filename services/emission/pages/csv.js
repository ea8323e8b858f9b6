// Comma- or semicolon-separated text, as spreadsheets write it.

// [{ line, cells }] of the lines that are not empty; `line` counts from 1, as an editor does.
export function table(text) {
  const plain = text.replace(/^\ufeff/, "");
  const first = plain.split(/\r?\n/, 1)[0];
  const separator = [";", "\t"].find((one) => first.includes(one) && first.split(one).length >= first.split(",").length) ?? ",";
  const rows = [];
  let cells = [], cell = "", quoted = false, line = 1, begun = 1;
  const end = () => {
    cells.push(cell);
    if (cells.length > 1 || cell.trim() !== "") rows.push({ line: begun, cells });
    cells = [];
    cell = "";
  };
  for (let n = 0; n < plain.length; n += 1) {
    const one = plain[n];
    if (one === "\n") line += 1;
    if (quoted) {
      if (one !== '"') cell += one;
      else if (plain[n + 1] === '"') { cell += one; n += 1; } else quoted = false;
    } else if (one === '"' && cell === "") quoted = true;
    else if (one === separator) { cells.push(cell); cell = ""; }
    else if (one === "\n") { end(); begun = line; }
    else if (one !== "\r") cell += one;
  }
  end();
  return rows;
}

// Rows of a table with a header as objects by its headings.
export function records(text) {
  const [header, ...rows] = table(text);
  const names = (header?.cells ?? []).map((cell) => cell.trim().toLowerCase());
  return { names, rows: rows.map(({ line, cells }) => ({ line, values: Object.fromEntries(names.map((name, n) => [name, (cells[n] ?? "").trim()])) })) };
}

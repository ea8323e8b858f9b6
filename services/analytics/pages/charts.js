// The charts: ECharts on a canvas, with a table beside each for those who can't see it.

import { count, longMoment, moment, money, shortCount, shortMoney } from "./figures.js";
import { calm, colours } from "./theme.js";

const FONT = "Inter, ui-sans-serif, system-ui, sans-serif";
const instances = new Map();

function instance(id) {
  if (!instances.has(id)) {
    const chart = echarts.init(document.getElementById(id), null, { renderer: "canvas" });
    new ResizeObserver(() => chart.resize()).observe(chart.getDom());
    instances.set(id, chart);
  }
  return instances.get(id);
}

// The tooltip is made of elements, not of text with styles: the page's policy allows no such text.
function tooltip(title, rows) {
  const box = document.createElement("div");
  box.className = "tooltip";
  const heading = document.createElement("b");
  heading.textContent = title;
  box.append(heading, ...rows.map(([label, value]) => {
    const row = document.createElement("div");
    for (const text of [label, value]) {
      const part = document.createElement("span");
      part.textContent = text;
      row.append(part);
    }
    return row;
  }));
  return box;
}

function base(colour) {
  return {
    animation: !calm,
    animationDuration: 300,
    animationDurationUpdate: 350,
    textStyle: { fontFamily: FONT, color: colour.muted },
    tooltip: {
      backgroundColor: "transparent", borderWidth: 0, padding: 0,
      confine: true, transitionDuration: 0.1, extraCssText: "box-shadow: none",
    },
  };
}

export function drawActivity(snapshot) {
  const colour = colours();
  const { points, step, currency } = snapshot;
  const labels = points.map((point) => moment(point.at, step));
  const label = { color: colour.muted, fontSize: 12, fontFamily: FONT };
  const x = (gridIndex, show) => ({
    type: "category", gridIndex, data: labels, axisTick: { show: false },
    axisLine: { lineStyle: { color: colour.faint } },
    axisLabel: { ...label, show, hideOverlap: true, margin: 12 },
    axisPointer: { type: "shadow", shadowStyle: { color: colour.muted, opacity: 0.1 }, label: { show: false } },
  });
  const y = (gridIndex, name, format, more = {}) => ({
    type: "value", gridIndex, splitNumber: gridIndex ? 2 : 4, minInterval: 1, min: 0,
    name, nameLocation: "end", nameGap: 12,
    nameTextStyle: { ...label, align: more.position === "right" ? "right" : "left", padding: more.position === "right" ? [0, -52, 0, 0] : [0, 0, 0, -52] },
    axisLabel: { ...label, formatter: format, width: 52 },
    splitLine: { lineStyle: { color: colour.grid } }, ...more,
  });
  instance("activity").setOption({
    ...base(colour),
    aria: { enabled: true, label: { enabled: false } },
    axisPointer: { link: [{ xAxisIndex: "all" }] },
    tooltip: {
      ...base(colour).tooltip, trigger: "axis",
      formatter: ([first]) => {
        const point = points[first.dataIndex];
        if (!point) return "";
        return tooltip(longMoment(point.at, step), [
          ["Activations before returns", count(point.instruments.gross_activations)],
          ["Returned", count(point.instruments.returned)],
          ["Discount given", money(point.instruments.discount, currency)],
          ["Receipts", count(point.receipts.receipts)],
          ["Sales", money(point.receipts.paid, currency)],
        ]);
      },
    },
    grid: [
      { left: 64, right: 68, top: 36, height: "50%" },
      { left: 64, right: 68, bottom: 32, height: "19%" },
    ],
    xAxis: [x(0, false), x(1, true)],
    yAxis: [
      y(0, "Activations", shortCount),
      y(0, "Discount given", (value) => shortMoney(value, currency), { position: "right", splitLine: { show: false } }),
      y(1, "Receipts", shortCount),
    ],
    series: [
      { name: "Activations", type: "bar", data: points.map((p) => p.instruments.gross_activations), itemStyle: { color: colour.activations, borderRadius: [3, 3, 0, 0] }, barMaxWidth: 22, barCategoryGap: "28%" },
      { name: "Discount", type: "line", yAxisIndex: 1, data: points.map((p) => p.instruments.discount), lineStyle: { color: colour.discount, width: 2 }, itemStyle: { color: colour.discount }, showSymbol: points.length === 1, symbolSize: 7, smooth: 0.2, smoothMonotone: "x" },
      { name: "Receipts", type: "bar", xAxisIndex: 1, yAxisIndex: 2, data: points.map((p) => p.receipts.receipts), itemStyle: { color: colour.receipts, borderRadius: [2, 2, 0, 0], opacity: 0.8 }, barMaxWidth: 22, barCategoryGap: "28%" },
    ],
  });
  fillTable("activity", ["Time", "Activations before returns", "Returned", "Discount given", "Receipts"], points.slice(-200).map((point) => [
    longMoment(point.at, step), count(point.instruments.gross_activations),
    count(point.instruments.returned), money(point.instruments.discount, currency), count(point.receipts.receipts),
  ]));
}

// rows: { id, name, value, details: [[label, text], …] }, largest first.
export function drawBars(id, rows, { measure, colour: colourName, onPick, most = 8 }) {
  const colour = colours();
  const shown = rows.slice(0, most);
  // Few bars stay thin and at the top: their places don't move when others come.
  const slots = Array.from({ length: Math.max(6, shown.length) }, (_, i) => shown[i] ?? null);
  const chart = instance(id);
  chart.setOption({
    ...base(colour),
    aria: { enabled: true, label: { enabled: false } },
    tooltip: {
      ...base(colour).tooltip, trigger: "item",
      formatter: ({ dataIndex }) => {
        const row = slots[dataIndex];
        return row ? tooltip(row.name, row.details) : "";
      },
    },
    grid: { left: 164, right: 72, top: 8, bottom: 6 },
    xAxis: { type: "value", show: false, min: ({ min }) => Math.min(0, min) },
    yAxis: {
      type: "category", inverse: true, data: slots.map((row) => row?.name ?? ""),
      axisLine: { show: false, onZero: false }, axisTick: { show: false },
      axisLabel: { color: colour.text, fontSize: 13, fontFamily: FONT, width: 144, overflow: "truncate", align: "left", margin: 152 },
    },
    series: [{
      name: measure, type: "bar", data: slots.map((row) => row?.value ?? null),
      barWidth: 14, cursor: onPick ? "pointer" : "default", showBackground: false,
      itemStyle: { color: colour[colourName], borderRadius: 4 },
      label: { show: true, position: "right", distance: 8, color: colour.text, fontFamily: FONT, fontSize: 13, formatter: ({ value }) => (value === null || value === undefined ? "" : count(value)) },
    }],
  });
  chart.off("click");
  if (onPick) chart.on("click", ({ dataIndex }) => slots[dataIndex] && onPick(slots[dataIndex].id));
  fillTable(id, ["Name", measure], rows.map((row) => [row.name, count(row.value)]));
  return shown.length;
}

export function showEmpty(id, text) {
  const empty = document.getElementById(id).parentElement.querySelector(".empty");
  empty.textContent = text ?? "";
  empty.hidden = !text;
}

function fillTable(id, heads, rows) {
  const table = document.getElementById(`${id}-table`);
  const head = document.createElement("tr");
  head.append(...heads.map((text) => Object.assign(document.createElement("th"), { scope: "col", textContent: text })));
  table.replaceChildren(head, ...rows.map((cells) => {
    const row = document.createElement("tr");
    row.append(...cells.map((text) => Object.assign(document.createElement("td"), { textContent: text })));
    return row;
  }));
}

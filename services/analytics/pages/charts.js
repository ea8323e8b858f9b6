// Charts on a canvas (ECharts), in the page's colours.

import { count, money, shortCount, shortMoney } from "./format.js";
import { t } from "./i18n.js";
import { longMoment, moment } from "./names.js";
import { html, useEffect, useRef, useState } from "./ui.js";
import "./words_statistics.js";

const FONT = "Inter, ui-sans-serif, system-ui, sans-serif";
const NAMES = ["text", "muted", "faint", "grid", "surface", "sunken", "activations", "discount", "receipts", "refusals", "series-1", "series-2", "series-3", "series-4"];
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

export function colours() {
  const style = getComputedStyle(document.documentElement);
  // Canvases know no light-dark(): let the browser work it out.
  const probe = document.createElement("i");
  document.body.append(probe);
  const found = Object.fromEntries(NAMES.map((name) => {
    probe.style.color = style.getPropertyValue(`--${name}`);
    return [name, getComputedStyle(probe).color];
  }));
  probe.remove();
  return found;
}

// Changes when the page's colours do.
export function useTheme() {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const change = () => setTurn((now) => now + 1);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", change);
    addEventListener("themechange", change);
    return () => {
      dark.removeEventListener("change", change);
      removeEventListener("themechange", change);
    };
  }, []);
  return turn;
}

// `option(colours)` is drawn again when `drawn` changes. `on`: handlers by ECharts' event.
export function Chart({ id, label, className, option, drawn, on = {} }) {
  const element = useRef();
  const chart = useRef();
  const heard = useRef(on);
  heard.current = on;
  const theme = useTheme();
  useEffect(() => {
    const made = echarts.init(element.current, null, { renderer: "canvas" });
    chart.current = made;
    const resized = new ResizeObserver(() => made.resize());
    resized.observe(element.current);
    for (const name of Object.keys(on)) made.on(name, (event) => heard.current[name](event));
    return () => {
      resized.disconnect();
      made.dispose();
    };
  }, []);
  useEffect(() => {
    chart.current.setOption(option(colours()), { replaceMerge: ["series"] });
  }, [...drawn, theme]);
  return html`<div class="chart ${className}" id=${id} ref=${element} role="img" aria-label=${label}></div>`;
}

// The tooltip is made of elements, not of text with styles: the page's policy allows no such text.
export function tooltip(title, rows) {
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

export function base(colour) {
  return {
    animation: !calm,
    animationDuration: 300,
    animationDurationUpdate: 0, // figures come twice a second: nothing would ever stand still
    textStyle: { fontFamily: FONT, color: colour.muted },
    aria: { enabled: false },
    tooltip: {
      backgroundColor: "transparent", borderWidth: 0, padding: 0,
      confine: true, transitionDuration: 0.1, extraCssText: "box-shadow: none",
    },
  };
}

const label = (colour) => ({ color: colour.muted, fontSize: 12, fontFamily: FONT });

function timeAxis(colour, labels, gridIndex, show) {
  return {
    type: "category", gridIndex, data: labels, axisTick: { show: false },
    axisLine: { lineStyle: { color: colour.faint } },
    axisLabel: { ...label(colour), show, hideOverlap: true, margin: 12 },
    axisPointer: { type: "shadow", shadowStyle: { color: colour.muted, opacity: 0.1 }, label: { show: false } },
  };
}

function valueAxis(colour, gridIndex, name, format, more = {}) {
  const right = more.position === "right";
  return {
    type: "value", gridIndex, splitNumber: gridIndex ? 2 : 4, minInterval: 1, min: ({ min }) => Math.min(0, min),
    name, nameLocation: "end", nameGap: 12,
    nameTextStyle: { ...label(colour), align: right ? "right" : "left", padding: right ? [0, -52, 0, 0] : [0, 0, 0, -52] },
    axisLabel: { ...label(colour), formatter: format, width: 52 },
    splitLine: { lineStyle: { color: colour.grid } }, ...more,
  };
}

// The slider below: a part of the time, larger. The wheel scrolls the page, not the chart.
function slider(colour, axes) {
  return [{
    type: "slider", xAxisIndex: axes, height: 18, bottom: 4, left: 64, right: 68, showDetail: false, brushSelect: false,
    borderColor: "transparent", backgroundColor: colour.grid, fillerColor: "transparent",
    dataBackground: { lineStyle: { color: colour.faint }, areaStyle: { color: colour.faint } },
    selectedDataBackground: { lineStyle: { color: colour.activations }, areaStyle: { color: colour.activations, opacity: 0.25 } },
    handleStyle: { color: colour.surface, borderColor: colour.muted }, moveHandleStyle: { color: colour.muted, opacity: 0.4 },
  }];
}

const bar = (name, data, color, more = {}) => ({
  name, type: "bar", data, itemStyle: { color, borderRadius: [3, 3, 0, 0] }, barMaxWidth: 22, barCategoryGap: "28%", ...more,
});
const line = (name, data, color, more = {}) => ({
  name, type: "line", data, lineStyle: { color, width: data.length > 120 ? 1.25 : 2 }, itemStyle: { color }, showSymbol: data.length === 1, symbolSize: 7,
  smooth: 0.2, smoothMonotone: "x", ...more,
});

export function activity({ points, step, currency }, colour) {
  const labels = points.map((point) => moment(point.at, step));
  return {
    ...base(colour),
    axisPointer: { link: [{ xAxisIndex: "all" }] },
    tooltip: {
      ...base(colour).tooltip, trigger: "axis",
      formatter: ([first]) => {
        const point = points[first.dataIndex];
        if (!point) return "";
        return tooltip(longMoment(point.at, step), [
          [t("Activations before returns"), count(point.instruments.gross_activations)],
          [t("Returned"), count(point.instruments.returned)],
          [t("Discount given"), money(point.instruments.discount, currency)],
          [t("Receipts"), count(point.receipts.receipts)],
          [t("Sales"), money(point.receipts.paid, currency)],
        ]);
      },
    },
    grid: [
      { left: 64, right: 68, top: 36, height: "48%" },
      { left: 64, right: 68, bottom: 56, height: "16%" },
    ],
    dataZoom: slider(colour, [0, 1]),
    xAxis: [timeAxis(colour, labels, 0, false), timeAxis(colour, labels, 1, true)],
    yAxis: [
      valueAxis(colour, 0, t("Activations"), shortCount),
      valueAxis(colour, 0, t("Discount given"), (value) => shortMoney(value, currency), { position: "right", splitLine: { show: false } }),
      valueAxis(colour, 1, t("Receipts"), shortCount),
    ],
    series: [
      bar(t("Activations"), points.map((p) => p.instruments.gross_activations), colour.activations, { cursor: "pointer" }),
      line(t("Discount given"), points.map((p) => p.instruments.discount), colour.discount, { yAxisIndex: 1 }),
      bar(t("Receipts"), points.map((p) => p.receipts.receipts), colour.receipts, { xAxisIndex: 1, yAxisIndex: 2, cursor: "pointer" }),
    ],
  };
}

// named: [{ name, points }]: the activations of two campaigns in one chart.
export function compared(named, step, colour) {
  const moments = [...new Set(named.flatMap(({ points }) => points.map((point) => point.at)))].sort();
  const values = named.map(({ points }) => new Map(points.map((point) => [point.at, point.instruments.activations])));
  return {
    ...base(colour),
    tooltip: {
      ...base(colour).tooltip, trigger: "axis",
      formatter: ([first]) => tooltip(longMoment(moments[first.dataIndex], step), named.map(({ name }, i) => [name, count(values[i].get(moments[first.dataIndex]) ?? 0)])),
    },
    grid: { left: 64, right: 24, top: 36, bottom: 32 },
    xAxis: timeAxis(colour, moments.map((at) => moment(at, step)), 0, true),
    yAxis: valueAxis(colour, 0, t("Activations"), shortCount),
    series: named.map(({ name }, i) => line(name, moments.map((at) => values[i].get(at) ?? 0), colour[`series-${i + 1}`], {
      lineStyle: { color: colour[`series-${i + 1}`], width: 2.5, type: i ? "dashed" : "solid" },
    })),
  };
}

// The operator's own map of the regions (GeoJSON), if there is one; without, regions are tiles.

import { at } from "./api.js";
import { base, Chart, tooltip } from "./charts.js";
import { t } from "./i18n.js";
import { html, useEffect, useState } from "./ui.js";
import "./words_statistics.js";

const NAME = "regions";

// The map as soon as it is there; null: the operator gave none.
export function useMap() {
  const [map, setMap] = useState(null);
  useEffect(() => {
    fetch(at("analytics", "/v1/statistics/regions.geojson"), { credentials: "include" })
      .then((answer) => (answer.status === 200 ? answer.json() : null))
      .then((read) => {
        if (!read) return;
        echarts.registerMap(NAME, read);
        setMap(new Set(read.features.map((feature) => feature.properties.name)));
      }, () => null);
  }, []);
  return map;
}

export function RegionMap({ map, rows, onPick, picked }) {
  const largest = Math.max(...rows.map((row) => row.value), 1);
  const byName = new Map(rows.map((row) => [row.name, row]));
  const missing = rows.filter((row) => !map.has(row.name));
  const option = (colour) => ({
    ...base(colour),
    tooltip: { ...base(colour).tooltip, trigger: "item", formatter: ({ name }) => tooltip(name, (byName.get(name)?.title ?? "").split("\n").slice(1).map((line) => line.split(": "))) },
    visualMap: { min: 0, max: largest, left: 8, bottom: 8, itemHeight: 90, calculable: false, textStyle: { color: colour.muted }, inRange: { color: [colour.sunken, colour.activations] }, text: [String(largest), "0"] },
    series: [{
      type: "map", map: NAME, roam: false, selectedMode: false, nameProperty: "name", cursor: "pointer",
      itemStyle: { areaColor: colour.sunken, borderColor: colour.faint },
      emphasis: { label: { show: true, color: colour.text }, itemStyle: { areaColor: colour.discount } },
      data: rows.map((row) => ({ name: row.name, value: row.value, ...(row.id === picked && { itemStyle: { borderColor: colour.text, borderWidth: 2 } }) })),
    }],
  });
  return html`<${Chart} id="regions" label=${t("Activations by region")} className="fill" option=${option} drawn=${[rows, picked]}
      on=${{ click: ({ name }) => byName.has(name) && onPick(byName.get(name)) }} />
    ${missing.length > 0 && html`<p class="muted small off-map">${t("Not on the map: {names}", { names: missing.map((row) => row.name).join(", ") })}</p>`}`;
}

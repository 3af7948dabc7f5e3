// Lines over time, drawn by uPlot: axes as wide as their numbers, gaps where nothing was measured, a
// legend that says the numbers in text.
import { html, useEffect, useRef, useState } from "./html.js";
import { count } from "./parts.js";
import uPlot from "uplot";

const COLOURS = ["#2f6fde", "#d9730d", "#1c8a5a", "#b0348f", "#7a5af0", "#a8791b", "#c43d3d", "#4b8ea8"];
const HEIGHT = 190;
const TEXT = "12px system-ui, sans-serif";

/** Rows with an empty one wherever more than two and a half steps are missing: no line is drawn over it. */
export function withGaps(at, columns, step) {
  const times = [];
  const out = columns.map(() => []);
  at.forEach((ms, row) => {
    if (row && ms - at[row - 1] > 2.5 * step) {
      times.push((at[row - 1] + step) / 1000);
      out.forEach((column) => column.push(null));
    }
    times.push(ms / 1000);
    out.forEach((column, which) => column.push(columns[which][row] ?? null));
  });
  return [times, ...out];
}

/** How much room the longest number needs: seven digits and more are never cut. */
const roomFor = (plot, values) => {
  plot.ctx.save();
  plot.ctx.font = TEXT;
  const widest = Math.max(0, ...(values ?? []).map((value) => plot.ctx.measureText(value).width));
  plot.ctx.restore();
  return Math.ceil(widest) + 18;
};

/** Ticks as times of the day, to the second where they are closer than a minute. */
const clock = (_, ticks) => {
  const second = ticks.length > 1 && ticks[1] - ticks[0] < 60 ? { second: "2-digit" } : {};
  return ticks.map((s) => new Date(s * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", ...second }));
};

function options(series, width, at) {
  const look = getComputedStyle(document.documentElement);
  const soft = look.getPropertyValue("--pico-muted-color").trim() || "#777";
  const grid = { stroke: look.getPropertyValue("--pico-muted-border-color").trim() || "#ccc", width: 1 };
  const axis = { stroke: soft, font: TEXT, grid, ticks: grid };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    scales: { y: { range: (_, low, high) => [0, Math.max(high ?? 1, 1) * 1.05] } },
    axes: [
      { ...axis, space: 70, values: clock },
      { ...axis, values: (_, ticks) => ticks.map(count), size: roomFor },
    ],
    series: [{}, ...series.map(({ colour, dash }) => ({ stroke: colour, width: 1.5, dash, points: { show: false }, spanGaps: false }))],
    hooks: { setCursor: [(plot) => at(plot.cursor.idx)] },
  };
}

/** One picture. `series`: `{name, values, dash?}`; `at`: moments in milliseconds. */
export function Plot({ title, at, series, step, unit = "" }) {
  const box = useRef(null);
  const plot = useRef(null);
  const [row, setRow] = useState(null);
  const [theme, setTheme] = useState(0);
  const coloured = series.map((one, place) => ({ ...one, colour: COLOURS[place % COLOURS.length] }));
  const shape = JSON.stringify([theme, coloured.map(({ name, dash }) => [name, dash])]);
  const data = withGaps(at, coloured.map(({ values }) => values), step);
  useEffect(() => {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const turn = () => setTheme((n) => n + 1);
    const seen = new MutationObserver(turn);
    seen.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    dark.addEventListener("change", turn);
    return () => {
      seen.disconnect();
      dark.removeEventListener("change", turn);
    };
  }, []);
  useEffect(() => {
    const element = box.current;
    const width = () => Math.max(120, element.clientWidth);
    plot.current = new uPlot(options(coloured, width(), setRow), data, element);
    const sized = new ResizeObserver(() => plot.current?.setSize({ width: width(), height: HEIGHT }));
    sized.observe(element);
    return () => {
      sized.disconnect();
      plot.current.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(data), [at.length, at.at(-1), shape]);
  const shown = row ?? data[0].length - 1;
  return html`<figure class="plot">
    <figcaption>${title}</figcaption>
    <div ref=${box} aria-hidden="true"></div>
    <ul class="legend">
      ${coloured.map(({ name, colour }, which) => html`<li><i style=${{ background: colour }}></i>${name}
        <b>${count(data[which + 1]?.[shown] ?? NaN)}</b>${unit}</li>`)}
    </ul>
  </figure>`;
}

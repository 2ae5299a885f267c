// Small charts: a line in a row of a table, and one with axes.

import { h, setText, svg } from "./dom.js";
import { short, time } from "./format.js";
import { GAP_MS } from "./history.js";

const SPARK = { width: 72, height: 16, points: 60 };
const CHART = { width: 480, height: 120, left: 56, right: 8, top: 8, bottom: 18 };

/** A line without axes; `show(points, name)` draws it. The number beside it says the same in words. */
export function sparkline() {
  const line = svg("path", { class: "line" });
  const drawing = svg(
    "svg",
    { class: "spark", viewBox: `0 0 ${SPARK.width} ${SPARK.height}`, "aria-hidden": "true" },
    line,
  );
  return {
    element: drawing,
    show(points, name) {
      const shown = points.slice(-SPARK.points);
      const most = Math.max(1, ...shown.map((point) => point[name] ?? 0));
      const x = (index) => SPARK.width - (shown.length - 1 - index) * (SPARK.width / (SPARK.points - 1));
      const y = (value) => SPARK.height - 1 - (value / most) * (SPARK.height - 2);
      line.setAttribute("d", shown.length > 1 ? linePath(shown, name, (_, index) => x(index), y) : "");
    },
  };
}

/** A chart of one number over time, with a caption that says it; `format` makes the number a text. */
export function chart(title, name, format) {
  const { width, height, left, right, top, bottom } = CHART;
  const line = svg("path", { class: "line" });
  const area = svg("path", { class: "area" });
  const upper = svg("text", { x: left - 6, y: top + 10, class: "axis end" });
  const lower = svg("text", { x: left - 6, y: height - bottom, class: "axis end" }, "0");
  const begin = svg("text", { x: left, y: height - 4, class: "axis" });
  const end = svg("text", { x: width - right, y: height - 4, class: "axis end" });
  const frame = svg("path", { class: "frame", d: `M${left} ${top}V${height - bottom}H${width - right}` });
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" }, frame, area, line, upper, lower, begin, end);
  const value = h("strong", {});
  let shown = [];

  function show(points) {
    shown = points.filter((point) => point[name] !== null && point[name] !== undefined);
    const last = shown.at(-1);
    setText(value, last === undefined ? "–" : format(last[name]));
    const most = roundUp(Math.max(1, ...shown.map((point) => point[name])));
    drawing.setAttribute("aria-label", last === undefined ? `${title}: not known` : describe(shown, most));
    if (last === undefined) return;
    const from = Math.min(shown[0].time, last.time - 60000);
    const x = (point) => left + ((point.time - from) / (last.time - from)) * (width - left - right);
    const y = (number) => height - bottom - (number / most) * (height - top - bottom);
    const path = linePath(shown, name, x, y);
    line.setAttribute("d", path);
    area.setAttribute("d", shown.some(isGap) ? "" : `${path}V${y(0)}H${x(shown[0])}Z`);
    setText(upper, short(most));
    setText(begin, time(from));
    setText(end, time(last.time));
  }

  function describe(points, most) {
    const least = Math.min(...points.map((point) => point[name]));
    return `${title}: ${format(points.at(-1)[name])} now, between ${format(least)} and ${format(most)} since ${time(points[0].time)}`;
  }

  const element = h("figure", { class: "chart" }, h("figcaption", {}, `${title} `, value), drawing);
  return { element, show };
}

const isGap = (point, index, points) => index > 0 && point.time - points[index - 1].time > GAP_MS;

function linePath(points, name, x, y) {
  let down = false;
  return points
    .map((point, index) => {
      if (point[name] === null || point[name] === undefined) {
        down = false;
        return "";
      }
      const command = down && !isGap(point, index, points) ? "L" : "M";
      down = true;
      return `${command}${x(point, index).toFixed(1)} ${y(point[name]).toFixed(1)}`;
    })
    .join("");
}

/** The next number that reads well at the end of an axis: 1, 2 or 5 and zeros. */
function roundUp(number) {
  const unit = 10 ** Math.floor(Math.log10(number));
  return [1, 2, 5, 10].map((factor) => factor * unit).find((each) => each >= number);
}

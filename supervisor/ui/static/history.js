// What the numbers were since the page was opened: for charts, and for rates of the last seconds.

const KEPT = 300; // ten minutes
const RATE_MS = 8000;
const LEAST_MS = 3000;
// A pause in which nobody looked is a gap in a chart.
export const GAP_MS = 10000;

const series = new Map();

/** Remember numbers of a connector or task: `{records, recordsPerSecond, lag, cpuSeconds}`; returns the point with its rate. */
export function remember(key, numbers) {
  const points = series.get(key) ?? [];
  series.set(key, points);
  const now = Date.now();
  const point = { time: now, ...numbers };
  point.rate = pace(points, point, "records") ?? numbers.recordsPerSecond;
  point.processor = pace(points, point, "cpuSeconds");
  points.push(point);
  if (points.length > KEPT) points.shift();
  return point;
}

/** The points of a connector or task, the oldest first. */
export function recall(key) {
  return series.get(key) ?? [];
}

/** How fast a total has risen in the last seconds; null if that is not known, or it has begun anew. */
function pace(points, point, name) {
  const total = point[name];
  if (total === null || total === undefined) return null;
  let from = null;
  for (let index = points.length - 1; index >= 0; index -= 1) {
    const each = points[index];
    if (point.time - each.time > RATE_MS + LEAST_MS || each[name] === null || each[name] === undefined) break;
    if (each[name] > total) break;
    from = each;
    if (point.time - each.time >= RATE_MS) break;
  }
  if (from === null || point.time - from.time < LEAST_MS) return null;
  return (1000 * (total - from[name])) / (point.time - from.time);
}

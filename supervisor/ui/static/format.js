// Numbers, sizes and times for people. What is not known is a dash.

const NOTHING = "–";
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const precise = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

const known = (value) => value !== null && value !== undefined;

export function count(value) {
  return known(value) ? whole.format(value) : NOTHING;
}

/** For the end of an axis: 20K, 5M. */
export function short(value) {
  return value < 10000 ? whole.format(value) : compact.format(value);
}

export function rate(value) {
  if (!known(value)) return NOTHING;
  return value > 0 && value < 10 ? precise.format(Math.max(value, 0.1)) : whole.format(value);
}

export function bytes(value) {
  if (!known(value)) return NOTHING;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let index = 0;
  for (; value >= 1024 && index < units.length - 1; index += 1) value /= 1024;
  return `${value < 10 && index > 0 ? precise.format(value) : whole.format(value)} ${units[index]}`;
}

export function duration(seconds) {
  if (!known(seconds)) return NOTHING;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 86400) return `${precise.format(seconds / 3600)} h`;
  return `${precise.format(seconds / 86400)} d`;
}

export function percent(share) {
  return known(share) ? `${whole.format(100 * share)}%` : NOTHING;
}

export function time(ms) {
  return new Date(ms).toLocaleTimeString("en-GB");
}

/** With milliseconds, from what is written in ISO 8601. */
export function moment(text) {
  return `${time(Date.parse(text))}.${text.slice(20, 23)}`;
}

/** How far a sink or a source is behind: records, or whatever the source counts in. */
export function lag(records, sourceLag) {
  if (known(records)) return count(records);
  const parts = Object.entries(sourceLag ?? {}).map(([unit, value]) => `${count(value)} ${unit}`);
  return parts.join(", ") || NOTHING;
}

/** "1 task", "2 tasks". */
export function plural(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

// Requests to the REST API of the worker that this page comes from.

const BASE = new URL("../", import.meta.url);
const RETRIES = 5;

/** A request that was refused, or not answered at all (`status` 0). */
export class RequestError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** A path with its values encoded: path`/connectors/${name}/status`. */
export function path(parts, ...values) {
  return parts.map((part, index) => part + (index < values.length ? encodeURIComponent(values[index]) : "")).join("");
}

/** The answer, not read yet. */
export async function open(method, where, { body, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(new URL(where.replace(/^\//, ""), BASE), {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
      credentials: "same-origin",
      cache: "no-store",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new RequestError(0, "The worker does not answer");
  }
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

async function refusal(answer) {
  const text = await answer.text().catch(() => "");
  let message = text;
  try {
    message = JSON.parse(text).message ?? text;
  } catch {
    // Whoever answered was not the worker, such as a proxy.
  }
  const error = new RequestError(answer.status, message || `${answer.status} ${answer.statusText}`);
  error.retryAfter = Number(answer.headers.get("Retry-After")) || null;
  return error;
}

async function content(answer) {
  const text = await answer.text();
  return text ? JSON.parse(text) : null;
}

export async function get(where, signal) {
  return content(await open("GET", where, { signal }));
}

/** Change something. While the cluster rebalances, or another operation goes on, it is tried again. */
export async function send(method, where, body) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await content(await open(method, where, { body }));
    } catch (error) {
      if (error.status !== 409 || !error.retryAfter || attempt === RETRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.min(error.retryAfter, 2) * 1000));
    }
  }
}

/** The list of calls: each run is a heading, a sentence and a row of bars for each attempt or call. */

import { find, make, seconds } from "./dom.js";

const MOST_RUNS = 12;

/** What one press of a button did. */
export class Run {
  #begun = performance.now();
  #controller = new AbortController();
  #rows = [];
  #list = make("ol", "rows");
  #axis = [make("span", "", "0 s"), make("span", "")];
  #took = make("span", "took");
  #stop = make("button", "", "Stop");
  #summary = make("p", "summary");
  #item;
  #frame = 0;

  constructor(title, summary) {
    this.#summary.textContent = summary;
    this.#stop.type = "button";
    this.#stop.setAttribute("aria-label", `Stop: ${title}`);
    this.#stop.addEventListener("click", () => this.#controller.abort());
    const head = make("div", "run-head", make("h3", "", title), this.#took, this.#stop);
    const axis = make("li", "", make("span", "axis", ...this.#axis));
    axis.setAttribute("aria-hidden", "true");
    this.#list.append(axis);
    this.#item = make("li", "", head, this.#summary, this.#list);
    this.#item.setAttribute("aria-busy", "true");
    const runs = find("runs");
    runs.prepend(this.#item);
    while (runs.children.length > MOST_RUNS) {
      runs.lastElementChild.remove();
    }
    find("no-runs").hidden = true;
    find("result").textContent = "";
    this.#draw();
  }

  /** Aborts when "Stop" is pressed. */
  get signal() {
    return this.#controller.signal;
  }

  get elapsedMs() {
    return performance.now() - this.#begun;
  }

  /** Begins a row for a call that starts now. */
  row(label) {
    const row = new Row(label, this.elapsedMs);
    this.#rows.push(row);
    this.#list.lastElementChild.before(row.element);
    return row;
  }

  /** A row for each attempt of one call, which began with the run. */
  attempts(attempts) {
    for (const row of this.#rows.splice(0)) {
      row.element.remove();
    }
    let idleFrom = 0;
    for (const attempt of attempts) {
      const row = this.row(`attempt ${attempt.number}`);
      row.showAttempt(attempt, idleFrom);
      idleFrom = attempt.startedMs + attempt.tookMs;
    }
  }

  /** A bar of progress below the sentence. */
  progress(label) {
    const bar = make("progress");
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", label);
    this.#list.before(bar);
    return bar;
  }

  say(summary) {
    this.#summary.textContent = summary;
  }

  /** It went well. */
  end(summary) {
    this.say(summary);
    find("result").textContent = summary;
    this.#over();
  }

  /** It did not. */
  fail(error) {
    if (this.signal.aborted) {
      return this.end("Stopped. Every call that was still waiting gave its place back.");
    }
    this.#summary.replaceWith(describe(error));
    find("result").textContent = `${error.name}: ${error.advice ?? error.message}.`;
    this.#over();
  }

  #over() {
    cancelAnimationFrame(this.#frame);
    for (const row of this.#rows) {
      row.giveUp(this.elapsedMs);
    }
    this.#paint(this.elapsedMs);
    this.#stop.remove();
    this.#item.removeAttribute("aria-busy");
  }

  #draw() {
    this.#paint(this.elapsedMs);
    this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #paint(now) {
    for (const row of this.#rows) {
      row.paint(now);
    }
    this.#took.textContent = seconds(now);
    this.#axis[1].textContent = seconds(now);
  }
}

/** A label, a track with bars, and what came of it. */
class Row {
  #begun;
  #over = false;
  #track = make("span", "track");
  #outcome = make("span", "outcome", "…");
  #bars = [];

  constructor(label, begun) {
    this.#begun = begun;
    this.element = make("li", "", make("span", "label", label), this.#track, this.#outcome);
    this.#track.setAttribute("aria-hidden", "true");
    this.#bar("wait", begun, undefined);
  }

  /** The whole of a call's answer. */
  show(answer) {
    this.#clear();
    let idleFrom = this.#begun;
    for (const attempt of answer.attempts) {
      const sent = this.#begun + attempt.startedMs;
      const ended = sent + attempt.tookMs;
      this.#bar("wait", idleFrom, sent);
      this.#bar(attempt.decision === "return" ? "good" : "bad", sent, ended);
      idleFrom = ended;
    }
    const last = answer.attempts.at(-1);
    this.#say(last?.status ?? "–", last?.decision === "return", `at ${seconds(this.#begun + (last?.startedMs ?? 0))}`);
  }

  /** One attempt and the wait ahead of it, in milliseconds from the run's start. */
  showAttempt(attempt, idleFrom) {
    this.#clear();
    this.#bar("wait", idleFrom, attempt.startedMs);
    const good = attempt.decision === "return" && (attempt.status ?? 0) < 400;
    this.#bar(good ? "good" : "bad", attempt.startedMs, attempt.startedMs + attempt.tookMs);
    const retry = attempt.waitMs !== null && make("span", "retry", `retry in ${seconds(attempt.waitMs)}`);
    const outcome = attempt.error === null ? (attempt.status ?? "–") : "connection lost";
    this.#say(outcome, good, retry || `at ${seconds(attempt.startedMs)}`);
    this.#outcome.title = attempt.error ?? attempt.reason ?? "";
  }

  /** A call that was answered until now, as one bar. */
  showWhole(status, endedMs, then) {
    this.#clear();
    this.#bar("good", this.#begun, endedMs);
    this.#say(status, true, then);
  }

  /** Where nothing came, the row ends here. */
  giveUp(now) {
    if (!this.#over) {
      this.#clear();
      this.#bar("wait", this.#begun, now);
      this.#say("not sent", false, "");
    }
  }

  /** Puts the bars where they belong when the whole run is `scale` milliseconds long. */
  paint(scale) {
    for (const { element, from, to } of this.#bars) {
      const left = Math.min(100, (from / scale) * 100);
      element.style.left = `${left}%`;
      element.style.width = `${Math.max(0, ((to ?? scale) / scale) * 100 - left)}%`;
    }
  }

  #bar(kind, from, to) {
    if (kind === "wait" && to !== undefined && to - from < 1) {
      return;
    }
    const element = make("i", kind);
    this.#track.append(element);
    this.#bars.push({ element, from, to });
  }

  #clear() {
    this.#over = true;
    this.#bars = [];
    this.#track.replaceChildren();
  }

  #say(outcome, good, then) {
    this.#outcome.replaceChildren(make("b", good ? "" : "failed", String(outcome)), " ", then);
  }
}

/** An error, told in full: its class, what happened, what to do, the facts. */
function describe(error) {
  const next = error.advice ?? "";
  const what = next && error.message.endsWith(`; ${next}`) ? error.message.slice(0, -next.length - 2) : error.message;
  const facts = [
    ["Code", error.code],
    ["Status", error.status],
    ["Request id", error.requestId],
    ["Retries", error.retryability],
    ["Retry after", error.retryAfterMs && seconds(error.retryAfterMs)],
  ];
  const list = make("dl");
  for (const [name, value] of facts) {
    if (value) {
      list.append(make("div", "", make("dt", "", name), make("dd", "", String(value))));
    }
  }
  const box = make("div", "error", make("h4", "", error.name), make("p", "", what));
  if (next) {
    box.append(make("p", "", make("strong", "", "What to do: "), `${next}.`));
  }
  box.append(list);
  return box;
}

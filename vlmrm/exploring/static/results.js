import { confusion, strip, ways } from "./charts.js";
import { make, short } from "./dom.js";
import { session } from "./server.js";
import { moveByKeys, rove, tile } from "./tiles.js";

const LINES = 6;
const FEW = 12;

/** What a side shows about its sentence. */
export class Results {
  /** @param actions open(row, results): a picture alone; reorder(): the other order. */
  constructor(element, actions) {
    this.element = element;
    this.actions = actions;
    this.start = 0;
    this.grid = this.part(".grid");
    this.part(".before").addEventListener("click", () => this.turn(-1));
    this.part(".after").addEventListener("click", () => this.turn(1));
    this.part(".order").addEventListener("change", actions.reorder);
    moveByKeys(this.grid, (step) => this.turn(step));
    for (const row of element.querySelectorAll(".row")) moveByKeys(row);
  }

  part(selector) {
    return this.element.querySelector(selector);
  }

  /** Takes the rewards of all rows, and ranks them. */
  take({ rewards, areas }) {
    this.rewards = rewards;
    this.areas = areas;
    this.order = [...session.ranked].sort((one, other) => rewards[other] - rewards[one] || one - other);
    this.ranks = [];
    this.order.forEach((row, rank) => (this.ranks[row] = rank));
    this.start = 0;
    this.element.hidden = false;
  }

  /** Shows the ranking. @param view { judge, worst, other: Results?, letter } */
  show(view) {
    this.view = view;
    const { judge, worst } = view;
    this.shown = worst ? this.order.toReversed() : this.order;
    this.part(".summary").replaceChildren(...this.summary(judge));
    const refused = judge ? this.order.filter((row) => !judge.accepts(row)) : [];
    const missed = judge ? this.order.filter(judge.accepts).reverse() : [];
    this.fill(".wrong", `Rewarded most, but not ${judge?.name}`, refused.slice(0, FEW));
    this.fill(".missed", `${judge?.name}, but rewarded least`, missed.slice(0, FEW));
    this.part(".strip").hidden = !judge;
    if (judge) {
      const go = (rank) => this.go(worst ? this.order.length - 1 - rank : rank);
      this.part(".strip div").replaceChildren(strip(this.order, judge, go));
    }
    this.part(".ways").hidden = !session.paths.length;
    const { charts, low, high } = ways(this.rewards, judge, (row) => this.open(row));
    this.part(".charts").replaceChildren(...charts);
    this.part(".scale").textContent = `From the start to the pose, all on one scale: ${short(low)} to ${short(high)}. Green where the pose is true.`;
    this.page();
  }

  summary(judge) {
    const count = this.order.length;
    if (!judge) return [`${count.toLocaleString("en")} ${session.noun}s, best first. No judge.`];
    const among = (n) => this.order.slice(0, n).filter(judge.accepts).length;
    const sizes = [10, 100].filter((n) => n < count);
    const shares = sizes.map((n) => `${among(n)} of the best ${n}, `).join("");
    const whole = `${among(count).toLocaleString("en")} of all ${count.toLocaleString("en")}`;
    const area = this.areas[judge.name].toFixed(3);
    const [best] = Object.entries(this.areas).sort((one, other) => other[1] - one[1]);
    const lines = [
      make("strong", {}, judge.name),
      ` is true of ${shares}${whole}. AUROC ${area}.`,
    ];
    if (best[0] !== judge.name) lines.push(` The reward prefers ${best[0]} (${best[1].toFixed(3)}).`);
    return lines;
  }

  tiles(rows) {
    const { judge, other, letter } = this.view;
    const look = { ranks: this.ranks, rewards: this.rewards, judge, onOpen: (row) => this.open(row) };
    if (other?.ranks) Object.assign(look, { otherRanks: other.ranks, otherLetter: letter });
    return rows.map((row) => tile(row, look));
  }

  fill(selector, title, rows) {
    this.part(selector).hidden = !rows.length;
    this.part(`${selector} h2`).textContent = title;
    this.part(`${selector} .row`).replaceChildren(...this.tiles(rows));
    rove(this.part(`${selector} .row`));
  }

  page() {
    const rows = this.shown.slice(this.start, this.start + this.size);
    this.grid.replaceChildren(...this.tiles(rows));
    rove(this.grid);
    const last = this.start + rows.length;
    const count = this.shown.length.toLocaleString("en");
    this.part(".pager output").textContent = `${this.start + 1}–${last} of ${count}`;
    this.part(".before").disabled = this.start === 0;
    this.part(".after").disabled = last === this.shown.length;
    this.part(".order").value = this.view.worst ? "worst" : "best";
  }

  /** Tiles of a page: whole lines, however wide it is. */
  get size() {
    return LINES * getComputedStyle(this.grid).gridTemplateColumns.split(" ").length;
  }

  /** Goes to the page with a place of the order shown. */
  go(place) {
    this.start = this.size * Math.floor(place / this.size);
    this.page();
  }

  turn(step) {
    const start = this.start + step * this.size;
    if (start <= -this.size || start >= this.shown.length) return false;
    this.start = Math.max(0, start);
    this.page();
    return true;
  }

  open(row) {
    this.actions.open(row, this);
  }

  /** Waits for the diagnosis and the confusion. */
  wait() {
    for (const name of [".diagnosis", ".confusion"]) this.part(name).setAttribute("aria-busy", "true");
    this.part(".task pre").hidden = true;
    this.part(".copied").textContent = "";
  }

  /** Empties the panels that still wait: what is in them is about an earlier sentence. */
  fail() {
    for (const name of [".diagnosis", ".confusion"]) {
      const panel = this.part(name);
      if (panel.getAttribute("aria-busy") === "true") panel.querySelector(".content").replaceChildren();
      panel.setAttribute("aria-busy", "false");
    }
  }

  diagnose({ level, lines, heads, rows }) {
    const [headline, ...others] = lines.map((line) => line.trim());
    const open = this.part(".diagnosis details")?.open ?? this.element.clientWidth > 700;
    const text = make("details", { open }, make("summary", {}, "Why, and what to try next"));
    for (const line of others) {
      const [, label, rest] = line.match(/^([A-Z][\w -]{2,20}): (.*)$/s) ?? [null, "", line];
      const name = label === "No --oracle" ? "Judge" : label; // without a menu, it is an option
      text.append(make("p", {}, ...(name ? [make("b", {}, `${name}: `)] : []), rest));
    }
    const table = make(
      "table",
      {},
      make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
      make("tbody", {}, ...rows.map(({ goal, values }) =>
        make("tr", { title: goal }, ...values.map((value) => make("td", {}, value.toFixed(2)))))),
    );
    const panel = this.part(".diagnosis");
    panel.querySelector(".content").replaceChildren(
      make("p", { className: `headline ${level ?? ""}` }, headline), table, ...(others.length ? [text] : []));
    panel.setAttribute("aria-busy", "false");
  }

  confuse(lines) {
    const panel = this.part(".confusion");
    panel.hidden = !session.judges.length;
    panel.querySelector(".content").replaceChildren(confusion(lines));
    panel.setAttribute("aria-busy", "false");
  }

  /** Facts about a row, for its picture alone. */
  facts(row) {
    const rank = this.ranks[row];
    const { judge, other, letter } = this.view;
    const count = this.order.length.toLocaleString("en");
    const ranked = rank === undefined ? "on the way to a pose" : `rank ${rank + 1} of ${count}`;
    const facts = [["Reward", `${short(this.rewards[row])}, ${ranked}`]];
    if (other?.ranks && rank !== undefined) {
      facts.push([`Sentence ${letter}`, `${short(other.rewards[row])}, rank ${other.ranks[row] + 1}`]);
    }
    if (judge) facts.push([judge.name, judge.accepts(row) ? "✓ yes" : "✗ no"]);
    const true_ = session.judges.filter((one) => one.accepts(row)).map((one) => one.name);
    if (judge && session.judges.length > 1) facts.push(["True of it", true_.join(", ") || "nothing"]);
    if (session.names[row]) facts.unshift(["File", session.names[row]]);
    return facts;
  }
}

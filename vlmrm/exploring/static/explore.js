import { read, write } from "./address.js";
import { Detail } from "./detail.js";
import { make } from "./dom.js";
import { judgeNamed, open, session } from "./server.js";
import { Side } from "./side.js";

const REMEMBERED = 4;
const element = (id) => document.getElementById(id);

/** What the sides have in common. */
const page = {
  sides: [],
  chosen: null, // the judge in the menu; null for the one that fits sentence A
  worst: false,
  earlier: [], // sentences that were ranked before, latest first

  get judge() {
    return judgeNamed(this.chosen ?? this.sides[0].judge) ?? null;
  },

  /** The judge that a side asks for: the one in the menu, or for B the one that fits A's goal. */
  judgeFor(side) {
    const [first] = this.sides;
    return this.chosen ?? (side !== first && first.named ? first.judge : null);
  },

  /** Sentences for the confusion of a side, besides its own. */
  others(side) {
    const rest = this.sides.filter((other) => other !== side).flatMap((other) => other.form.goal);
    return [...new Set([...rest, ...this.earlier])].filter((s) => !side.form.goal.includes(s));
  },

  write(isStep) {
    const sides = this.sides.map((side) => side.form.value);
    write({ sides, judge: this.chosen, worst: this.worst }, isStep);
    if (!isStep) return;
    const typed = this.sides.flatMap((side) => side.form.goal);
    this.earlier = [...new Set([...typed, ...this.earlier])].slice(0, REMEMBERED);
  },

  /** Shows all rankings, after a side has been ranked or something else has changed. */
  show(changed) {
    const { judge, worst } = this;
    element("judge").options[0].textContent = judge && !this.chosen ? `automatic: ${judge.name}` : "automatic";
    document.title = this.sides[0].form.goal.join(" / ") || "Explore sentences";
    for (const side of this.sides) {
      if (!side.results.order) continue;
      const other = this.sides.find((one) => one !== side);
      side.results.show({ judge, worst, other: other?.results, letter: other?.letter });
    }
    const [first, second] = this.sides;
    const stale = second?.asked && second.judged !== this.judgeFor(second);
    if (changed === first && stale) second.rank(null);
  },

  open: (row, results) => detail.open(row, results),

  reorder(event) {
    page.worst = event.target.value === "worst";
    page.write(false);
    for (const side of page.sides) side.results.start = 0;
    page.show();
  },
};

const detail = new Detail(element("detail"));

function add(value) {
  const side = new Side("AB"[page.sides.length], page);
  page.sides.push(side);
  element("sides").append(side.element);
  side.form.value = value;
  layout();
  return side;
}

function layout() {
  const two = page.sides.length > 1;
  element("sides").classList.toggle("two", two);
  element("compare").setAttribute("aria-pressed", String(two));
  element("compare").textContent = two ? "Only one sentence" : "Compare two sentences";
  element("tabs").hidden = !two;
  if (!two) look(0);
}

/** On a narrow screen, one of two sides is seen. */
function look(place) {
  element("sides").dataset.seen = "AB"[place];
  [...element("tabs").children].forEach((tab, at) => tab.setAttribute("aria-pressed", String(at === place)));
}

function compare() {
  if (page.sides.length > 1) {
    page.sides.pop().element.remove();
    layout();
    page.write(true);
    page.show();
    return;
  }
  const side = add(page.sides[0].form.value);
  look(1);
  side.form.fields.goal.select();
  side.form.fields.goal.focus();
  if (side.form.goal.length) side.rank(true);
}

/** Makes the page what its address says. */
function restore() {
  const state = read();
  page.chosen = judgeNamed(state.judge)?.name ?? null;
  page.worst = state.worst;
  element("judge").value = page.chosen ?? "";
  while (page.sides.length > state.sides.length) page.sides.pop().element.remove();
  state.sides.forEach((value, place) => {
    if (page.sides[place]) page.sides[place].form.value = value;
    else add(value);
  });
  layout();
  for (const side of page.sides) {
    side.form.say("");
    if (side.form.goal.length) side.rank(null);
    else side.clear();
  }
}

function listen() {
  element("compare").addEventListener("click", compare);
  [...element("tabs").children].forEach((tab, place) => tab.addEventListener("click", () => look(place)));
  element("judge").addEventListener("change", (event) => {
    page.chosen = event.target.value || null;
    for (const side of page.sides) if (side.form.goal.length) side.rank(true);
  });
  addEventListener("popstate", restore);
  let width = innerWidth;
  addEventListener("resize", () => {
    if (width !== innerWidth) page.show(); // whole lines again
    width = innerWidth;
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("textarea, input, select");
    if (event.key === "/" && !typing && !detail.dialog.open) {
      event.preventDefault();
      const seen = page.sides.find((side) => side.letter === element("sides").dataset.seen);
      seen.form.fields.goal.focus();
      seen.form.fields.goal.select();
    } else if (event.key === "Escape" && typing) {
      const side = page.sides.find((one) => one.element.contains(event.target)) ?? page.sides[0];
      event.target.blur();
      side.element.querySelector(".grid .tile[tabindex='0']")?.focus();
    }
  });
}

try {
  await open();
  const names = session.judges.map(({ name }) => make("option", { value: name }, name));
  element("judge").append(make("option", { value: "" }, "automatic"), ...names);
  element("judge-label").hidden = element("judged").hidden = !names.length;
  listen();
  restore();
  if (!page.sides[0].form.goal.length) page.sides[0].form.fields.goal.focus();
} catch (error) {
  element("status").textContent = error.message;
}

import { make } from "./dom.js";
import { session, thumbnail } from "./server.js";

const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);
const PAUSE = 400; // milliseconds without typing after which a sentence is ranked

/** The form of a side: sentences, model, and scoring. */
export class Form {
  /** @param onChange Called with whether it is a step to come back to. */
  constructor(form, letter, onChange) {
    this.form = form;
    this.fields = form.elements;
    form.querySelector(".letter").textContent = letter;
    form.querySelector("select[name=model]").append(
      ...session.models.map((name) => make("option", { value: name }, name)),
    );
    form.querySelector(".chips").append(...session.tasks.map((task) => this.chip(task)));
    for (const part of [".begin", ".chips"]) form.querySelector(part).hidden = !session.tasks.length;
    this.onChange = onChange;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.changed(true);
    });
    form.addEventListener("change", (event) => {
      if (event.target.tagName === "TEXTAREA") return;
      this.layout();
      this.changed(true);
    });
    for (const area of form.querySelectorAll("textarea")) {
      area.addEventListener("input", () => {
        if (area.name === "contrast") this.own = true;
        this.layout();
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.goal.length && this.changed(false), PAUSE);
      });
      area.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
          event.preventDefault();
          this.changed(true);
        }
      });
    }
  }

  get goal() {
    return lines(this.fields.goal.value);
  }

  get scoring() {
    const { kind, alpha, temperature } = this.fields;
    if (kind.value === "plain") return "alpha-0";
    return kind.value === "alpha" ? `alpha-${alpha.value}` : `contrast-${temperature.value}`;
  }

  get value() {
    const { kind, model, baseline, contrast } = this.fields;
    return {
      goal: this.goal,
      baseline: kind.value === "alpha" ? lines(baseline.value) : [],
      contrast: kind.value === "contrast" ? lines(contrast.value) : [],
      model: model.value,
      scoring: this.scoring,
    };
  }

  set value({ goal, baseline, contrast, model, scoring }) {
    const [kind, number] = scoring.split(/-(.*)/s);
    const fields = this.fields;
    fields.goal.value = goal.join("\n");
    fields.baseline.value = (baseline.length ? baseline : (session.tasks[0]?.baseline ?? [])).join("\n");
    this.own = contrast.length > 0 && contrast.join("\n") !== this.rivals.join("\n");
    fields.contrast.value = contrast.join("\n");
    if (session.models.includes(model)) fields.model.value = model;
    fields.kind.value = kind === "contrast" ? kind : Number(number) ? "alpha" : "plain";
    if (fields.kind.value === "alpha") fields.alpha.value = number;
    if (fields.kind.value === "contrast") fields.temperature.value = number;
    this.layout();
  }

  /** The tasks' sentences other than the goal: what a contrast is with, unless one types others. */
  get rivals() {
    const own = this.goal.map((goal) => goal.toLowerCase());
    const known = session.tasks.flatMap((task) => task.goal);
    return [...new Set(known)].filter((goal) => !own.includes(goal.toLowerCase()));
  }

  /** A button with the name of a task, and a frame of its pose if there is a way to it. */
  chip(task) {
    const button = make("button", { type: "button", title: task.goal.join(" / ") }, task.name);
    const way = session.paths.find(({ name }) => name === task.judge);
    if (way) button.prepend(make("img", { src: thumbnail(way.rows.at(-1)), alt: "" }));
    button.addEventListener("click", () => this.start(task));
    return button;
  }

  start(task) {
    this.fields.goal.value = task.goal.join("\n");
    if (task.baseline.length) this.fields.baseline.value = task.baseline.join("\n");
    this.layout();
    this.changed(true);
  }

  changed(isStep) {
    clearTimeout(this.timer);
    this.layout();
    this.onChange(isStep);
  }

  /** Shows the fields of the scoring, and all lines of each. */
  layout() {
    const kind = this.fields.kind.value;
    if (kind === "contrast" && !this.own) this.fields.contrast.value = this.rivals.join("\n");
    for (const part of this.form.querySelectorAll("[data-for]")) part.hidden = part.dataset.for !== kind;
    for (const area of this.form.querySelectorAll("textarea")) {
      area.style.height = "auto";
      // With its border, which the height of the text lacks.
      area.style.height = `${area.scrollHeight + area.offsetHeight - area.clientHeight}px`;
    }
  }

  say(problem) {
    const place = this.form.querySelector(".error");
    place.textContent = problem;
    place.hidden = !problem;
    this.fields.goal.setAttribute("aria-invalid", String(Boolean(problem)));
  }
}

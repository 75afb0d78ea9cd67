import { Form } from "./form.js";
import { Results } from "./results.js";
import { ask } from "./server.js";

/** A sentence with its results; the page has one or two. */
export class Side {
  /** @param page What sides have in common: judge, earlier sentences, and what happens on changes. */
  constructor(letter, page) {
    this.letter = letter;
    this.page = page;
    const template = document.getElementById("side").content.cloneNode(true);
    this.element = template.firstElementChild;
    this.element.setAttribute("aria-label", `Sentence ${letter}`);
    this.form = new Form(this.element.querySelector("form"), letter, (isStep) => this.rank(isStep));
    this.results = new Results(this.element.querySelector(".results"), {
      open: page.open,
      reorder: page.reorder,
    });
    this.element.querySelector(".yaml").addEventListener("click", () => this.copy());
  }

  get query() {
    return {
      ...this.form.value,
      oracle: this.page.judgeFor(this),
      other: this.page.others(this),
    };
  }

  /** Ranks by what the form says, and then asks for all that takes longer.
   *
   * @param isStep Whether it is a step of the history; null if it comes from there.
   */
  async rank(isStep) {
    this.asked?.abort();
    const { signal } = (this.asked = new AbortController());
    const { query, results } = this;
    this.judged = query.oracle;
    results.element.setAttribute("aria-busy", "true");
    try {
      const reply = await ask("rank", query, signal);
      this.form.say("");
      Object.assign(this, { judge: reply.judge, named: reply.named });
      this.element.classList.remove("empty");
      results.take(reply);
      if (isStep !== null) this.page.write(isStep);
      this.page.show(this);
      results.wait();
      const others = this.page.sides.filter((side) => side !== this && side.results.order);
      const asked = await Promise.allSettled([
        ask("diagnosis", query, signal).then((found) => results.diagnose(found)),
        this.confuse(),
        ...others.map((side) => side.confuse().catch(() => {})), // with this sentence
      ]);
      const failed = asked.find(({ status }) => status === "rejected");
      if (failed) throw failed.reason;
    } catch (error) {
      if (error.name === "AbortError") return;
      results.fail();
      this.form.say(error.message);
    }
    results.element.setAttribute("aria-busy", "false");
  }

  async confuse() {
    this.results.confuse(await ask("confusion", this.query, this.asked.signal));
  }

  /** Shows no results, as before the first sentence. */
  clear() {
    this.asked?.abort();
    this.element.classList.add("empty");
    this.results.element.hidden = true;
    this.results.order = this.results.ranks = null;
  }

  /** Shows the task as YAML, and copies it. */
  async copy() {
    const place = this.element.querySelector(".task pre");
    const status = this.element.querySelector(".copied");
    try {
      place.textContent = await ask("task", { ...this.query, oracle: this.page.chosen });
      place.hidden = false;
      await navigator.clipboard.writeText(place.textContent);
      status.textContent = "Copied; put it into a configuration such as config/own.yaml.";
    } catch (error) {
      if (place.hidden) this.form.say(error.message);
      status.textContent = "Select and copy it.";
    }
  }
}

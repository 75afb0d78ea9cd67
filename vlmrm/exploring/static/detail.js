import { make } from "./dom.js";
import { picture, thumbnail } from "./server.js";

/** A picture alone, with what is known about it; arrow keys go to its neighbors in the ranking. */
export class Detail {
  constructor(dialog) {
    this.dialog = dialog;
    this.image = dialog.querySelector(".large");
    dialog.querySelector(".back").addEventListener("click", () => this.move(-1));
    dialog.querySelector(".next").addEventListener("click", () => this.move(1));
    dialog.querySelector(".close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.move(step);
    });
  }

  open(row, results) {
    this.results = results;
    this.show(row);
    if (!this.dialog.open) this.dialog.showModal();
  }

  show(row) {
    this.row = row;
    const { ranks, order } = this.results;
    const facts = this.results.facts(row);
    // The small one is there at once.
    this.image.src = thumbnail(row);
    this.image.alt = facts.map(([name, text]) => `${name}: ${text}`).join("; ");
    const large = new Image();
    large.src = picture(row);
    large.decode().then(() => {
      if (this.row === row) this.image.src = large.src;
    }, () => {});
    const terms = facts.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]);
    this.dialog.querySelector(".facts").replaceChildren(make("dl", {}, ...terms));
    const rank = ranks[row];
    this.dialog.querySelector(".back").disabled = !(rank > 0);
    this.dialog.querySelector(".next").disabled = !(rank < order.length - 1);
  }

  move(step) {
    const row = this.results.order[this.results.ranks[this.row] + step];
    if (row !== undefined) this.show(row);
  }
}

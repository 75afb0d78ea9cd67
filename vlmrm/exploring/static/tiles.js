import { make, short } from "./dom.js";
import { session, thumbnail } from "./server.js";

/** A button with a frame: its rank, its reward, and the verdict on it. */
export function tile(row, { ranks, otherRanks, otherLetter, rewards, judge, onOpen }) {
  const accepted = judge?.accepts(row);
  const verdict = judge ? `, ${judge.name}: ${accepted ? "yes" : "no"}` : "";
  const text = `Rank ${ranks[row] + 1}, reward ${short(rewards[row])}${verdict}`;
  const name = session.names[row];
  const button = make(
    "button",
    { type: "button", className: "tile", data: { row }, title: name ? `${name}: ${text}` : text },
    make("img", { src: thumbnail(row), alt: text, width: 112, height: 112, decoding: "async" }),
    make("span", { className: "rank", ariaHidden: "true" }, String(ranks[row] + 1)),
    make("span", { className: "reward", ariaHidden: "true" }, short(rewards[row])),
  );
  if (judge) {
    button.classList.add(accepted ? "true" : "false");
    button.append(make("span", { className: "mark", ariaHidden: "true" }, accepted ? "✓" : "✗"));
  }
  if (otherRanks) {
    button.append(make("span", { className: "other" }, `${otherLetter}: rank ${otherRanks[row] + 1}`));
  }
  if (name) button.append(make("span", { className: "name" }, name));
  button.addEventListener("click", () => onOpen(row));
  return button;
}

/** Arrow keys move the focus between the tiles of a container.
 *
 * @param turn Called with 1 or -1 at the end; returns whether there is another page.
 */
export function moveByKeys(container, turn = () => false) {
  container.addEventListener("keydown", (event) => {
    const tiles = [...container.querySelectorAll(".tile")];
    const at = tiles.indexOf(document.activeElement);
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const perLine = tiles.filter((one) => one.offsetTop === tiles[0].offsetTop).length;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -perLine, ArrowDown: perLine };
    const ends = { Home: 0, End: tiles.length - 1 };
    if (event.key in ends) focus(tiles[ends[event.key]]);
    else if (event.key in steps) {
      const step = steps[event.key];
      const next = tiles[at + step];
      if (next) focus(next);
      else if (turn(Math.sign(step))) {
        const page = [...container.querySelectorAll(".tile")];
        focus(step > 0 ? page[0] : page.at(-1));
      } else return;
    } else return;
    event.preventDefault();
  });
}

/** Makes one tile reachable by Tab; the arrows reach the others. */
export function rove(container) {
  container.querySelectorAll(".tile").forEach((one, place) => (one.tabIndex = place ? -1 : 0));
}

function focus(one) {
  for (const other of one.parentElement.querySelectorAll(".tile")) other.tabIndex = -1;
  one.tabIndex = 0;
  one.focus();
  one.scrollIntoView({ block: "nearest" });
}

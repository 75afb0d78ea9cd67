/** What the page shows, in its address: so that reload, back, and bookmarks work.
 *
 * { sides: [{ goal, baseline, contrast: [sentences], model, scoring }, ...], judge, worst }
 */

const LISTS = ["goal", "baseline", "contrast"];
const TEXTS = ["model", "scoring"];
const LETTERS = ["", "b-"];

export function read() {
  const given = new URLSearchParams(location.search);
  const sides = [];
  for (const letter of LETTERS) {
    const side = {};
    for (const name of LISTS) side[name] = given.getAll(letter + name);
    for (const name of TEXTS) side[name] = given.get(letter + name) ?? "";
    if (letter === "" || given.has(`${letter}model`)) sides.push(side);
  }
  return { sides, judge: given.get("judge"), worst: given.get("order") === "worst" };
}

/** Writes the state; as a new entry of the history if it is a step to come back to. */
export function write({ sides, judge, worst }, isStep) {
  const query = new URLSearchParams();
  sides.forEach((side, place) => {
    for (const name of LISTS) {
      for (const text of side[name]) query.append(LETTERS[place] + name, text);
    }
    for (const name of TEXTS) query.set(LETTERS[place] + name, side[name]);
  });
  if (judge) query.set("judge", judge);
  if (worst) query.set("order", "worst");
  const address = `?${query}`;
  if (address === location.search) return;
  history[isStep ? "pushState" : "replaceState"](null, "", address);
}

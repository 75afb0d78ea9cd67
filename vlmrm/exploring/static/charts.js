import { draw, make, short } from "./dom.js";
import { judgeNamed, session, thumbnail } from "./server.js";

const BARS = 60;
const WIDTH = 160;
const HEIGHT = 72;
const EDGE = 4;

/** Share of true rows along the ranking, as bars; a click goes to their rank. */
export function strip(order, judge, onGo) {
  const size = Math.max(1, Math.ceil(order.length / BARS));
  const count = Math.ceil(order.length / size);
  const bars = Array.from({ length: count }, (_, place) => {
    const rows = order.slice(place * size, (place + 1) * size);
    const share = rows.filter(judge.accepts).length / rows.length;
    const height = share ? Math.max(1, 24 * share) : 0;
    const text = `${Math.round(100 * share)} % of ranks ${place * size + 1} to ${place * size + rows.length} are true`;
    const bar = draw(
      "g",
      {},
      draw("rect", { x: place, y: 0, width: 1, height: 24, class: "empty" }),
      draw("rect", { x: place + 0.1, y: 24 - height, width: 0.8, height, class: "full" }),
      draw("title", {}, text),
    );
    bar.addEventListener("click", () => onGo(place * size));
    return bar;
  });
  const box = { viewBox: `0 0 ${count} 24`, preserveAspectRatio: "none", role: "img" };
  return draw("svg", { ...box, "aria-label": "Share of true ones by rank, best first" }, ...bars);
}

/** The reward along the way to each pose, with one scale for all; the judge's pose is marked. */
export function ways(rewards, judge, onOpen) {
  const all = session.paths.flatMap(({ rows }) => rows.map((row) => rewards[row]));
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const x = (place, count) => EDGE + ((WIDTH - 2 * EDGE) * place) / (count - 1);
  const y = (row) =>
    HEIGHT - EDGE - ((HEIGHT - 2 * EDGE) * (rewards[row] - low)) / (high - low || 1);
  const charts = session.paths.map(({ name, rows }) => {
    const own = name === judge?.name;
    const accepts = judgeNamed(name)?.accepts ?? (() => false);
    const points = (some) => some.map((p) => `${x(p, rows.length)},${y(rows[p])}`).join(" ");
    const places = rows.map((_, place) => place);
    const reached = places.filter((place) => accepts(rows[place]));
    const dot = draw("circle", { r: 3.5, class: "dot", visibility: "hidden" });
    const end = `${short(rewards[rows[0]])} at the start, ${short(rewards[rows.at(-1)])} in the pose`;
    const chart = draw(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${name}: reward ${end}` },
      draw("polyline", { points: points(places), class: "line" }),
      draw("polyline", { points: points(reached), class: "reached" }),
      dot,
    );
    const image = make("img", { className: "peek", alt: "", hidden: true });
    let shown = rows.at(-1);
    const show = (event) => {
      const box = chart.getBoundingClientRect();
      const share = ((event.clientX - box.left) / box.width) * WIDTH;
      const place = Math.round(((share - EDGE) / (WIDTH - 2 * EDGE)) * (rows.length - 1));
      const at = Math.max(0, Math.min(rows.length - 1, place));
      shown = rows[at];
      dot.setAttribute("cx", x(at, rows.length));
      dot.setAttribute("cy", y(shown));
      dot.setAttribute("visibility", "visible");
      image.src = thumbnail(shown);
      image.hidden = false;
    };
    const button = make("button", { type: "button", className: own ? "way own" : "way" }, chart, image);
    button.append(make("span", {}, own ? `${name} ★` : name));
    button.addEventListener("pointermove", show);
    button.addEventListener("pointerleave", () => {
      image.hidden = true;
      dot.setAttribute("visibility", "hidden");
      shown = rows.at(-1);
    });
    button.addEventListener("click", () => onOpen(shown));
    return button;
  });
  return { charts, low, high };
}

/** A table of areas: a line per sentence, a column per pose; the best of each line is bold. */
export function confusion(lines) {
  const names = session.judges.map((judge) => judge.name);
  const head = make("tr", {}, make("td"), ...names.map((n) => make("th", { scope: "col" }, make("span", {}, n))));
  const body = lines.map(({ sentences, oracle, own, areas }) => {
    const best = Math.max(...Object.values(areas));
    const cells = names.map((name) => {
      const cell = make("td", {}, areas[name].toFixed(2).replace(/^0/, ""));
      // From chance to certainty.
      cell.style.setProperty("--heat", Math.max(0, 2 * areas[name] - 1).toFixed(2));
      if (areas[name] === best) cell.classList.add("best");
      if (name === oracle) cell.classList.add("meant");
      return cell;
    });
    const title = make("th", { scope: "row" }, sentences.join(" / "));
    return make("tr", { className: own ? "own" : "" }, title, ...cells);
  });
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...body));
}

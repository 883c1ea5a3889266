// Pictures of the model to touch, as SVG: soil carbon with depth, and the seven pools. Functions
// take numbers and draw into an element; colours of lines and letters are the page's (try_it.css).
var ProdaPlot = (() => {
  "use strict";

  const SPACE = "http://www.w3.org/2000/svg";
  const KILO = 1000; // gC per kgC

  function make(tag, attributes = {}, ...children) {
    const element = document.createElementNS(SPACE, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  const RAISED = { "-": "⁻", ...Object.fromEntries([..."⁰¹²³⁴⁵⁶⁷⁸⁹"].map((sign, i) => [i, sign])) };
  const raised = (power) => [...String(power)].map((sign) => RAISED[sign]).join("");

  // A number as it is printed: `digits` significant ones, powers of ten for the very large or small.
  function number(value, digits = 3) {
    if (value === 0 || !Number.isFinite(value)) return value === 0 ? "0" : "–";
    const [mantissa, power] = value
      .toExponential(digits - 1)
      .split("e")
      .map(Number);
    if (power >= 6 || power < -3)
      return `${mantissa}\u00a0×\u00a010${raised(power)}`.replace("-", "−");
    const decimals = Math.max(digits - 1 - power, 0);
    const rounded = Number(value.toPrecision(Math.max(digits, power + 1)));
    return rounded
      .toFixed(decimals)
      .replace(/(\.\d*?)0+$/, "$1")
      .replace(/\.$/, "")
      .replace("-", "−");
  }

  // Distance of ticks: 1, 2 or 5 times a power of ten.
  function tickStep(most, count) {
    const size = 10 ** Math.floor(Math.log10(most / count));
    const factor = [1, 2, 5, 10].find((each) => most / (each * size) <= count + 1e-9);
    return factor * size;
  }

  function ticksUpTo(most, count) {
    const step = tickStep(most, count);
    return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => i * step);
  }

  // The largest of 1, 2 or 5 times a power of ten that is not above a value.
  function roundBelow(most) {
    const size = 10 ** Math.floor(Math.log10(most));
    return size * [5, 2, 1].find((factor) => factor * size <= most * (1 + 1e-9));
  }

  // The smallest number of one digit that is above a value.
  function roundAbove(value) {
    const [digit, power] = value.toExponential(0).split("e").map(Number);
    const nearest = Number(`${digit}e${power}`);
    return nearest > value ? nearest : Number(`${digit + 1}e${power}`);
  }

  // Largest value down to a depth, kgC m-3, and a little more; never 0.
  function reach(curves, grid, depth) {
    const seen = curves.flatMap((curve) => curve.filter((_, j) => j === 0 || grid.node[j] < depth));
    return (1.05 * Math.max(...seen, 1e-9)) / KILO;
  }

  // Points of a curve: from the surface through the nodes down to bedrock.
  function points(curve, frame) {
    const { grid, base, x, y } = frame;
    const live = curve.map((value, j) => [value, grid.node[j]]).slice(0, frame.layers);
    const all = [[live[0][0], 0], ...live, [live[live.length - 1][0], base]];
    return all.map(([value, depth]) => [x(value / KILO), y(depth)]);
  }

  const text = (list) => list.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");

  const line = (curve, frame, attributes) =>
    make("polyline", { fill: "none", points: text(points(curve, frame)), ...attributes });

  // The area between two curves.
  const band = (left, right, frame, colour) =>
    make("polygon", {
      class: "band",
      fill: colour,
      points: text([...points(left, frame), ...points(right, frame).reverse()]),
    });

  // Axes of one panel: frame with scales, grid lines, ticks; depth runs down. `shown` has grid,
  // layers, base (of the last layer that holds carbon, m), both for the reference, and depth (m).
  function panel(svg, box, most, shown, ticks) {
    const { left, top, width, height } = box;
    const x = (value) => left + (width * value) / most;
    const y = (depth) => top + (height * depth) / shown.depth;
    const id = `clip-${svg.id}-${svg.childNodes.length}`;
    const clip = make("clipPath", { id }, make("rect", { x: left, y: top, width, height }));
    const group = make("g", { "clip-path": `url(#${id})` });
    svg.append(clip);
    for (const value of ticks.x) {
      svg.append(
        make("line", { class: "grid", x1: x(value), x2: x(value), y1: top, y2: top + height }),
      );
      const anchor = ticks.x.length > 2 || value === 0 ? "middle" : "end";
      svg.append(label(number(value), x(value), top - 5, { "text-anchor": anchor }));
    }
    for (const depth of ticks.y) {
      svg.append(
        make("line", { class: "grid", x1: left, x2: left + width, y1: y(depth), y2: y(depth) }),
      );
      if (ticks.names) {
        const place = { "text-anchor": "end", "dominant-baseline": "middle" };
        svg.append(label(number(depth), left - 5, y(depth), place));
      }
    }
    if (shown.base < shown.depth) {
      const size = { x: left, y: y(shown.base), width, height: y(shown.depth) - y(shown.base) };
      svg.append(make("rect", { class: "rock", ...size }));
    }
    svg.append(
      make("path", { class: "axis", d: `M${left + width},${top}H${left}V${top + height}` }),
    );
    svg.append(group);
    return { ...shown, x, y, group };
  }

  const label = (words, x, y, attributes = {}) => make("text", { x, y, ...attributes }, words);

  // A picture of a size with a title for those who hear the page; what it held before is removed.
  function picture(element, width, height, title) {
    element.replaceChildren(make("title", {}, title));
    element.setAttribute("viewBox", `0 0 ${width} ${height}`);
    element.setAttribute("width", width);
    element.setAttribute("height", height);
    element.setAttribute("role", "img");
    element.setAttribute("aria-label", title);
    return element;
  }

  // Soil carbon with depth: three pools stacked, their sum, the reference, the observations.
  function profile(element, width, height, shown, drawn) {
    const { now, reference, observed, pools } = drawn;
    const svg = picture(element, width, height, drawn.title);
    const box = { left: 46, top: 42, width: width - 58, height: height - 48 };
    const points = observed.filter(([depth]) => depth <= shown.depth);
    const curves = [now.soil, reference.soil];
    const most = Math.max(
      reach(curves, shown.grid, shown.depth),
      ...points.map(([, soc]) => (1.05 * soc) / KILO),
    );
    const x = ticksUpTo(most, width < 420 ? 4 : 6);
    const frame = panel(svg, box, most, shown, { x, y: ticksUpTo(shown.depth, 5), names: true });
    let inner = now.soil.map(() => 0);
    for (const pool of [6, 5, 4]) {
      const outer = inner.map((value, j) => value + now.pools[pool][j]);
      frame.group.append(band(inner, outer, frame, pools[pool].colour));
      inner = outer;
    }
    frame.group.append(
      line(reference.soil, { ...frame, ...shown.reference }, { class: "reference" }),
    );
    frame.group.append(line(now.soil, frame, { class: "now" }));
    for (const [depth, soc] of points) {
      const place = { cx: frame.x(soc / KILO), cy: frame.y(depth), r: 4.5 };
      svg.append(make("circle", { class: "observed", ...place }));
    }
    if (shown.base < 0.93 * shown.depth) {
      svg.append(
        label("bedrock", box.left + box.width - 6, frame.y(shown.base) + 16, {
          "text-anchor": "end",
        }),
      );
    }
    svg.append(label("Soil organic carbon (kgC m⁻³)", box.left, 14, { class: "name" }));
    const turn = `translate(13 ${box.top + box.height / 2}) rotate(-90)`;
    svg.append(
      label("Depth (m)", 0, 0, { class: "name", transform: turn, "text-anchor": "middle" }),
    );
  }

  // The seven pools with depth, each on its own scale.
  function pools(element, width, shown, drawn) {
    const columns = width < 480 ? 2 : 4; // the names need room
    const rows = Math.ceil(7 / columns);
    const step = { x: (width - 34) / columns, y: 124 };
    const svg = picture(element, width, rows * step.y + 4, drawn.title);
    drawn.pools.forEach((pool, i) => {
      const column = i % columns;
      const box = { left: 34 + column * step.x, top: 4 + Math.floor(i / columns) * step.y + 32 };
      Object.assign(box, { width: step.x - 12, height: step.y - 42 });
      const curves = [drawn.now.pools[i], drawn.reference.pools[i]];
      const most = reach(curves, shown.grid, shown.depth);
      const end = roundBelow(most);
      const y = [0, shown.depth];
      const frame = panel(svg, box, most, shown, { x: [0, end], y, names: column === 0 });
      const usual = { ...frame, ...shown.reference };
      const colour = pool.name === "cwd" ? "currentColor" : pool.colour;
      frame.group.append(line(drawn.reference.pools[i], usual, { class: "reference" }));
      frame.group.append(line(drawn.now.pools[i], frame, { class: "pool", stroke: colour }));
      svg.append(label(pool.label, box.left, box.top - 20, { class: "name" }));
    });
  }

  return { number, pools, profile, roundAbove };
})();

// The soil carbon model in the browser: the steady state of equation 37.2 for one place, with the
// same formulas as the Python engine (proda_lib: environment, inputs, transport, column, equation).
// Pure functions; nothing here touches the page. Arrays of layers run from the surface down.
//
//   parameters  object: the 21 physical values by name
//   forcing     object: temperature (K), water, oxygen, nitrogen (1), each [12 months][layers];
//               thaw, thaw_last_year (m) [12]; annual_input (gC m-2 yr-1) [4]; bedrock_layer (1-based)
//   grid        object: node, thickness, interface (m) [layers]; node_below, interface_below (m);
//               in_metre (m) [layers], what of each layer lies in the upper metre
//   constants   object: days_per_year; reference (K), where the temperature scalar is 1;
//               smallest_exponent of the depth scalar; cryoturbation_limit (m): soils that thaw
//               deeper are mixed by animals and roots; cryoturbation_depth (m): where it has faded
var ProdaModel = (() => {
  "use strict";

  const LITTERS = [1, 2, 3]; // pools 0 to 6: debris, three litters, fast, slow and passive soil

  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const mean = (values) => sum(values) / values.length;
  const zeros = (count) => new Array(count).fill(0);

  // ---- environment: xi ------------------------------------------------------------------------

  // xi_T = q10^((T - reference) / 10), above and below freezing alike.
  const temperatureScalar = (temperature, q10, reference) =>
    Math.exp((temperature - reference) * (Math.log(q10) / 10));

  // xi_W = min(1, w W): CLM5's water scalar times the calibrated factor.
  const waterScalar = (water, scaling) => Math.min(1, scaling * water);

  // xi_D = exp(-z / efolding) at the node; the exponent is not less than `smallest`.
  const depthScalar = (node, efolding, smallest) => Math.exp(Math.max(-node / efolding, smallest));

  // xi of soil and debris, and of litter: yearly mean of the product of the monthly scalars, times
  // xi_D. Nitrogen slows the litters only. Where nothing lives (below bedrock) any rate will do.
  function modifiers(value, forcing, grid, live, constants) {
    const months = forcing.temperature.map((_, month) => month);
    const layers = grid.node.map((node, j) => {
      if (!live[j]) return { soil: 1, litter: 1 };
      const depth = depthScalar(node, value.efolding, constants.smallest_exponent);
      const monthly = months.map(
        (m) =>
          temperatureScalar(forcing.temperature[m][j], value.q10, constants.reference) *
          waterScalar(forcing.water[m][j], value["w-scaling"]) *
          forcing.oxygen[m][j],
      );
      const litter = monthly.map((scalar, m) => scalar * forcing.nitrogen[m][j]);
      return { soil: mean(monthly) * depth, litter: mean(litter) * depth };
    });
    return { soil: layers.map((each) => each.soil), litter: layers.map((each) => each.litter) };
  }

  // ---- input: B u -----------------------------------------------------------------------------

  // s_j = beta^(100 z_(j-1)) - beta^(100 z_j), z the interfaces in m, over the layers down to
  // bedrock. Where the ground did not thaw in every month all carbon enters the top layer.
  function inputShare(beta, thawed, live, grid) {
    if (!thawed) return grid.node.map((_, j) => (j === 0 ? 1 : 0));
    const perMetre = 100 * Math.log(beta);
    const share = grid.interface.map((base, j) => {
      const top = j === 0 ? 0 : grid.interface[j - 1];
      return live[j] ? Math.exp(perMetre * top) - Math.exp(perMetre * base) : 0;
    });
    const total = sum(share);
    return share.map((each) => each / total);
  }

  // Carbon entering debris and litters, gC m-3 day-1, [4][layers].
  const inputDensity = (annual, share, grid, days) =>
    annual.map((each) => share.map((s, j) => (each * s) / (days * grid.thickness[j])));

  // ---- vertical transport: V ------------------------------------------------------------------

  // Diffusivity at interface j of one month, for values of 1 m2 yr-1: animals and roots where the
  // soil thaws below the limit, else frost down to the thaw depth, fading out further down or
  // towards bedrock.
  function diffusivity(thaw, layer, interfaces, constants) {
    const end = Math.min(constants.cryoturbation_depth, interfaces[layer]);
    return interfaces.map((depth, j) => {
      if (j > layer || thaw <= 0) return { bio: 0, cryo: 0 };
      if (thaw > constants.cryoturbation_limit) return { bio: 1, cryo: 0 };
      const fading = 1 - (depth - thaw) / (end - thaw);
      return { bio: 0, cryo: depth < thaw ? 1 : fading > 0 ? fading : 0 };
    });
  }

  // What each layer exchanges with its neighbours, day-1. The face between two layers has the
  // distance-weighted harmonic mean of their diffusivities; it is averaged over the months. The
  // surface and the base of the bedrock layer are closed.
  function exchange(value, forcing, grid, constants) {
    const layer = forcing.bedrock_layer;
    const node = [...grid.node, grid.node_below];
    const interfaces = [...grid.interface, grid.interface_below];
    const months = forcing.thaw.map((thaw, m) => {
      const deepest = Math.max(thaw, forcing.thaw_last_year[m]);
      return diffusivity(deepest, layer, interfaces, constants);
    });
    const face = grid.node.map((_, j) => {
      const spacing = node[j + 1] - node[j];
      const weight = (node[j + 1] - interfaces[j]) / spacing;
      const resistance = (month, kind) =>
        (1 - weight) / month[j][kind] + weight / month[j + 1][kind];
      const conductance = (kind) => (month) =>
        1 / resistance(month, kind) / spacing / constants.days_per_year;
      const bio = mean(months.map(conductance("bio")));
      const cryo = mean(months.map(conductance("cryo")));
      return value.diffus * bio + value.cryo * cryo;
    });
    const open = (j) => j >= 0 && j < layer - 1 && j < grid.node.length - 1;
    return {
      up: grid.node.map((_, j) => (open(j - 1) ? face[j - 1] / grid.thickness[j] : 0)),
      down: grid.node.map((_, j) => (open(j) ? face[j] / grid.thickness[j] : 0)),
    };
  }

  // ---- the linear system ----------------------------------------------------------------------

  // Tridiagonal system of one litter, down and back up. Elimination carries what a layer loses
  // (e) instead of its diagonal, so that nothing is subtracted: e = k + up h, w = 1 / (e + down),
  // h = e w; then x = (q + down x_under) w from the base up.
  function solveLitter(rate, mix, source) {
    const last = rate.length - 1;
    const weight = zeros(last + 1);
    const collected = zeros(last + 1);
    let kept = 0;
    let passed = 0;
    for (let j = 0; j <= last; j++) {
      const loss = rate[j] + mix.up[j] * kept;
      weight[j] = 1 / (loss + mix.down[j]);
      collected[j] = source[j] + mix.up[j] * passed;
      kept = loss * weight[j];
      passed = collected[j] * weight[j];
    }
    const state = zeros(last + 1);
    let under = 0;
    for (let j = last; j >= 0; j--) {
      under = (collected[j] + mix.down[j] * under) * weight[j];
      state[j] = under;
    }
    return state;
  }

  const times = (matrix, vector) =>
    matrix.map((row) => row[0] * vector[0] + row[1] * vector[1] + row[2] * vector[2]);

  const product = (left, right) =>
    left.map((row) =>
      [0, 1, 2].map((k) => row[0] * right[0][k] + row[1] * right[1][k] + row[2] * right[2][k]),
    );

  // Inverse of a 3 x 3 matrix by cofactors, scaled so that their products do not underflow.
  function inverse(matrix) {
    const scale = matrix[0][0];
    const [[a, b, c], [d, e, f], [g, h, i]] = matrix.map((row) => row.map((x) => x / scale));
    const cofactors = [
      [e * i - f * h, c * h - b * i, b * f - c * e],
      [f * g - d * i, a * i - c * g, c * d - a * f],
      [d * h - e * g, b * g - a * h, a * e - b * d],
    ];
    const determinant = a * cofactors[0][0] + b * cofactors[1][0] + c * cofactors[2][0];
    return cofactors.map((row) => row.map((x) => x / (scale * determinant)));
  }

  // The three soil pools: blocks of 3 x 3, up and back down. E = S + down R, D = E + up I,
  // R = E D^-1 from the base up, S the layer's own loss matrix; then x = D^-1 (q + up x_over).
  function solveSoil(loss, modifier, mix, source) {
    const layers = modifier.length;
    const stored = new Array(layers);
    let kept = [zeros(3), zeros(3), zeros(3)];
    let passed = zeros(3);
    for (let j = layers - 1; j >= 0; j--) {
      const lost = loss.map((row, i) =>
        row.map((x, k) => modifier[j] * x + mix.down[j] * kept[i][k]),
      );
      const total = lost.map((row, i) => row.map((x, k) => (i === k ? x + mix.up[j] : x)));
      const inverted = inverse(total);
      passed = times(
        inverted,
        source.map((pool, i) => pool[j] + mix.down[j] * passed[i]),
      );
      kept = product(lost, inverted);
      stored[j] = { inverted, collected: passed };
    }
    const state = [zeros(layers), zeros(layers), zeros(layers)];
    let over = zeros(3);
    for (let j = 0; j < layers; j++) {
      const brought = times(stored[j].inverted, over);
      over = stored[j].collected.map((x, i) => x + mix.up[j] * brought[i]);
      over.forEach((x, i) => (state[i][j] = x));
    }
    return state;
  }

  // ---- the model ------------------------------------------------------------------------------

  // What stands in equation 37.1: modifiers, exchange, input and the pools' rates, day-1.
  function terms(value, forcing, grid, constants) {
    const days = constants.days_per_year;
    const live = grid.node.map((_, j) => j < forcing.bedrock_layer);
    const thawed = forcing.thaw_last_year.every((depth) => depth > 0);
    const xi = modifiers(value, forcing, grid, live, constants);
    const share = inputShare(value.beta, thawed, live, grid);
    const turnover = ["taucwd", "taul1", "taul2", "taul2", "tau4s1", "tau4s2", "tau4s3"];
    const rates = turnover.map((name, pool) =>
      (LITTERS.includes(pool) ? xi.litter : xi.soil).map((x) => x / (days * value[name])),
    );
    return {
      ...xi,
      rates,
      exchange: exchange(value, forcing, grid, constants),
      inputs: inputDensity(forcing.annual_input, share, grid, days),
    };
  }

  // Steady-state carbon of the seven pools, gC m-3, [7][layers] (equation 37.2), from what stands in
  // the equation.
  function pools(value, term, days) {
    const { inputs, rates, soil } = term;
    // Debris is not mixed: it passes on what it gets, layer by layer.
    const debris = inputs[0].map((x, j) => x / rates[0][j]);
    const fromDebris = [0, value.fcwdl2, 1 - value.fcwdl2];
    const litter = LITTERS.map((pool, i) => {
      const source = inputs[pool].map((x, j) => x + fromDebris[i] * inputs[0][j]);
      return solveLitter(rates[pool], term.exchange, source);
    });
    const decomposed = litter.map((pool, i) => pool.map((x, j) => rates[LITTERS[i]][j] * x));
    const gained = [
      decomposed[0].map((x, j) => value.fl1s1 * x + value.fl2s1 * decomposed[1][j]),
      decomposed[2].map((x) => value.fl3s2 * x),
      zeros(soil.length),
    ];
    const [fast, slow, passive] = ["tau4s1", "tau4s2", "tau4s3"].map(
      (name) => 1 / (days * value[name]),
    );
    const loss = [
      [fast, -value.fs2s1 * slow, -value.fs3s1 * passive],
      [-value.fs1s2 * fast, slow, 0],
      [-value.fs1s3 * fast, -value.fs2s3 * slow, passive],
    ];
    return [debris, ...litter, ...solveSoil(loss, soil, term.exchange, gained)];
  }

  // The steady state and what is said about it: pools and soil (gC m-3), stock of the column and
  // of the upper metre (gC m-2), input (gC m-2 yr-1), residence time (yr) = stock / input, and
  // carbon use efficiency (1) = the share of what litter and soil decompose that is passed on.
  function summary(value, forcing, grid, constants) {
    const days = constants.days_per_year;
    const term = terms(value, forcing, grid, constants);
    const state = pools(value, term, days);
    const soil = grid.node.map((_, j) => state[4][j] + state[5][j] + state[6][j]);
    const column = (layers) => sum(layers.map((x, j) => x * grid.thickness[j]));
    const passedOn = [
      value.fl1s1,
      value.fl2s1,
      value.fl3s2,
      value.fs1s2 + value.fs1s3,
      value.fs2s1 + value.fs2s3,
      value.fs3s1,
    ];
    const decomposed = [1, 2, 3, 4, 5, 6].map((pool) =>
      column(state[pool].map((x, j) => x * term.rates[pool][j])),
    );
    const input = days * sum(term.inputs.map(column));
    const stock = column(soil);
    return {
      pools: state,
      soil,
      stock,
      stock_1m: sum(soil.map((x, j) => x * grid.in_metre[j])),
      input,
      residence_time: stock / input,
      carbon_use_efficiency: sum(decomposed.map((x, i) => x * passedOn[i])) / sum(decomposed),
    };
  }

  // Soil carbon read at a depth (m): straight from node to node, the nearest node beyond them.
  function read(soil, depth, bedrockLayer, grid) {
    const last = Math.min(bedrockLayer, grid.node.length) - 1;
    const under = grid.node.findIndex((node) => node > depth);
    if (under === 0) return soil[0];
    if (under < 0 || under > last) return soil[last];
    const share = (depth - grid.node[under - 1]) / (grid.node[under] - grid.node[under - 1]);
    return (1 - share) * soil[under - 1] + share * soil[under];
  }

  // ---- another forcing ------------------------------------------------------------------------

  // A place's forcing with changes: warming (K) of all months and layers, factors of moisture and
  // of the carbon input, the greatest thaw depth (m), the bedrock layer; null leaves as it is.
  function changed(forcing, change) {
    const thaw = change.thaw === null ? null : forcing.thaw.map(() => change.thaw);
    return {
      ...forcing,
      temperature: forcing.temperature.map((month) => month.map((x) => x + change.warming)),
      water: forcing.water.map((month) => month.map((x) => Math.min(1, x * change.moisture))),
      annual_input: forcing.annual_input.map((x) => x * change.input),
      thaw: thaw || forcing.thaw,
      thaw_last_year: thaw || forcing.thaw_last_year,
      bedrock_layer: change.bedrock === null ? forcing.bedrock_layer : change.bedrock,
    };
  }

  return { changed, read, summary };
})();

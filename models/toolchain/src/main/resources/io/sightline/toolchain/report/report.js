"use strict";
(() => {
    const report = JSON.parse(document.getElementById("report").textContent);
    const SVG = document.getElementById("svg").namespaceURI;

    // --- Elements. Text goes in as text only: names in a report are whatever a model's file says.

    function fill(element, attributes, children) {
        for (const [name, value] of Object.entries(attributes || {})) {
            if (value !== null && value !== undefined && value !== false) {
                element.setAttribute(name, value === true ? "" : String(value));
            }
        }
        for (const child of children.flat(Infinity)) {
            if (child !== null && child !== undefined && child !== false) {
                element.append(child instanceof Node ? child : String(child));
            }
        }
        return element;
    }

    const h = (tag, attributes, ...children) =>
        fill(document.createElement(tag), attributes, children);
    const g = (tag, attributes, ...children) =>
        fill(document.createElementNS(SVG, tag), attributes, children);

    // --- Numbers

    const list = value => (Array.isArray(value) ? value : []);
    const entries = value => (value && typeof value === "object" ? Object.entries(value) : []);
    const isMissing = value => value === null || value === undefined || value === "";

    /** JSON has no infinity and no NaN: they come as words. */
    function number(value) {
        if (typeof value === "number") {
            return value;
        }
        return value === "Infinity" ? Infinity : value === "-Infinity" ? -Infinity : null;
    }

    const missing = () => h("span", {class: "missing"}, "not measured");

    const formatted = format => value => {
        const n = number(value);
        if (n === null) {
            return missing();
        }
        return Number.isFinite(n) ? format(n).replace(/^-/, "−") : n > 0 ? "∞" : "−∞";
    };
    const fixed = digits => formatted(n => n.toFixed(digits));
    const signed = digits => formatted(n => {
        const rounded = Number(n.toFixed(digits));
        return (rounded > 0 ? "+" : rounded < 0 ? "-" : "") + Math.abs(rounded).toFixed(digits);
    });
    const percent = digits => formatted(n => (100 * n).toFixed(digits) + " %");
    const whole = formatted(n => n.toLocaleString("en").replaceAll(",", "\u2009"));
    const brief = formatted(n => String(Number(n.toFixed(4))));
    const power = formatted(n => (n === 0 ? "0" : n.toExponential(2)));
    const times = formatted(n => n.toFixed(2) + " ×");
    const millis = formatted(n => n.toFixed(n < 10 ? 3 : 1));
    const bytes = formatted(n =>
        n >= 1e6 ? (n / 1e6).toFixed(2) + " MB" : n >= 1e3 ? (n / 1e3).toFixed(1) + " kB" : n + " B");
    const text = value => (isMissing(value) ? missing() : String(value));
    const counted = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
    const ratio = (a, b) => (number(a) !== null && number(b) > 0 ? number(a) / number(b) : null);

    const interval = loss =>
        loss ? ["[", signed(4)(loss.low), ", ", signed(4)(loss.high), "]"] : missing();

    const badge = (passed, words, size) =>
        h("span", {class: `badge ${passed ? "good" : "bad"} ${size || ""}`},
            (passed ? "✓ " : "✗ ") + words);

    const model = report.model || {};
    const machine = report.machine || {};
    const targets = list(report.targets);
    const layers = list(report.layers);
    const nodes = list(report.nodes);
    const maxLoss = number(report.settings?.gate?.max_loss);

    // --- Tables

    /**
     * columns: {name, of: row => value to sort by, show: value => content, num, mono, head, title}
     * options: {label, sort, filter, tall, mark: row => class}
     */
    function table(columns, rows, options) {
        const body = h("tbody");
        const heads = [];
        const count = h("span", {class: "soft", role: "status"});
        let sorted = -1;
        let falling = false;
        let wanted = "";

        function key(row, index) {
            const value = columns[sorted].of(row, index);
            return number(value) ?? value;
        }

        function compare(a, b) {
            const x = key(a.row, a.index);
            const y = key(b.row, b.index);
            if (isMissing(x) || isMissing(y)) {
                return isMissing(x) - isMissing(y);
            }
            const order = typeof x === "number" && typeof y === "number"
                ? x - y : String(x).localeCompare(String(y), "en", {numeric: true});
            return falling ? -order : order;
        }

        const matches = ({row, index}) => columns.some(column => !column.num
            && String(column.of(row, index) ?? "").toLowerCase().includes(wanted));

        function draw() {
            let shown = rows.map((row, index) => ({row, index}));
            if (wanted) {
                shown = shown.filter(matches);
            }
            if (sorted >= 0) {
                shown.sort((a, b) => compare(a, b) || a.index - b.index);
            }
            body.replaceChildren(...shown.map(({row, index}) =>
                h("tr", {class: options.mark ? options.mark(row) : null},
                    columns.map(column => {
                        const kind = [column.num && "num", column.mono && "name", column.wide && "text"];
                        return h(column.head ? "th" : "td",
                            {class: kind.filter(Boolean).join(" ") || null, scope: column.head ? "row" : null},
                            (column.show || text)(column.of(row, index), row));
                    }))));
            heads.forEach((head, at) => options.sort && head.setAttribute("aria-sort",
                at !== sorted ? "none" : falling ? "descending" : "ascending"));
            count.textContent = wanted ? `${shown.length} of ${rows.length} rows` : `${rows.length} rows`;
        }

        columns.forEach((column, at) => {
            const button = options.sort && h("button", {type: "button", title: column.title}, column.name);
            if (button) {
                button.addEventListener("click", () => {
                    falling = sorted === at && !falling;
                    sorted = at;
                    draw();
                });
            }
            heads.push(h("th", {scope: "col", class: column.num ? "num" : null,
                title: options.sort ? null : column.title}, button || column.name));
        });
        draw();

        const box = h("div", {
            class: options.tall && rows.length > 24 ? "scroll tall" : "scroll",
            tabindex: "0", role: "region", "aria-label": options.label,
        }, h("table", null, h("thead", null, h("tr", null, heads)), body));
        if (!options.filter) {
            return box;
        }
        const search = h("input", {type: "search", autocomplete: "off", spellcheck: "false"});
        search.addEventListener("input", () => {
            wanted = search.value.trim().toLowerCase();
            draw();
        });
        return h("div", null,
            h("div", {class: "tools"}, h("label", null, options.filter, search), count), box);
    }

    // --- Plots: drawn for the width they have, so that letters keep their size.

    const redraws = [];

    /** Below, axes would not fit: a page that is not laid out yet. */
    const NARROWEST = 160;

    function plot(draw) {
        const holder = h("div");
        let drawn = 0;
        function redraw(width) {
            if (width >= NARROWEST && width !== drawn) {
                drawn = width;
                holder.replaceChildren(draw(width));
            }
        }
        new ResizeObserver(() => redraw(Math.floor(holder.clientWidth))).observe(holder);
        redraws.push(redraw);
        return holder;
    }

    function niceSteps(low, high, wanted) {
        const rough = (high - low) / wanted;
        const base = 10 ** Math.floor(Math.log10(rough));
        const step = [1, 2, 2.5, 5, 10].map(f => f * base).find(s => s >= rough) || 10 * base;
        const steps = [];
        for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) {
            steps.push(n === 0 ? 0 : Number((n * step).toPrecision(12)));
        }
        return steps;
    }

    const tick = n => String(Number(n.toPrecision(4))).replace(/^-/, "−");

    /** rows: {label, loss}; what lies outside the scale is drawn as an arrow. */
    function intervals(rows, label) {
        const measured = rows.filter(row => row.loss);
        const reach = losses => Math.max(0.004, maxLoss || 0, ...losses
            .flatMap(loss => [number(loss.low), number(loss.high)])
            .filter(Number.isFinite).map(Math.abs)) * 1.2;
        const near = reach(targets.map(target => target.loss).filter(Boolean));
        const outside = measured.every(({loss}) => loss.high < -near || loss.low > near);
        const widest = outside ? reach(measured.map(row => row.loss)) : near;
        return plot(width => {
            const narrow = width < 620;
            const left = narrow ? 6 : 190;
            const right = narrow ? 6 : 176;
            const step = narrow ? 40 : 25;
            const top = 20;
            const height = top + measured.length * step + 24;
            const most = Math.max(widest / 4, Math.min(widest, 1.2 * Math.max(...measured.map(row => row.loss.high))));
            const x = value =>
                left + (width - left - right) * (value + widest) / (widest + most);
            const svg = g("svg", {viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label":
                label + ": " + measured.map(row => `${row.label} ${tick(row.loss.delta)} from ${tick(row.loss.low)} to ${tick(row.loss.high)}`).join("; ")});
            for (const value of niceSteps(-widest, most, narrow ? 4 : 8)) {
                svg.append(
                    g("line", {class: value === 0 ? "zero" : "axis", x1: x(value), x2: x(value), y1: top, y2: height - 20}),
                    g("text", {x: x(value), y: height - 6, "text-anchor": "middle"}, (value > 0 ? "+" : "") + tick(value)));
            }
            if (maxLoss !== null && maxLoss > 0) {
                svg.append(
                    g("line", {class: "limit", x1: x(-maxLoss), x2: x(-maxLoss), y1: top - 4, y2: height - 20}),
                    g("text", {class: "limit-label", x: x(-maxLoss), y: 11, "text-anchor": "middle"}, "limit " + tick(-maxLoss)));
            }
            measured.forEach((row, i) => {
                const y = top + i * step + (narrow ? 28 : step / 2);
                const {delta, low, high} = row.loss;
                const numbers = `${signed(4)(delta)} [${signed(4)(low)}, ${signed(4)(high)}]`;
                const title = g("title", null, `${row.label}: ${numbers}`);
                const line = g("g", null, title);
                const name = row.label.length > 30 ? row.label.slice(0, 29) + "…" : row.label;
                if (narrow) {
                    line.append(
                        g("text", {class: "strong halo", x: left, y: y - 11}, name),
                        g("text", {class: "halo", x: width - right, y: y - 11, "text-anchor": "end"}, numbers));
                } else {
                    line.append(
                        g("text", {class: "strong", x: left - 12, y: y + 4, "text-anchor": "end"}, name),
                        g("text", {x: width - right + 12, y: y + 4}, numbers));
                }
                if (high < -widest || low > most) {
                    const edge = low > most ? width - right : left;
                    const tip = low > most ? 9 : -9;
                    line.append(g("path", {class: "int8-fill", d: `M${edge} ${y}l${-tip} -5v10z`}));
                } else {
                    const from = x(Math.max(low, -widest));
                    const to = x(Math.min(high, most));
                    line.append(g("line", {class: "int8-line", "stroke-width": 2, x1: from, x2: to, y1: y, y2: y}));
                    for (const [value, end] of [[low, from], [high, to]]) {
                        if (value >= -widest && value <= most) {
                            line.append(g("line", {class: "int8-line", "stroke-width": 2, x1: end, x2: end, y1: y - 4, y2: y + 4}));
                        }
                    }
                    if (delta >= -widest && delta <= most) {
                        line.append(g("circle", {class: "int8-fill", cx: x(delta), cy: y, r: 4}));
                    }
                }
                svg.append(line);
            });
            return svg;
        });
    }

    /** Where the layer only says that it stays float, the target of its types says why. */
    const reasons = new Map(list(targets.find(target => target.target !== "tensorrt")?.float_layers)
        .map(({layer, reason}) => [layer, reason]));
    const decision = layer => layer.decision === "float" && reasons.has(layer.name)
        ? "float: " + reasons.get(layer.name) : layer.decision;

    const staysFloat = layer => /^float/i.test(layer.decision || "");

    /** One small plot over the layers in order. series: {of, bars, log, zero, name, show}. */
    function layerPlot(layers, kind, cursors) {
        const values = layers.map(kind.of);
        const second = kind.beside ? layers.map(kind.beside) : [];
        const usable = [...values, ...second].filter(v =>
            Number.isFinite(v) && (!kind.log || v > 0));
        if (!usable.length) {
            return h("p", null, kind.name, ": ", missing());
        }
        const head = h("h3", null, kind.name);
        const drawing = plot(width => {
            const left = 56;
            const height = 138;
            const top = 8;
            const bottom = height - 22;
            const pitch = (width - left - 4) / layers.length;
            let low = Math.min(...usable);
            let high = Math.max(...usable);
            if (kind.log) {
                low = Math.floor(Math.log10(low));
                high = Math.max(low + 1, Math.ceil(Math.log10(high)));
            } else if (kind.fromZero) {
                low = Math.min(0, low);
                high = Math.max(0, high);
            }
            const room = kind.log ? 0 : (high - low || 1) * 0.06;
            low -= low === 0 ? 0 : room;
            high += high === 0 ? 0 : room;
            const y = value => {
                const v = kind.log ? Math.log10(value) : value;
                return bottom - (bottom - top) * (Math.min(Math.max(v, low), high) - low) / (high - low);
            };
            const svg = g("svg", {viewBox: `0 0 ${width} ${height}`, role: "img",
                "aria-label": `${kind.name} of each layer in order; the table below holds the numbers`});
            const ticks = kind.log
                ? niceSteps(low, high, 4).filter(Number.isInteger).map(n => [10 ** n, n === 0 ? "1" : "1e" + tick(n)])
                : niceSteps(low, high, 4).map(n => [n, tick(n)]);
            for (const [value, label] of ticks) {
                svg.append(
                    g("line", {class: value === 0 ? "zero" : "axis", x1: left, x2: width, y1: y(value), y2: y(value)}),
                    g("text", {x: left - 6, y: y(value) + 4, "text-anchor": "end"}, label));
            }
            const every = [1, 2, 5, 10, 20, 50, 100].find(n => n * pitch >= 34) || 200;
            for (let i = 0; i < layers.length; i++) {
                if ((i === 0 && every > 2) || (i + 1) % every === 0) {
                    svg.append(g("text", {x: left + (i + 0.5) * pitch, y: height - 4, "text-anchor": "middle"}, i + 1));
                }
            }
            const base = y(kind.log ? 10 ** low : Math.max(low, Math.min(high, 0)));
            layers.forEach((layer, i) => {
                const middle = left + (i + 0.5) * pitch;
                const mark = g("g", null, g("title", null, `${i + 1}. ${layer.name}: ${kind.describe(layer)}`));
                mark.append(g("rect", {x: left + i * pitch, y: 0, width: pitch, height: bottom, fill: "transparent"}));
                const bar = (value, from, share, fill) => {
                    if (Number.isFinite(value)) {
                        mark.append(g("rect", {class: fill, x: from, width: Math.max(1, share),
                            y: Math.min(y(value), base), height: Math.max(0.75, Math.abs(y(value) - base))}));
                    }
                };
                if (kind.beside) {
                    bar(values[i], left + i * pitch + pitch * 0.1, pitch * 0.38, "float-fill");
                    bar(second[i], left + i * pitch + pitch * 0.5, pitch * 0.38, "int8-fill");
                } else if (kind.bars) {
                    bar(values[i], left + i * pitch + pitch * 0.15, pitch * 0.7,
                        staysFloat(layer) ? "float-fill" : "int8-fill");
                } else if (Number.isFinite(values[i]) && (!kind.log || values[i] > 0)) {
                    mark.append(g("circle", {class: staysFloat(layer) ? "ring" : "int8-fill",
                        cx: middle, cy: y(values[i]), r: Math.min(4, Math.max(2, pitch * 0.32))}));
                }
                svg.append(mark);
            });
            const cursor = g("rect", {class: "cursor", y: 0, height: bottom, width: Math.max(2, pitch), visibility: "hidden", "pointer-events": "none"});
            svg.append(cursor);
            cursors.set(kind, i => {
                cursor.setAttribute("visibility", "visible");
                cursor.setAttribute("x", left + i * pitch);
            });
            const point = event => {
                const at = Math.floor((event.clientX - svg.getBoundingClientRect().left - left) / pitch);
                if (at >= 0 && at < layers.length) {
                    cursors.select(at);
                }
            };
            svg.addEventListener("pointermove", point);
            svg.addEventListener("pointerdown", point);
            return svg;
        });
        return h("figure", null, head, drawing);
    }

    // --- Sections

    const sections = [];

    function section(id, name, ...content) {
        const made = h("section", {id, "aria-labelledby": id + "-name"},
            h("h2", {id: id + "-name"}, name), content);
        sections.push({id, name});
        return made;
    }

    const facts = pairs => h("dl", {class: "facts"},
        pairs.map(([name, value, mono]) => [h("dt", null, name), h("dd", {class: mono ? "mono" : null}, value)]));

    const nothing = words => h("p", {class: "soft"}, words);

    const size = target => isMissing(target.file)
        ? h("span", {class: "missing"}, "no file") : bytes(target.bytes);

    function targetCard(target) {
        const kept = isMissing(target.file);
        const accuracy = target.accuracy;
        const figure = (name, value, more) =>
            h("div", null, h("dt", null, name), h("dd", null, value, more && h("small", null, more)));
        const speed = target.speed;
        return h("article", {class: "card " + (target.passed ? "good" : "bad")},
            h("header", null, h("h3", null, target.target),
                badge(target.passed, target.passed ? "gates held" : "gate failed")),
            h("p", null, text(target.kept)),
            h("dl", {class: "figures"},
                figure("mAP 50–95", fixed(4)(accuracy?.map), ["float ", fixed(4)(report.float_accuracy?.map)]),
                figure("INT8 − float", signed(4)(target.loss?.delta), target.loss && ["95% ", interval(target.loss)]),
                figure("speed, times float", times(speed?.ratio),
                    speed && [millis(speed.int8_millis), " ms a picture"]),
                figure("MACs in INT8", percent(1)(target.int8_share),
                    counted(list(target.float_layers).length, "layer") + " float"),
                figure("size", size(target), ["float ", bytes(model.bytes)]),
                figure("quantised by", [text(target.method)],
                    [text(target.weight_bits), "-bit weights", target.corrected ? ", channels corrected" : ""])),
            list(target.gates).length
                ? h("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": "gates of " + target.target},
                    h("table", null,
                        h("thead", null, h("tr", null, h("th", {scope: "col"}, "gate"),
                            h("th", {scope: "col", class: "num"}, "measured"),
                            h("th", {scope: "col", class: "num"}, "limit"),
                            h("th", {scope: "col", class: "num"}, "result"))),
                        h("tbody", null, target.gates.map(gate => h("tr", null,
                            h("th", {scope: "row"}, text(gate.what)),
                            h("td", {class: "num"}, brief(gate.value)),
                            h("td", {class: "num"}, brief(gate.limit)),
                            h("td", {class: "num " + (gate.passed ? "good" : "bad")}, gate.passed ? "✓ held" : "✗ failed"))))))
                : nothing("No gates were set."),
            kept ? h("p", {class: "soft"}, "No INT8 file is offered for this engine: the float model stays.")
                : h("p", {class: "soft wrap"}, "File ", h("code", null, target.file)));
    }

    function accuracySection() {
        const rows = [{name: "float", accuracy: report.float_accuracy},
            ...targets.map(target => ({name: target.target + ", INT8", accuracy: target.accuracy, loss: target.loss}))];
        const figures = [["map", "mAP 50–95"], ["map50", "mAP 50"], ["map75", "mAP 75"],
            ["small", "small"], ["medium", "medium"], ["large", "large"]];
        const images = list(report.images).find(set => set.purpose === "report");
        return section("accuracy", "Accuracy",
            h("p", {class: "soft"}, images
                ? `On ${Object.keys(images.pictures || {}).length} pictures that neither calibration nor any choice has seen. `
                : "", "Small objects are below 32² pixels, medium below 96²."),
            table([
                {name: "model", of: row => row.name, head: true},
                ...figures.map(([key, name]) => ({name, num: true, of: row => row.accuracy?.[key], show: fixed(4)})),
                {name: "difference", num: true, of: row => row.loss?.delta, show: (value, row) => row.name === "float" ? "" : signed(4)(value)},
                {name: "95% interval", num: true, of: row => row.loss?.low, show: (value, row) => row.name === "float" ? "" : interval(row.loss)},
            ], rows, {label: "accuracy"}),
            targets.some(target => target.loss) && h("figure", {class: "intervals"},
                intervals(targets.map(target => ({label: target.target, loss: target.loss})), "INT8 minus float, mAP 50–95"),
                h("figcaption", null, "INT8 minus float in mAP 50–95 with the 95% interval of a paired bootstrap over pictures. An interval across zero: the pictures do not tell the two apart.")));
    }

    function speedSection() {
        return section("speed", "Speed and size",
            h("p", null, text(machine.cpu), ", widest INT8 instructions: ",
                h("strong", null, text(machine.int8_instructions)), ". ",
                h("span", {class: "soft"}, "Medians of interleaved runs of one picture on one thread; ratio of the faster float model to INT8.")),
            table([
                {name: "target", of: row => row.target, head: true},
                {name: "float, ms", num: true, of: row => row.speed?.float_millis, show: millis, title: "the float model as given"},
                {name: "float prepared, ms", num: true, of: row => row.speed?.prepared_millis, show: millis, title: "with the input and output of the INT8 model"},
                {name: "INT8, ms", num: true, of: row => row.speed?.int8_millis, show: millis},
                {name: "times float", num: true, of: row => row.speed?.ratio, show: times},
                {name: "rounds", num: true, of: row => row.speed?.rounds, show: whole},
                {name: "MACs in INT8", num: true, of: row => row.int8_share, show: value => [percent(1)(value),
                    number(value) !== null && h("span", {class: "bar", "aria-hidden": "true"}, h("i", {style: `width:${100 * value}%`}))]},
                {name: "size", num: true, of: row => row.bytes, show: (value, row) => size(row)},
                {name: "float size", num: true, of: () => model.bytes, show: bytes},
            ], targets, {label: "speed and size"}));
    }

    function floatSection() {
        const groups = new Map();
        for (const target of targets) {
            for (const {layer, reason} of list(target.float_layers)) {
                const key = target.target + "\u0000" + reason;
                const group = groups.get(key) || {target: target.target, reason, layers: []};
                group.layers.push(layer);
                groups.set(key, group);
            }
        }
        const names = layers => h("span", {class: "mono"}, layers.join(", "));
        return section("float", "Layers that stay float", groups.size
            ? table([
                {name: "target", of: row => row.target, head: true},
                {name: "layers", num: true, of: row => row.layers.length},
                {name: "reason", of: row => row.reason, wide: true},
                {name: "names", of: row => row.layers.join(", "), wide: true, show: (value, row) => row.layers.length > 6
                    ? h("details", {class: "names"}, h("summary", null, "show"), names(row.layers)) : names(row.layers)},
            ], [...groups.values()], {label: "layers that stay float"})
            : nothing(targets.some(target => !isMissing(target.file))
                ? "None: every convolution is INT8." : "There is no INT8 model: the whole model stays float."));
    }

    function layerSection() {
        if (!layers.length) {
            return section("layers", "Layers", h("p", null, missing()));
        }
        const readout = h("p", {class: "readout soft", role: "status"}, "Point at a layer to read it.");
        const cursors = new Map();
        cursors.select = at => {
            for (const move of cursors.values()) {
                move(at);
            }
            const layer = layers[at];
            readout.replaceChildren(h("strong", {class: "mono"}, `${at + 1}. ${layer.name}`), "  ",
                "SNR ", fixed(1)(layer.snr), " dB · cosine ", fixed(5)(layer.cosine),
                " · ΔAP ", signed(4)(layer.ap_loss),
                " · ", millis(layer.float_millis), " → ", millis(layer.int8_millis), " ms · ", text(decision(layer)));
        };
        const n = key => layer => number(layer[key]);
        const say = content => h("span", null, content).textContent;
        const kinds = [
            {name: "Signal to noise of the layer's output, dB", of: n("snr"), describe: l => say(fixed(1)(l.snr)) + " dB"},
            {name: "1 − cosine similarity of the layer's output (logarithmic, lower is better)", log: true,
                of: l => number(l.cosine) === null ? null : 1 - l.cosine, describe: l => say(["cosine ", fixed(6)(l.cosine)])},
            {name: "Difference in mAP 50–95 where only this layer is INT8", bars: true, fromZero: true, of: n("ap_loss"), describe: l => say(signed(4)(l.ap_loss))},
            {name: "Time, ms: float and INT8", fromZero: true, of: n("float_millis"), beside: n("int8_millis"),
                describe: l => say(["float ", millis(l.float_millis), " ms, INT8 ", millis(l.int8_millis), " ms"])},
        ];
        const speedup = layer => ratio(layer.float_millis, layer.int8_millis);
        return section("layers", "Layers",
            h("p", {class: "soft"}, `${layers.length} convolutions in the order they run. Errors are measured with only this layer in INT8; types and operators are those of the file for ONNX Runtime.`),
            h("div", {class: "legend", "aria-hidden": "true"},
                h("span", null, h("i", {class: "of-int8"}), "INT8"),
                h("span", null, h("i", {class: "of-kept"}), h("i", {class: "of-float"}), "stays float; float time")),
            readout,
            h("div", {class: "plots"}, kinds.map(kind => layerPlot(layers, kind, cursors))),
            table([
                {name: "#", num: true, of: (row, i) => i + 1, show: String},
                {name: "layer", of: row => row.name, head: true, mono: true},
                {name: "shape", of: row => row.shape, mono: true},
                {name: "M MACs", num: true, of: row => row.macs, show: formatted(v => (v / 1e6).toFixed(1))},
                {name: "share", num: true, of: row => row.share, show: percent(1), title: "of all multiply-accumulates of convolutions"},
                {name: "in", of: row => row.input},
                {name: "out", of: row => row.output},
                {name: "runs as", of: row => row.runs, title: "ONNX Runtime's operator"},
                {name: "MSE", num: true, of: row => row.mse, show: power},
                {name: "SNR, dB", num: true, of: row => row.snr, show: fixed(1)},
                {name: "cosine", num: true, of: row => row.cosine, show: fixed(5)},
                {name: "output MSE", num: true, of: row => row.output_mse, show: power, title: "of the network's output"},
                {name: "output cosine", num: true, of: row => row.output_cosine, show: fixed(5), title: "of the network's output"},
                {name: "ΔAP", num: true, of: row => row.ap_loss, show: signed(4), title: "mAP 50–95 on the select set, minus float"},
                {name: "float, ms", num: true, of: row => row.float_millis, show: millis},
                {name: "INT8, ms", num: true, of: row => row.int8_millis, show: millis},
                {name: "times", num: true, of: speedup, show: times, title: "float time over INT8 time"},
                {name: "decision", of: row => row.decision, show: (value, row) => h("span", {title: decision(row)}, text(value))},
            ], layers, {label: "layers", sort: true, filter: "Filter layers", tall: true, mark: row => staysFloat(row) ? "kept" : null}));
    }

    function nodeSection() {
        if (!nodes.length) {
            return section("nodes", "What ran where", h("p", null, missing()));
        }
        const total = nodes.reduce((sum, node) => sum + (number(node.millis) || 0), 0);
        const groups = new Map();
        for (const node of nodes) {
            const key = `${node.operator}\u0000${node.precision}`;
            const group = groups.get(key) || {operator: node.operator, precision: node.precision, count: 0, millis: 0};
            group.count++;
            group.millis += number(node.millis) || 0;
            groups.set(key, group);
        }
        const byTime = [...groups.values()].sort((a, b) => b.millis - a.millis);
        const share = row => ratio(row.millis, total);
        const kinds = [...new Set(byTime.map(group => group.precision))].map(kind =>
            [kind, nodes.filter(node => node.precision === kind)]);
        return section("nodes", "What ran where",
            h("p", {class: "soft"}, `From ONNX Runtime's profile of the INT8 model on the CPU: ${nodes.length} nodes, ${total.toFixed(2)} ms. `,
                kinds.map(([kind, of]) =>
                    `${kind}: ${of.length} nodes, ${(100 * of.reduce((sum, node) => sum + (number(node.millis) || 0), 0) / (total || 1)).toFixed(1)} % of the time`).join("; ") + "."),
            table([
                {name: "operator", of: row => row.operator, head: true},
                {name: "precision", of: row => row.precision},
                {name: "nodes", num: true, of: row => row.count, show: whole},
                {name: "ms", num: true, of: row => row.millis, show: fixed(3)},
                {name: "of the time", num: true, of: share, show: value => [percent(1)(value),
                    h("span", {class: "bar", "aria-hidden": "true"}, h("i", {style: `width:${100 * (value || 0)}%`}))]},
            ], byTime, {label: "time by operator", sort: true}),
            h("details", null, h("summary", null, `Every node (${nodes.length})`),
                table([
                    {name: "node", of: row => row.name, head: true, mono: true},
                    {name: "operator", of: row => row.operator},
                    {name: "precision", of: row => row.precision},
                    {name: "ms", num: true, of: row => row.millis, show: fixed(3)},
                    {name: "of the time", num: true, of: share, show: percent(1)},
                ], nodes, {label: "nodes", sort: true, filter: "Filter nodes", tall: true})));
    }

    function variantTable(rows, label) {
        return [table([
            {name: "variant", of: row => row.name, head: true},
            {name: "what it is", of: row => row.what, wide: true},
            {name: "mAP 50–95", num: true, of: row => row.map, show: fixed(4)},
            {name: "difference", num: true, of: row => row.loss?.delta, show: signed(4)},
            {name: "95% interval", num: true, of: row => row.loss?.low, show: (value, row) => interval(row.loss)},
            {name: "MACs in INT8", num: true, of: row => row.int8_share, show: percent(1)},
        ], rows, {label, sort: rows.length > 2}),
        rows.some(row => row.loss) && h("figure", {class: "intervals"},
            intervals(rows.map(row => ({label: row.name, loss: row.loss})), label),
            h("figcaption", null, "INT8 minus float in mAP 50–95 with its 95% interval; an arrow lies outside the scale."))];
    }

    function comparisonSection() {
        const variants = list(report.variants);
        const lowBits = list(report.low_bits);
        return section("comparisons", "Comparisons",
            h("h3", null, "Other ways to quantise"),
            variants.length ? variantTable(variants, "other ways to quantise, minus float") : h("p", null, missing()),
            h("h3", null, "Fewer bits, simulated"),
            lowBits.length ? variantTable(lowBits, "fewer bits, minus float") : h("p", null, missing()));
    }

    function classSection() {
        const names = [...new Set([report.float_accuracy, ...targets.map(target => target.accuracy)]
            .flatMap(accuracy => entries(accuracy?.classes).map(([name]) => name)))];
        const ap = (accuracy, name) => entries(accuracy?.classes).find(([other]) => other === name)?.[1];
        const rows = names.map(name => ({name, float: ap(report.float_accuracy, name),
            int8: targets.map(target => ap(target.accuracy, name))}));
        const delta = (row, i) =>
            number(row.int8[i]) === null || number(row.float) === null ? null : row.int8[i] - row.float;
        return section("classes", "Classes",
            rows.length ? [h("p", {class: "soft"}, "AP 50–95 of each class that occurs in the report set. Few objects of a class: large differences by chance."),
                table([
                    {name: "class", of: row => row.name, head: true},
                    {name: "float", num: true, of: row => row.float, show: fixed(4)},
                    ...targets.flatMap((target, i) => [
                        {name: target.target, num: true, of: row => row.int8[i], show: fixed(4)},
                        {name: "difference", num: true, of: row => delta(row, i), show: signed(4)}]),
                ], rows, {label: "classes", sort: true, filter: "Filter classes", tall: true})]
                : h("p", null, missing()));
    }

    function imageSection() {
        return section("images", "Images", !list(report.images).length && h("p", null, missing()),
            list(report.images).map(set => {
                const pictures = entries(set.pictures);
                const problems = list(set.problems);
                return [
                    h("h3", null, `${set.purpose}: ${pictures.length} pictures`),
                    h("p", {class: "mono wrap soft"}, text(set.path)),
                    problems.length ? h("ul", {class: "plain"}, problems.map(problem => h("li", null, problem)))
                        : h("p", {class: "soft"}, "No problems found."),
                    h("details", null, h("summary", null, "Names and sha256"),
                        table([
                            {name: "picture", of: row => row[0], head: true, mono: true},
                            {name: "sha256", of: row => row[1], mono: true},
                        ], pictures, {label: "pictures to " + set.purpose, tall: true}))];
            }));
    }

    function yaml(value, indent) {
        if (Array.isArray(value)) {
            return value.length ? value.every(item => item === null || typeof item !== "object")
                ? " [" + value.map(scalar).join(", ") + "]\n"
                : "\n" + value.map(item => `${indent}- {${entries(item).map(([k, v]) => `${k}: ${scalar(v)}`).join(", ")}}\n`).join("")
                : " []\n";
        }
        if (value && typeof value === "object") {
            return "\n" + entries(value).map(([k, v]) => `${indent}${k}:${yaml(v, indent + "  ")}`).join("");
        }
        return " " + scalar(value) + "\n";
    }

    const scalar = value =>
        typeof value === "string" && /^[\w./-]+$/.test(value) ? value : JSON.stringify(value);

    function originSection() {
        const steps = list(model.preparation);
        return section("origin", "Inputs and settings",
            h("h3", null, "Model"),
            facts([
                ["float model", text(model.file), true],
                ["sha256", text(model.sha256), true],
                ["size", bytes(model.bytes)],
                ["parameters", whole(model.parameters)],
                ["compute", [fixed(2)(model.gflops), " GFLOPs a picture (2 × multiply-accumulates)"]],
                ["input", [text(model.input_width), " × ", text(model.input_height), " pixels, border ", text(model.border)]],
                ["output", text(model.layout)],
            ]),
            steps.length ? [h("p", null, "Preparation:"), h("ul", {class: "plain"}, steps.map(step => h("li", null, step)))] : null,
            targets.filter(target => !isMissing(target.file)).map(target => [
                h("h3", null, "INT8 model for " + target.target),
                facts([["file", target.file, true], ["sha256", text(target.sha256), true], ["size", bytes(target.bytes)]])]),
            h("h3", null, "Machine"),
            facts([
                ["CPU", text(machine.cpu)],
                ["INT8 instructions", text(machine.int8_instructions)],
                ["cores", text(machine.cores)],
                ["Java", text(machine.java)],
                ["ONNX Runtime", text(machine.onnxruntime)],
            ]),
            h("h3", null, "Settings"),
            entries(report.settings).length
                ? h("pre", {tabindex: "0", role: "region", "aria-label": "settings"}, yaml(report.settings, "").trimStart())
                : h("p", null, missing()));
    }

    // --- The page

    const warnings = list(report.warnings);
    const verdict = section("verdict", "Verdict",
        h("div", {class: "cards"}, targets.length ? targets.map(targetCard) : nothing("No engine was asked for.")));
    const body = [accuracySection(), speedSection(), floatSection(), layerSection(), nodeSection(),
        comparisonSection(), classSection(), imageSection(), originSection()];
    document.title = `${model.name || "model"}: quantisation report`;
    document.getElementById("page").replaceChildren(
        h("header", {class: "top"},
            h("div", null,
                h("p", {class: "kicker"}, "Quantisation report · ", text(report.created)),
                h("h1", null, text(model.name)),
                h("p", {class: "soft"}, text(model.input_width), " × ", text(model.input_height), " · ",
                    text(model.layout), " · ", formatted(n => (n / 1e6).toFixed(2))(model.parameters), " M parameters · ",
                    fixed(2)(model.gflops), " GFLOPs · ", bytes(model.bytes))),
            badge(report.passed, report.passed ? "passed" : "failed", "big")),
        h("nav", {"aria-label": "Sections"},
            h("ul", null, sections.map(({id, name}) => h("li", null, h("a", {href: "#" + id}, name))))),
        warnings.length ? h("aside", {class: "warnings", "aria-label": "Warnings"}, h("strong", null, "Warnings"),
            h("ul", null, warnings.map(warning => h("li", null, warning)))) : "",
        verdict, ...body);

    // Paper shows everything, at its own width.
    addEventListener("beforeprint", () => {
        document.querySelectorAll("details").forEach(folded => folded.setAttribute("open", ""));
        redraws.forEach(redraw => redraw(700));
    });
})();

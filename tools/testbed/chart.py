# SPDX-License-Identifier: GPL-2.0-only
"""Charts of make bench's figures, as SVG."""

import math
from xml.sax.saxutils import escape

FONT = "font-family='sans-serif' font-size='13'"
OURS, KVM, LIMIT, INK = "#2a6fb0", "#b0b0b0", "#c03030", "#202020"


def _text(x, y, text, anchor="start", colour=INK):
    return (f"<text x='{x:.0f}' y='{y:.0f}' text-anchor='{anchor}' fill='{colour}' {FONT}>"
            f"{escape(str(text))}</text>")


def _line(x1, y1, x2, y2, colour=INK, width=1):
    return (f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}' "
            f"stroke-width='{width}'/>")


def _page(width, height, parts):
    return (f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' "
            f"viewBox='0 0 {width} {height}'>\n<rect width='100%' height='100%' fill='white'/>\n"
            + "\n".join(parts) + "\n</svg>\n")


def ratios(rows, name):
    """A bar for each row: ours in parts of KVM's, the budget as a mark, the floor below."""
    rows = [row for row in rows if "ratio" in row]
    left, step, scale = 300, 30, 480
    parts = [_text(10, 24, f"{name}: cost in parts of KVM's")]
    for number, row in enumerate(rows):
        y = 44 + number * step
        end = left + min(row["ratio"], 1) * scale
        budget = left + row["budget"] * scale
        floor = row["floor"] / row["kvm"] * scale if row["kvm"] else 0
        parts += [
            _text(left - 10, y + 14, row["about"], "end"),
            f"<rect x='{left}' y='{y}' width='{scale}' height='18' fill='#f0f0f0'/>",
            f"<rect x='{left}' y='{y}' width='{end - left:.1f}' height='18' fill='{OURS}'/>",
            f"<rect x='{left}' y='{y + 13}' width='{floor:.1f}' height='5' fill='{INK}'/>",
            _line(budget, y - 3, budget, y + 21, LIMIT, 2),
            _text(left + scale + 10, y + 14, f"{row['ratio']:.3f} (budget {row['budget']:.2f})"),
        ]
    y = 64 + len(rows) * step
    for x, colour, what in ((left, OURS, "axvcpu"), (left + 110, INK, "floor"),
                            (left + 210, LIMIT, "budget"), (left + 320, "#d8d8d8", "KVM = 1")):
        parts += [f"<rect x='{x}' y='{y - 10}' width='14' height='10' fill='{colour}'/>",
                  _text(x + 20, y, what)]
    return _page(left + scale + 180, y + 20, parts)


class Plot:
    """Costs against how many are idle, both logarithmic."""

    WIDTH, HEIGHT = 300, 190

    def __init__(self, x, y, scale):
        self.x, self.y, self.scale = x, y, scale
        values = [value for value in scale["ours"] + scale["kvm"] if value > 0]
        self.low = math.floor(math.log10(min(values)))
        self.high = max(math.ceil(math.log10(max(values))), self.low + 1)

    def _at(self, idle, cost):
        across = math.log10(idle) / math.log10(self.scale["idle"][-1])
        up = (math.log10(cost) - self.low) / (self.high - self.low)
        return self.x + across * self.WIDTH, self.y + (1 - up) * self.HEIGHT

    def draw(self):
        scale = self.scale
        parts = [_text(self.x, self.y - 10, f"{scale['cost']}, beside idle {scale['of']}: "
                       f"x {scale['growth']:.2f} (limit {scale['limit']:.2f})")]
        for power in range(self.low, self.high + 1):
            y = self._at(1, 10 ** power)[1]
            parts += [_line(self.x, y, self.x + self.WIDTH, y, "#d8d8d8"),
                      _text(self.x - 6, y + 4, f"{10 ** power:,}", "end")]
        for idle in scale["idle"]:
            x = self._at(idle, 10 ** self.low)[0]
            parts += [_line(x, self.y, x, self.y + self.HEIGHT, "#d8d8d8"),
                      _text(x, self.y + self.HEIGHT + 16, f"{idle:,}", "middle")]
        for who, colour in (("kvm", KVM), ("ours", OURS)):
            points = [self._at(idle, cost) for idle, cost in zip(scale["idle"], scale[who])
                      if cost > 0]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            parts.append(f"<polyline points='{path}' fill='none' stroke='{colour}' "
                         "stroke-width='2'/>")
            parts += [f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3' fill='{colour}'/>"
                      for x, y in points]
        return parts


def scales(figures, name):
    """A plot for each kind of cost, a row for each thing that there are many of."""
    parts = [_text(10, 24, f"{name}: instructions; blue is axvcpu, grey is KVM")]
    rows = list(dict.fromkeys(scale["of"] for scale in figures))
    across = 0
    for row, key in enumerate(rows):
        here = [scale for scale in figures if scale["of"] == key and any(scale["ours"])]
        across = max(across, len(here))
        for column, scale in enumerate(here):
            parts += Plot(90 + column * 400, 70 + row * 270, scale).draw()
    return _page(across * 400 + 20, len(rows) * 270 + 60, parts)

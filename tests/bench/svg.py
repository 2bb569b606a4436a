# SPDX-License-Identifier: Apache-2.0
"""svg.py - panels of curves, over a logarithmic axis or over time, as an SVG file of a few kilobytes."""
import math

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 330, 250, 52, 34, 44


def short(number):
    """4000000 as 4M."""
    for limit, unit in ((1000000, "M"), (1000, "k")):
        if number >= limit:
            return "%g%s" % (number / limit, unit)
    return "%g" % number


def nice_top(value):
    """The next 1, 2 or 5 times a power of ten."""
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def text(x, y, words, anchor="middle", extra=""):
    return '<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>' % (x, y, anchor, extra, words)


def panel(at, title, axis, points, top):
    """One curve: points are (x, y), x by powers of ten."""
    low, high = math.log10(points[0][0]), math.log10(points[-1][0])
    wide, tall = WIDTH - LEFT - 18, HEIGHT - TOP - BOTTOM
    parts = [text(at + LEFT + wide / 2, 20, title + ", µs a packet", extra=' font-weight="bold"')]

    def place(x, y):
        return (at + LEFT + (math.log10(x) - low) / (high - low) * wide,
                TOP + tall - y / top * tall)

    for i in range(5):
        value = top * i / 4
        y = TOP + tall - tall * i / 4
        parts.append('<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#ddd"/>'
                     % (at + LEFT, y, at + LEFT + wide, y))
        parts.append(text(at + LEFT - 6, y + 4, "%g" % value, "end"))
    for x, _ in points:
        parts.append(text(place(x, 0)[0], TOP + tall + 16, short(x)))
    parts.append(text(at + LEFT + wide / 2, TOP + tall + 34, axis))
    line = " ".join("%.1f,%.1f" % place(x, y) for x, y in points)
    parts.append('<polyline points="%s" fill="none" stroke="#06c" stroke-width="2"/>' % line)
    for x, y in points:
        parts.append('<circle cx="%.1f" cy="%.1f" r="3" fill="#06c"/>' % place(x, y))
        parts.append(text(place(x, y)[0], place(x, y)[1] - 8, "%.2f" % y))
    return parts


def write(path, curves):
    """curves: (title, axis, points)."""
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
             'font-family="sans-serif" font-size="11">' % (WIDTH * len(curves), HEIGHT),
             '<rect width="100%" height="100%" fill="#fff"/>']
    for i, (title, axis, points) in enumerate(curves):
        top = nice_top(1.15 * max(y for _, y in points))
        parts += panel(i * WIDTH, title, axis, points, top)
    with open(path, "w") as f:
        f.write("\n".join(parts) + "\n</svg>\n")


# ---- over time -----------------------------------------------------------------------------------

WIDE = 900
COLOURS = ("#06c", "#c60", "#393")
MOST_POINTS = 600


def strip(down, title, seconds, lines):
    """One panel below the others: lines are (name, [(second, value)])."""
    tall = HEIGHT - TOP - BOTTOM
    top = nice_top(max([1.0] + [1.05 * y for _, points in lines for _, y in points]))
    parts = [text(LEFT, down + 20, title, "start", ' font-weight="bold"')]

    def place(x, y):
        return LEFT + x / seconds * (WIDE - LEFT - 18), down + TOP + tall - y / top * tall

    for i in range(5):
        y = place(0, top * i / 4)[1]
        parts.append('<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#ddd"/>'
                     % (LEFT, y, WIDE - 18, y))
        parts.append(text(LEFT - 6, y + 4, short(top * i / 4), "end"))
        parts.append(text(place(seconds * i / 4, 0)[0], down + TOP + tall + 16,
                          "%d s" % (seconds * i / 4)))
    for i, (name, points) in enumerate(lines):
        points = points[::len(points) // MOST_POINTS + 1]
        parts.append('<polyline points="%s" fill="none" stroke="%s" stroke-width="1.5"/>' % (
            " ".join("%.1f,%.1f" % place(x, y) for x, y in points), COLOURS[i]))
        parts.append(text(WIDE - 18 - 170 * (len(lines) - 1 - i), down + 20, name, "end",
                          ' fill="%s"' % COLOURS[i]))
    return parts


def write_series(path, seconds, strips):
    """strips: (title, lines)."""
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
             'font-family="sans-serif" font-size="11">' % (WIDE, HEIGHT * len(strips)),
             '<rect width="100%" height="100%" fill="#fff"/>']
    for i, (title, lines) in enumerate(strips):
        parts += strip(i * HEIGHT, title, seconds, lines)
    with open(path, "w") as f:
        f.write("\n".join(parts) + "\n</svg>\n")

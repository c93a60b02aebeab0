//! A picture of how it went: two charts over one axis of time, as SVG.

use std::fmt::Write as _;

use crate::summary::Timeline;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 520.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
/// Top and bottom of each chart.
const ABOVE: (f64, f64) = (50.0, 290.0);
const BELOW: (f64, f64) = (330.0, 460.0);
/// Lines across a chart.
const STEPS: u32 = 4;

struct Series<'a> {
    name: &'a str,
    color: &'a str,
    values: &'a [u32],
}

pub(crate) fn svg(timeline: &Timeline) -> String {
    let above = [
        Series { name: "admissions", color: "#1b7837", values: &timeline.admitted },
        Series { name: "refusals", color: "#2166ac", values: &timeline.refused },
    ];
    let below = [Series { name: "double entries", color: "#b2182b", values: &timeline.doubles }];
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
    );
    chart(&mut svg, ABOVE, &above);
    chart(&mut svg, BELOW, &below);
    legend(&mut svg, above.iter().chain(&below));
    time_axis(&mut svg, timeline);
    let unit =
        if timeline.minutes == 1 { "minute".to_owned() } else { format!("{} minutes", timeline.minutes) };
    for (top, bottom) in [ABOVE, BELOW] {
        let middle = f64::midpoint(top, bottom);
        let _ = writeln!(
            svg,
            "<text x=\"16\" y=\"{middle}\" text-anchor=\"middle\" transform=\"rotate(-90 16 {middle})\">in {unit}</text>"
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// A chart's lines, with the values of its axis.
fn chart(svg: &mut String, (top, bottom): (f64, f64), all: &[Series<'_>]) {
    let highest = all.iter().flat_map(|one| one.values).copied().max().unwrap_or(0);
    // The lines across are at whole numbers.
    let highest = highest.max(1).div_ceil(STEPS) * STEPS;
    for step in 0..=STEPS {
        let value = highest / STEPS * step;
        let y = height(value, highest, (top, bottom));
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            y + 4.0
        );
    }
    for one in all {
        let points: Vec<_> = (0..)
            .zip(one.values)
            .map(|(part, value)| {
                format!("{:.1},{:.1}", place(part, one.values.len()), height(*value, highest, (top, bottom)))
            })
            .collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>",
            points.join(" "),
            one.color
        );
    }
}

fn legend<'a>(svg: &mut String, all: impl Iterator<Item = &'a Series<'a>>) {
    let mut x = LEFT;
    for one in all {
        let _ = writeln!(
            svg,
            "<line x1=\"{x}\" x2=\"{}\" y1=\"24\" y2=\"24\" stroke=\"{}\" stroke-width=\"3\"/>\
             <text x=\"{}\" y=\"28\">{}</text>",
            x + 24.0,
            one.color,
            x + 30.0,
            one.name
        );
        x += 150.0;
    }
}

fn time_axis(svg: &mut String, timeline: &Timeline) {
    let parts = u32::try_from(timeline.admitted.len()).unwrap_or(u32::MAX);
    let every = parts.div_ceil(12).max(1);
    for part in (0..parts).step_by(every as usize) {
        let (x, minute) = (place(part, parts as usize), part * timeline.minutes);
        let (tick, text) = (BELOW.1 + 6.0, BELOW.1 + 20.0);
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{}\" y2=\"{tick}\" stroke=\"#333\"/>\
             <text x=\"{x:.1}\" y=\"{text}\" text-anchor=\"middle\">{minute}</text>",
            BELOW.1
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">minutes since the doors opened</text>",
        f64::midpoint(LEFT, WIDTH - RIGHT),
        BELOW.1 + 42.0
    );
}

fn place(part: u32, parts: usize) -> f64 {
    let last = u32::try_from(parts.saturating_sub(1)).unwrap_or(u32::MAX).max(1);
    LEFT + (WIDTH - LEFT - RIGHT) * f64::from(part) / f64::from(last)
}

fn height(value: u32, highest: u32, (top, bottom): (f64, f64)) -> f64 {
    bottom - (bottom - top) * f64::from(value) / f64::from(highest.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_stays_inside_the_axes() {
        let timeline =
            Timeline { minutes: 2, admitted: vec![0, 40, 7], refused: vec![3, 0, 1], doubles: vec![0, 1, 0] };
        let drawn = svg(&timeline);
        assert!(drawn.contains("points=\"70.0,290.0 475.0,50.0 880.0,248.0\""), "{drawn}");
        assert!(drawn.contains("points=\"70.0,460.0 475.0,427.5 880.0,460.0\""), "{drawn}");
        for text in
            ["admissions", "refusals", "double entries", "minutes since the doors opened", "in 2 minutes"]
        {
            assert!(drawn.contains(text), "{text}");
        }
        assert_eq!(drawn.matches("<polyline").count(), 3);
    }
}

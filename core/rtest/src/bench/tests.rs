//! The page as a whole.

use super::figures::{Axis, Curve, Reach, Unit};
use super::*;

fn results() -> Results {
    let mut message =
        Line::new("MESSAGE, 16 × 4, CPU", Unit::Micros).against("echo").reach(Reach::RatioAtMost(2.5));
    message.add_pair(2.0, 4.0);
    let mut goodput =
        Line::new("calls done", Unit::PerSecond).against("highest").reach(Reach::RatioAtLeast(0.9));
    goodput.add_pair(1000.0, 800.0);
    let axis = |label, logarithmic, unit| Axis { label, logarithmic, unit };
    let charts = [(false, true), (true, false), (false, false), (true, true)].map(|(x, y)| {
        let mut curves = [Curve::new("echo"), Curve::new("rtcd"), Curve::new("none")];
        for (load, latency) in [(1000.0, 0.125), (2000.0, 0.5), (4000.0, 30.0)] {
            curves[0].add(load, latency);
            curves[1].add(load, latency * 2.0);
        }
        Chart {
            title: "Latency against load",
            file: "latency.svg",
            x: axis("messages/s", x, Unit::PerSecond),
            y: axis("latency in ms", y, Unit::Millis),
            curves: curves.into(),
        }
    });
    Results {
        figures: vec![message],
        overload: vec![goodput],
        charts: charts.into(),
        problems: vec!["Echo, `rtest load --work message`: 3 × timeout".to_owned()],
    }
}

#[test]
fn the_page() {
    let machine = Machine {
        date: "2000-01-01".to_owned(),
        processors: 2,
        model: "Some CPU".to_owned(),
        kernel: "6.0".to_owned(),
        rustc: "rustc 1.95.0".to_owned(),
    };
    let options = BenchOptions {
        rounds: None,
        seconds: None,
        rows: Vec::new(),
        write: None,
        quick: false,
        pin: false,
        server: None,
    };
    let mut results = results();
    results.charts.truncate(1);
    insta::assert_snapshot!(results.text(&options, &machine));
}

#[test]
fn plots_are_well_formed_and_show_every_point() {
    for chart in results().charts {
        let svg = plot::svg(&chart).unwrap();
        assert_well_formed(&svg);
        assert!(svg.starts_with("<svg ") && svg.contains("xmlns="), "{svg}");
        // The white background, so that a dark page does not swallow it.
        assert!(svg.contains(r##"fill="#FFFFFF""##), "{svg}");
        assert_eq!(svg.matches("<circle ").count(), 6);
        for text in ["Latency against load", "messages/s", "latency in ms", "echo", "rtcd"] {
            assert!(svg.contains(text), "{text}");
        }
    }
}

#[test]
fn a_plot_without_points_can_be_drawn() {
    for mut chart in results().charts {
        chart.curves.clear();
        assert_well_formed(&plot::svg(&chart).unwrap());
    }
}

/// Each element is closed, in order, and all are in one.
fn assert_well_formed(svg: &str) {
    let mut open = Vec::new();
    for (number, tag) in svg.split('<').skip(1).map(|rest| rest.split_once('>').unwrap().0).enumerate() {
        assert!(number == 0 || !open.is_empty(), "something after the end: <{tag}>");
        assert_eq!(tag.matches('"').count() % 2, 0, "<{tag}>");
        let name = tag.split_whitespace().next().unwrap().trim_end_matches('/');
        if let Some(name) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

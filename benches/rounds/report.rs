//! Files of figures, and a table for people.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

/// One scenario's figures over its runs.
pub(crate) struct Report {
    pub(crate) scenario: &'static str,
    pub(crate) parameters: Vec<(&'static str, Value)>,
    /// The values of each run.
    pub(crate) figures: Vec<(&'static str, Vec<f64>)>,
}

impl Report {
    /// Writes `target/bench/SCENARIO….json` with medians and the least and the greatest value, and
    /// prints a line.
    pub(crate) fn write(&self) {
        let medians = self.figures.iter().map(|(name, values)| (*name, round(median(values))));
        let spread = self.figures.iter().map(|(name, values)| {
            let (least, greatest) = ends(values);
            ((*name).to_owned(), json!([round(least), round(greatest)]))
        });
        let parameters =
            self.parameters.iter().map(|(name, value)| ((*name).into(), value.clone()));
        let report = json!({
            "scenario": self.scenario,
            "parameters": Value::Object(parameters.collect()),
            "figures": Value::Object(medians.clone().map(|(name, v)| (name.into(), v.into())).collect()),
            "spread": Value::Object(spread.collect::<Map<String, Value>>()),
            "runs": self.figures.iter().map(|(_, values)| values.len()).max(),
        });
        let folder = folder();
        std::fs::create_dir_all(&folder).expect("a folder");
        let name = format!("{}{}", self.scenario, self.suffix());
        std::fs::write(folder.join(format!("{name}.json")), format!("{report:#}\n"))
            .expect("written");
        let figures: Vec<String> =
            medians.map(|(name, value)| format!("{name} {value:.1}")).collect();
        println!("{name:<22}{}", figures.join("  "));
    }

    /// Parameters other than the usual ones, for the file's name.
    fn suffix(&self) -> String {
        let usual = [("records", 1_000, ""), ("depth", 30, "d"), ("rtt_ms", 0, "rtt")];
        let number = |name: &str| {
            let (_, value) = self.parameters.iter().find(|(parameter, _)| *parameter == name)?;
            value.as_u64()
        };
        let unusual = usual.iter().filter_map(|(name, usual, short)| {
            number(name).filter(|value| value != usual).map(|value| format!("-{short}{value}"))
        });
        unusual.collect()
    }
}

fn folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    target.unwrap_or(here).join("bench")
}

fn round(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn ends(values: &[f64]) -> (f64, f64) {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    (least, values.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}

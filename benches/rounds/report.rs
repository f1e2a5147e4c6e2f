//! Files of figures, and a table for people.

use std::path::{Path, PathBuf};

pub(crate) struct Report {
    pub(crate) scenario: &'static str,
    pub(crate) parameters: Vec<(&'static str, usize)>,
    pub(crate) figures: Vec<(&'static str, f64)>,
    pub(crate) runs: usize,
}

impl Report {
    /// Writes `target/bench/SCENARIO[-RECORDS].json` and prints a line.
    pub(crate) fn write(&self) {
        let object =
            |pairs: serde_json::Map<String, serde_json::Value>| serde_json::Value::Object(pairs);
        let parameters =
            self.parameters.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let figures = self.figures.iter().map(|(name, value)| {
            let rounded = (value * 1_000.0).round() / 1_000.0;
            ((*name).into(), rounded.into())
        });
        let report = serde_json::json!({
            "scenario": self.scenario,
            "parameters": object(parameters.collect()),
            "figures": object(figures.collect()),
            "runs": self.runs,
        });
        let records = self.parameters.iter().find(|(name, _)| *name == "records");
        let records = records.map_or(1_000, |(_, records)| *records);
        let name = match records {
            1_000 => format!("{}.json", self.scenario),
            other => format!("{}-{other}.json", self.scenario),
        };
        let folder = folder();
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join(name), format!("{report:#}\n")).expect("written");
        let figures: Vec<String> =
            self.figures.iter().map(|(name, value)| format!("{name} {value:.1}")).collect();
        println!("{:<12} {records:>6} records  {}", self.scenario, figures.join("  "));
    }
}

fn folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    target.unwrap_or(here).join("bench")
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// CPU time of this process's thread, ms.
pub(crate) fn own_cpu_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ns: f64 = text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or_default();
    ns / 1e6
}

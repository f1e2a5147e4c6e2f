//! Selects the layers that apply to a record.

use super::builtin;
use super::policy::Layer;
use super::time::HOUR;
use crate::record::view::VisitView;

/// The layer that is added to every national one unless the policy names layers.
const PRODUCT: &str = "product";

/// All known layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    layers: Vec<Layer>,
    /// Ids of the lender's own layers, which apply even where the policy does not name them.
    own: Vec<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self { layers: builtin::layers(), own: Vec::new() }
    }
}

/// Why a layer cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DuplicateId {
    /// Two layers have one id.
    #[error("layer `{0}` exists already")]
    Layer(String),
    /// Two rules have one id.
    #[error("rule `{0}` exists already, in layer `{1}`")]
    Rule(String, String),
}

impl Policy {
    /// Adds a lender's layer. It cannot replace a rule of another layer, only add stricter ones.
    ///
    /// # Errors
    /// The id of the layer or of one of its rules is in use.
    pub fn add(&mut self, layer: Layer) -> Result<(), DuplicateId> {
        if self.layers.iter().any(|known| known.id == layer.id) {
            return Err(DuplicateId::Layer(layer.id));
        }
        for known in &self.layers {
            let taken =
                |rule: &&super::policy::Rule| layer.rules.iter().any(|other| other.id == rule.id);
            if let Some(rule) = known.rules.iter().find(taken) {
                return Err(DuplicateId::Rule(rule.id.clone(), known.id.clone()));
            }
        }
        self.own.push(layer.id.clone());
        self.layers.push(layer);
        Ok(())
    }

    /// The layers, built-in ones first.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The lender's own layers, in the order in which they were added.
    pub fn own(&self) -> Vec<Layer> {
        self.layers.iter().filter(|layer| self.own.contains(&layer.id)).cloned().collect()
    }

    /// The layers for a record: those that `assignment.policy` names, joined by `+`, or without
    /// names the layer of the country of the borrower's zone and the product's. A state's layer
    /// includes its nation's, and the lender's own layers always apply. An unknown name adds the
    /// default layers, so that a typing error never loosens the rules.
    pub fn select(&self, view: &VisitView) -> SelectedLayers<'_> {
        let named: Vec<&str> =
            view.assignment.policy.split('+').map(str::trim).filter(|id| !id.is_empty()).collect();
        let known = |id: &str| self.layers.iter().any(|layer| layer.id == id);
        let unknown: Vec<String> =
            named.iter().filter(|id| !known(id)).map(|id| (*id).to_owned()).collect();
        let mut wanted = named.clone();
        wanted.extend(named.iter().filter_map(|id| id.split_once('-')).map(|(nation, _)| nation));
        if named.is_empty() || !unknown.is_empty() {
            wanted.extend(jurisdiction(&view.case.zone));
            wanted.push(PRODUCT);
        }
        let layers: Vec<&Layer> = self
            .layers
            .iter()
            .filter(|layer| {
                let own = self.own.contains(&layer.id)
                    && (layer.jurisdiction.is_empty()
                        || wanted.contains(&layer.jurisdiction.as_str()));
                own || wanted.contains(&layer.id.as_str())
            })
            .collect();
        SelectedLayers { layers, unknown }
    }
}

/// The layers that apply to one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectedLayers<'p> {
    /// In order.
    pub layers: Vec<&'p Layer>,
    /// Unknown names in the record's policy.
    pub unknown: Vec<String>,
}

impl SelectedLayers<'_> {
    /// Ids and versions, such as `CN@2026-01-30+product@1`.
    pub fn name(&self) -> String {
        let named = self.layers.iter().map(|layer| format!("{}@{}", layer.id, layer.version));
        named.collect::<Vec<_>>().join("+")
    }

    /// The layer whose holidays apply to a layer: itself, or else its country's.
    pub(super) fn calendar<'a>(&'a self, layer: &'a Layer) -> &'a Layer {
        let national = || self.layers.iter().copied().find(|other| other.id == layer.jurisdiction);
        if layer.holidays_known.is_some() { layer } else { national().unwrap_or(layer) }
    }

    /// Maximum age of the office's counts and holds, ms: the strictest of the layers.
    pub(super) fn max_age(&self) -> Option<i64> {
        self.layers.iter().filter_map(|layer| layer.max_age_hours).min().map(|hours| hours * HOUR)
    }
}

/// The layer of the country of a time zone.
fn jurisdiction(zone: &str) -> Option<&'static str> {
    const AMERICAN: [&str; 20] = [
        "America/New_York",
        "America/Detroit",
        "America/Chicago",
        "America/Menominee",
        "America/Denver",
        "America/Boise",
        "America/Phoenix",
        "America/Los_Angeles",
        "America/Anchorage",
        "America/Juneau",
        "America/Sitka",
        "America/Metlakatla",
        "America/Yakutat",
        "America/Nome",
        "America/Adak",
        "Pacific/Honolulu",
        "America/Louisville",
        "America/Indianapolis",
        "America/Fort_Wayne",
        "America/Shiprock",
    ];
    match zone {
        "Asia/Shanghai" | "Asia/Urumqi" | "Asia/Chongqing" | "Asia/Harbin" | "PRC" => Some("CN"),
        "Asia/Kolkata" | "Asia/Calcutta" => Some("IN"),
        "Europe/London" | "Europe/Belfast" | "GB" => Some("UK"),
        "Asia/Taipei" | "ROC" => Some("TW"),
        _ if zone.starts_with("Australia/") => Some("AU"),
        _ if AMERICAN.contains(&zone)
            || ["US/", "America/Indiana/", "America/Kentucky/", "America/North_Dakota/"]
                .iter()
                .any(|prefix| zone.starts_with(prefix)) =>
        {
            Some("US")
        }
        _ => None,
    }
}

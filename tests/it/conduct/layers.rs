//! The layers that the program brings along, and what is said of a layer that is wrong.

use std::path::Path;

use doorstep::conduct::builtin::{TEXTS, layers, pack};
use doorstep::conduct::parse::parse;
use doorstep::conduct::policy::Layer;

fn texts() -> Vec<Layer> {
    TEXTS
        .iter()
        .map(|(name, text)| parse(text).unwrap_or_else(|wrong| panic!("{name}: {wrong:?}")))
        .collect()
}

#[test]
fn the_packed_layers_are_what_their_texts_say() {
    let texts = texts();
    if std::env::var_os("UPDATE").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/conduct/layers/packed.cbor");
        std::fs::write(path, pack(&texts)).expect("written");
        return;
    }
    assert_eq!(layers(), texts, "UPDATE=1 cargo nextest run --test it packed");
}

const RULE: &str = r#"
[[rule]]
id = "X-1"
scope = "visit"
status = "lender"
confidence = "S1"
citation = "handbook"
severity = "block"
[[rule.duty]]
"#;

#[rstest::rstest]
#[case::no_toml("id = ", &["line 1: "])]
#[case::nothing("", &["line 1: the layer: `id` is missing", "at least one [[rule]]"])]
#[case::a_mistyped_name("colour = 1\n{head}{rule}kind = \"wishes\"", &["line 1: the layer: no field `colour`"])]
#[case::a_time("{head}{rule}kind = \"window\"\nfrom = \"8:00\"\nto = \"22:00\"", &["line 14: rule X-1, a duty (window): `from` is a time of day"])]
#[case::a_window_that_ends_first("{head}{rule}kind = \"window\"\nfrom = \"22:00\"\nto = \"08:00\"", &["a window ends after it begins"])]
#[case::a_kind("{head}{rule}kind = \"curfew\"", &["no such kind of duty"])]
#[case::a_hold("{head}{rule}kind = \"hold\"\nflags = [\"grumpy\"]", &["line 14: `grumpy` is no hold"])]
#[case::a_cap_without_time("{head}{rule}kind = \"cap\"\ncount = \"visits\"\nmost = 1", &["a cap is within"])]
#[case::a_number("{head}{rule}kind = \"leave\"\nminutes = 1000", &["a whole number from 0 to 240"])]
#[case::holidays_of_nobody("{head}{rule}kind = \"holidays\"", &["a rule asks for holidays"])]
#[case::two_of_one_name("{head}{rule}kind = \"wishes\"{rule}kind = \"wishes\"", &["two rules are called `X-1`"])]
fn errors_name_their_line(#[case] text: &str, #[case] wanted: &[&str]) {
    let head = "id = \"x\"\nversion = \"1\"\ntitle = \"X\"\n";
    let text = text.replace("{head}", head).replace("{rule}", RULE);
    let wrong = parse(&text).expect_err("wrong");
    let all: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    for wanted in wanted {
        assert!(all.iter().any(|said| said.contains(wanted)), "{wanted} is not in {all:?}");
    }
}

#[test]
fn no_layer_replaces_a_rule_of_another() {
    let mut policy = doorstep::conduct::Policy::default();
    let cn = texts().remove(0);
    assert!(policy.add(cn.clone()).is_err(), "the same layer");
    assert!(policy.add(Layer { id: "own".into(), ..cn }).is_err(), "the same rules");
}

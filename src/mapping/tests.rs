//! What the built-in and the configured rules make of facts.

use serde_json::json;

use super::*;

fn settings(toml: &str) -> Settings {
    toml::from_str(toml).expect("the test's mapping is well-formed")
}

fn mapping(toml: &str) -> Mapping {
    Mapping::compile(&settings(toml), None).expect("the test's rules are right")
}

fn mia() -> Input<'static> {
    let mut facts = Facts::new();
    facts.put("candidate.email", "mia@example.org");
    facts.put("candidate.first_name", "Mia");
    facts.put("candidate.last_name", "Beispiel");
    facts.put("job.title", "Engineer");
    facts.put("offer.start_date", "2027-01-01T00:00:00.000Z");
    Input { facts, ..Input::default() }
}

#[test]
fn a_complete_hire_needs_no_mapping() {
    let plan = mapping("").plan(&mia());
    assert!(plan.sendable());
    assert!(plan.missing.is_empty() && plan.warnings.is_empty() && plan.notes.is_empty());
    assert_eq!(
        serde_json::to_value(&plan.employee).expect("JSON"),
        json!({"email": "mia@example.org", "first_name": "Mia", "last_name": "Beispiel", "position": "Engineer", "hire_date": "2027-01-01"})
    );
}

#[test]
fn without_a_start_date_it_goes_and_names_it() {
    let mut input = mia();
    input.facts = Facts::from_nested(
        json!({"candidate": {"email": "a@b.c", "first_name": "A", "last_name": "B"}, "job": {"title": "X"}})
            .as_object()
            .expect("an object"),
    )
    .expect("facts");
    let plan = mapping("").plan(&input);
    assert!(plan.sendable());
    assert_eq!(plan.missing, ["hire_date"]);
}

#[test]
fn without_name_or_address_it_is_held_and_nothing_is_made_up() {
    let plan = mapping("").plan(&Input::default());
    assert_eq!(plan.hold, Some(Held::Missing));
    assert!(plan.employee.attributes().next().is_none());
    for field in ["email", "first_name", "last_name"] {
        assert!(plan.missing.contains(&field.to_owned()));
    }
}

#[test]
fn rules_translate_default_and_require() {
    let mapping = mapping(
        r#"
        [fields]
        department = { from = "job.department", values = { "Eng" = "Engineering" } }
        office = { first_of = ["job.location", "custom.Office"], default = "Berlin" }
        status = { const = "onboarding" }
        dynamic_1 = "$.data.shirt"
        supervisor_id = { from = "custom.Boss", required = true }
        "#,
    );
    let mut input = mia();
    input.facts.put("job.department", "Eng");
    let payloads = [json!({"data": {}}), json!({"data": {"shirt": "M"}})];
    input.payloads = &payloads;
    let plan = mapping.plan(&input);
    let sent = serde_json::to_value(&plan.employee).expect("JSON");
    assert_eq!(sent["department"], "Engineering");
    assert_eq!(sent["office"], "Berlin");
    assert_eq!(sent["status"], "onboarding");
    assert_eq!(sent["custom_attributes"]["dynamic_1"], "M");
    assert_eq!(plan.hold, Some(Held::Missing));
    assert_eq!(plan.missing, ["supervisor_id"]);
}

#[test]
fn a_sources_rule_wins_over_the_common_one() {
    let common = settings("[fields]\noffice = { const = \"Berlin\" }");
    let own = settings("[fields]\noffice = { const = \"Munich\" }");
    let mapping = Mapping::compile(&common, Some(("ashby", &own))).expect("right rules");
    let plan = mapping.plan(&mia());
    assert_eq!(plan.employee.value("office"), Some(&json!("Munich")));
}

#[test]
fn wrong_rules_are_told_with_key_and_nearest_name() {
    let wrong = settings(
        r#"
        [fields]
        offcie = "job.location"
        position = "job.titel"
        department = { from = "job.department", const = "x" }
        dynamic_1 = "$.data["
        "#,
    );
    let errors = Mapping::compile(&wrong, None).err().expect("four mistakes");
    let words: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(words.len(), 4, "{words:?}");
    assert!(words[0].contains("mapping.fields.department: needs exactly one of"));
    assert!(words[1].contains("mapping.fields.dynamic_1: not a JSONPath"));
    assert!(words[2].contains("did you mean `office`?"));
    assert!(words[3].contains("did you mean `job.title`?"));
}

#[test]
fn an_uncertain_name_warns_and_holds_only_for_review() {
    let mut input = Input { name_split: Some(NameSplit::Uncertain), ..mia() };
    let plan = mapping("").plan(&input);
    assert!(plan.sendable());
    assert_eq!(plan.warnings[0].code, "name_split");
    input.review_split = true;
    assert_eq!(mapping("").plan(&input).hold, Some(Held::Review));
    input.corrections.insert("last_name".into(), json!("Beispiel-Meier"));
    let corrected = mapping("").plan(&input);
    assert!(corrected.sendable() && corrected.warnings.is_empty());
    input = Input { name_split: Some(NameSplit::ByParticle), ..mia() };
    assert_eq!(mapping("").plan(&input).notes, ["name_split"]);
}

#[test]
fn a_date_that_is_none_holds_with_its_field() {
    let mut input = mia();
    input.corrections.insert("hire_date".into(), json!("2027-02-30"));
    let plan = mapping("").plan(&input);
    assert_eq!(plan.hold, Some(Held::Invalid));
    assert_eq!(plan.warnings[0].field.as_deref(), Some("hire_date"));
}

#[test]
fn a_correction_may_leave_a_value_out_and_must_be_right() {
    let mut input = mia();
    input.corrections.insert("position".into(), Value::Null);
    assert!(mapping("").plan(&input).employee.value("position").is_none());
    let corrections = json!({"hire_date": "soon", "offcie": "Berlin", "office": "Berlin"});
    let wrong = check_corrections(corrections.as_object().expect("an object")).expect_err("two mistakes");
    assert_eq!(wrong.len(), 2);
}

#[test]
fn what_the_source_could_not_complete_is_named_unless_it_is_there() {
    let lacking = ["department".to_owned(), "hire_date".to_owned()];
    let plan = mapping("").plan(&Input { lacking: &lacking, ..mia() });
    assert_eq!(plan.missing, ["department"]);
}

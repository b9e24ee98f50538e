//! What the built-in and the configured rules make of facts.

use serde_json::json;

use super::*;
use crate::domain::catalog::{Attribute, Names};
use crate::domain::{Held, NameSplit};

mod edges;

/// Nothing is known of Personio.
static NOTHING: Catalog = Catalog { attributes: None, names: None, categories: None };

fn input(facts: Facts) -> Input<'static> {
    Input::of(facts, &NOTHING)
}

/// Departments, one office, no subcompany, and attributes of the company's own.
fn catalog() -> Catalog {
    let own = |key: &str, label: &str, kind: &str, options: &[&str]| Attribute {
        key: key.into(),
        label: label.into(),
        kind: kind.into(),
        universal_id: None,
        options: options.iter().map(|option| (*option).to_owned()).collect(),
    };
    let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect();
    let attributes = vec![
        own("department", "Department", "standard", &[]),
        own("office", "Office", "standard", &[]),
        own("subcompany", "Subcompany", "standard", &[]),
        own("dynamic_1", "Shirt size", "list", &["S", "M", "L"]),
        own("dynamic_2", "Laptop since", "date", &[]),
        own("dynamic_3", "Skills", "tags", &["Rust", "Go"]),
    ];
    let known = [
        ("department".to_owned(), names(&["Engineering", "People & Culture"])),
        ("office".to_owned(), names(&["New York City"])),
    ];
    Catalog { attributes: Some(attributes), names: Some(Names::from(known)), categories: None }
}

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
    input(facts)
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
    let plan = mapping("").plan(&input(Facts::new()));
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
        dynamic_2 = { template = "{{ job.titel }}" }
        dynamic_3 = { from = "job.title", prefer = ["work"] }
        "#,
    );
    let errors = Mapping::compile(&wrong, None).err().expect("six mistakes");
    let words: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(words.len(), 6, "{words:?}");
    assert!(words[0].contains("mapping.fields.department: needs exactly one of"));
    assert!(words[1].contains("mapping.fields.dynamic_1: not a JSONPath"));
    assert!(words[2].contains("did you mean `job.title`?"));
    assert!(words[3].contains("`prefer` lists kinds of address"));
    assert!(words[4].contains("did you mean `office`?"));
    assert!(words[5].contains("did you mean `job.title`?"));
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
    let wrong =
        check_corrections(&NOTHING, corrections.as_object().expect("an object")).expect_err("two mistakes");
    assert_eq!(wrong.len(), 2);
}

#[test]
fn what_the_source_could_not_complete_is_named_unless_it_is_there() {
    let lacking = ["department".to_owned(), "hire_date".to_owned()];
    let plan = mapping("").plan(&Input { lacking: &lacking, ..mia() });
    assert_eq!(plan.missing, ["department"]);
}

/// The plan for mia with this mapping, these further facts, and what the company has.
fn planned(toml: &str, further: &[(&'static str, Value)]) -> Plan {
    let catalog = catalog();
    let mut facts = mia().facts;
    for (name, value) in further {
        match name.strip_prefix(facts::CUSTOM) {
            Some(title) => facts.put_custom(title, value.clone()),
            None => facts.put(name, value.clone()),
        }
    }
    mapping(toml).plan(&Input::of(facts, &catalog))
}

#[test]
fn an_unknown_name_is_found_before_sending_with_the_line_that_mends_it() {
    let plan = planned("", &[("job.department", json!("engineering")), ("job.location", json!("New York"))]);
    assert!(plan.sendable(), "nobody may have this department yet");
    let words: Vec<_> = plan.warnings.iter().map(|w| (w.code.as_str(), w.options[0].as_str())).collect();
    assert_eq!(words, [("unknown_value", "Engineering"), ("unknown_value", "New York City")]);
    let line = plan.warnings[0].line.as_deref().expect("a line");
    assert_eq!(
        line,
        r#"department = { from = "job.department", values = { "engineering" = "Engineering" } } # in [mapping.fields]"#
    );
    let mended = planned(&format!("[fields]\n{line}"), &[("job.department", json!("engineering"))]);
    assert!(mended.warnings.is_empty());
    assert_eq!(mended.employee.value("department"), Some(&json!("Engineering")));
}

#[test]
fn a_policy_says_whether_an_unknown_value_holds_and_known_ones_are_known() {
    let new = [("job.department", json!("Quantum"))];
    let held = planned("[fields]\ndepartment = { from = \"job.department\", unknown = \"hold\" }", &new);
    assert_eq!(held.hold, Some(Held::Unmatched));
    assert!(held.warnings[0].line.is_none(), "nothing is like it");
    assert_eq!(held.warnings[0].options, ["Engineering", "People & Culture"]);
    let known = "[fields]\ndepartment = { from = \"job.department\", unknown = \"hold\", known_values = [\"Quantum\"] }";
    assert!(planned(known, &new).warnings.is_empty());
    let option = planned("[fields]\ndynamic_1 = \"custom.Size\"", &[("custom.Size", json!("m"))]);
    assert_eq!(option.hold, Some(Held::Unmatched));
    let sent = "[fields]\ndynamic_1 = { from = \"custom.Size\", unknown = \"send\" }";
    assert!(planned(sent, &[("custom.Size", json!("m"))]).sendable());
}

#[test]
fn a_subcompany_is_matched_held_or_not_sent_where_there_are_none() {
    let tenant = [("tenant.name", json!("Acme"))];
    let none = planned("", &tenant);
    assert!(none.sendable() && none.warnings.is_empty() && none.employee.value("subcompany").is_none());
    let mut catalog = catalog();
    let names = catalog.names.as_mut().expect("names");
    names.insert("subcompany".to_owned(), ["Acme GmbH".to_owned()].into());
    let mut facts = mia().facts;
    facts.put("tenant.name", "Acme");
    let plan = mapping("").plan(&Input::of(facts.clone(), &catalog));
    assert_eq!(plan.hold, Some(Held::Unmatched));
    assert!(plan.warnings[0].line.as_deref().is_some_and(|line| line.contains(r#""Acme" = "Acme GmbH""#)));
    facts = mia().facts;
    facts.put("tenant.name", "Acme GmbH");
    assert!(mapping("").plan(&Input::of(facts, &catalog)).warnings.is_empty());
}

#[test]
fn a_custom_field_goes_to_the_attribute_of_the_same_label_in_its_type() {
    let further = [
        ("custom.Shirt size", json!("M")),
        ("custom.Laptop since", json!("2027-01-04T09:00:00Z")),
        ("custom.Skills", json!(["Rust", "Go"])),
        ("custom.Hobby", json!("Chess")),
    ];
    let plan = planned("", &further);
    assert!(plan.sendable() && plan.warnings.is_empty());
    let sent = serde_json::to_value(&plan.employee).expect("JSON");
    assert_eq!(
        sent["custom_attributes"],
        json!({"dynamic_1": "M", "dynamic_2": "2027-01-04", "dynamic_3": "Rust, Go"})
    );
    let wrong = planned("", &[("custom.Laptop since", json!("last year"))]);
    assert_eq!(wrong.hold, Some(Held::Invalid));
    assert_eq!(planned("", &[("custom.Skills", json!(["Rust", "Cobol"]))]).hold, Some(Held::Unmatched));
}

#[test]
fn an_attribute_may_be_named_by_its_label() {
    let rule = "[fields]\n\"Shirt size\" = { const = \"L\" }";
    assert_eq!(planned(rule, &[]).employee.value("dynamic_1"), Some(&json!("L")));
    let wrong = planned("[fields]\n\"Shirt\" = { const = \"L\" }", &[]);
    assert_eq!(wrong.hold, Some(Held::Unmatched));
    assert_eq!(
        (wrong.warnings[0].code.as_str(), &wrong.warnings[0].options[0][..]),
        ("attribute_unknown", "Shirt size")
    );
    let nobody_knows = mapping(rule).plan(&mia());
    assert_eq!(nobody_knows.warnings[0].code, "attribute_not_checked");
}

#[test]
fn without_the_right_to_read_the_plan_says_that_names_were_not_checked() {
    let mut input = mia();
    input.facts.put("job.department", "Engineering");
    let plan = mapping("").plan(&input);
    assert!(plan.sendable() && plan.warnings.is_empty());
    assert_eq!(plan.notes, ["names_not_checked"]);
}

#[test]
fn an_address_is_taken_by_kind_derived_or_looked_at() {
    let mut input = mia();
    input.facts.put(
        "candidate.emails",
        json!([{"address": "mia@home.example", "kind": "Personal"}, {"address": "mia@work.example", "kind": "Work"}]),
    );
    let address = |rule: &str| {
        let plan = mapping(&format!("[fields]\nemail = {rule}")).plan(&input);
        (plan.employee.email().to_owned(), plan.hold)
    };
    let prefer = |kind: &str| address(&format!("{{ from = \"candidate.emails\", prefer = [\"{kind}\"] }}")).0;
    assert_eq!(prefer("work"), "mia@work.example");
    assert_eq!(prefer("private"), "mia@home.example");
    assert_eq!(prefer("school"), "mia@example.org");
    let derived = address("{ template = \"{{ candidate.first_name | mailbox }}@acme.example\" }");
    assert_eq!(derived, ("mia@acme.example".to_owned(), None));
    assert_eq!(address("{ from = \"candidate.email\", review = true }").1, Some(Held::Review));
}

#[test]
fn a_first_day_that_has_passed_or_is_today_is_looked_at() {
    for (received, code, status) in [
        ("2026-12-31", None, "onboarding"),
        ("2027-01-01", Some("hire_date_today"), "onboarding"),
        ("2027-01-02", Some("hire_date_past"), "active"),
    ] {
        let mut input = mia();
        input.received = Some(received.parse().expect("a date"));
        let plan = mapping("").plan(&input);
        assert_eq!(plan.warnings.first().map(|warning| warning.code.as_str()), code, "{received}");
        assert_eq!(plan.status.as_deref(), Some(status), "{received}");
        assert!(plan.sendable());
    }
}

/// The doubts about this mapping as words.
fn doubts(toml: &str) -> Vec<String> {
    let doubts = mapping(toml).doubts(&catalog());
    doubts.into_iter().map(|doubt| format!("{} {:?}", doubt.key, doubt.what)).collect()
}

#[test]
fn a_rule_that_goes_with_personio_is_not_doubted() {
    let right = r#"
        [fields]
        department = { from = "job.department", values = { "Eng" = "Engineering" }, known_values = ["Quantum"] }
        office = { const = "New York City" }
        hire_date = "offer.start_date"
        "Shirt size" = { from = "custom.Shirt", default = "M" }
        dynamic_2 = { first_of = ["custom.Laptop", "offer.start_date"] }
        dynamic_3 = { const = ["Rust", "Go"] }
    "#;
    assert_eq!(doubts(right), Vec::<String>::new());
    assert!(mapping(right).doubts(&NOTHING).is_empty(), "nobody knows better");
}

#[test]
fn a_rule_that_cannot_work_in_this_personio_is_doubted_before_any_hire() {
    let wrong = r#"
        [fields]
        "Shirt" = "custom.Shirt"
        department = { from = "job.department", values = { "Eng" = "Enginering" } }
        dynamic_1 = { from = "custom.Size", known_values = ["XXL"], default = "m" }
        dynamic_2 = "job.title"
        dynamic_3 = { const = "Rust, Cobol" }
        dynamic_9 = "custom.Size"
        hire_date = { const = "soon" }
    "#;
    let expected = [
        "mapping.fields.Shirt NoLabel([\"Shirt size\"",
        "mapping.fields.department Unknown { value: \"Enginering\", options: [\"Engineering\"",
        "mapping.fields.dynamic_1 Unknown { value: \"m\", options: [\"M\"",
        "mapping.fields.dynamic_1 Unknown { value: \"XXL\"",
        "mapping.fields.dynamic_2 Type { fact: \"job.title\", takes: \"a date\" }",
        "mapping.fields.dynamic_3 Unknown { value: \"Cobol\"",
        "mapping.fields.dynamic_9 NotListed",
        "mapping.fields.hire_date Unfit { value: \"soon\"",
    ];
    let found = doubts(wrong);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found} is not {expected}");
    }
}

#[test]
fn what_always_holds_goes_before_the_value_table_and_counts_as_known() {
    let always = |attribute: &str, from: &str, to: &str| Translation {
        id: uuid::Uuid::nil(),
        source: "ashby".into(),
        attribute: attribute.into(),
        from: from.into(),
        to: to.into(),
        hire: crate::domain::HireId(uuid::Uuid::nil()),
        proposed: crate::domain::Said { by: "mia".into(), at: jiff::Timestamp::UNIX_EPOCH },
        confirmed: None,
    };
    let translations = [always("department", "Eng", "Brand new"), always("dynamic_1", "medium", "M")];
    let catalog = catalog();
    let mapping = mapping(
        "[fields]\ndepartment = { from = \"job.department\", values = { Eng = \"Engineering\", HR = \"Nowhere\" }, \
         unknown = \"hold\" }",
    );
    let plan = |department: &str, size: &str| {
        let mut facts = mia().facts;
        facts.put("job.department", department);
        facts.put_custom("Shirt size", json!(size));
        mapping.plan(&Input { translations: &translations, ..Input::of(facts, &catalog) })
    };
    let new = plan("Eng", "medium");
    let sent = |name: &str| new.employee.value(name).cloned();
    assert_eq!((sent("department"), sent("dynamic_1")), (Some(json!("Brand new")), Some(json!("M"))));
    assert_eq!((new.hold, new.warnings.len()), (None, 0));
    assert!(new.notes.contains(&"always:department".to_owned()), "{:?}", new.notes);
    // To the letter, and nothing else.
    let other = plan("eng", "Medium");
    assert!(
        !other.notes.iter().any(|note| note.starts_with("always")) && other.hold == Some(Held::Unmatched)
    );
    assert_eq!(
        mapping.written(&catalog, "dynamic_1", [("medium", "M")].into_iter()).as_deref(),
        Some(r#""label:Shirt size" = { from = "custom.Shirt size", values = { "medium" = "M" } }"#)
    );
    assert_eq!(mapping.written(&catalog, "dynamic_99", std::iter::empty()), None);
}

//! Lists, groups without a fact, names without a letter: where rules are easily half-right.

use serde_json::json;

use super::*;

#[test]
fn of_several_tags_each_is_translated_and_a_proposed_line_loses_none() {
    let rule =
        |values: &str| format!("[fields]\nSkills = {{ from = \"custom.Can\", values = {{ {values} }} }}");
    for told in [json!("Rost,Golang"), json!(["Rost", "Golang"])] {
        let can = [("custom.Can", told)];
        let plan = planned(&rule("Rost = \"Rust\", Golang = \"Go\""), &can);
        assert_eq!((plan.hold, plan.employee.value("dynamic_3")), (None, Some(&json!("Rust, Go"))));
        // What the table makes of it is not known: the line changes what the table says of it.
        let wrong = planned(&rule("Rost = \"Rustt\", Golang = \"Go\""), &can);
        let line = wrong.warnings[0].line.clone().expect("a line");
        let pasted = planned(&format!("[fields]\n{line}"), &can);
        assert_eq!(pasted.employee.value("dynamic_3"), Some(&json!("Rust, Go")), "{line}");
    }
    let plan = planned("[fields]\nSkills = \"custom.Can\"", &[("custom.Can", json!("Go,Rustt"))]);
    let line = plan.warnings[0].line.clone().expect("a line");
    let pasted = planned(&format!("[fields]\n{line}"), &[("custom.Can", json!("Go,Rustt"))]);
    assert_eq!(pasted.employee.value("dynamic_3"), Some(&json!("Go, Rust")), "{line}");
}

/// A catalog with these subcompanies.
fn with_subcompanies(names: &[&str]) -> Catalog {
    let mut catalog = catalog();
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    catalog.names.as_mut().expect("names").insert("subcompany".to_owned(), names);
    catalog
}

#[test]
fn of_a_jobs_tags_the_table_says_which_is_the_subcompany() {
    let catalog = with_subcompanies(&["Acme AG", "Acme GmbH"]);
    let rule = r#"
        [fields]
        subcompany = { from = "job.tags", values = { "DE" = "Acme GmbH", "Berlin" = "Acme GmbH", "CH" = "Acme AG" } }
    "#;
    let plan = |tags: Value| {
        let mut facts = mia().facts;
        facts.put("job.tags", tags);
        mapping(rule).plan(&Input::of(facts, &catalog))
    };
    for tags in [json!(["remote", "DE", "urgent"]), json!(["DE", "Berlin"]), json!(["CH"])] {
        let plan = plan(tags.clone());
        assert_eq!((plan.hold, plan.warnings.len()), (None, 0), "{tags}");
    }
    for tags in [json!(["DE", "CH"]), json!(["remote", "urgent"])] {
        let plan = plan(tags.clone());
        assert_eq!((plan.hold, plan.employee.value("subcompany")), (Some(Held::Invalid), None), "{tags}");
        let warning = &plan.warnings[0];
        assert_eq!((warning.code.as_str(), warning.options.len()), ("several_values", 2), "{tags}");
    }
}

#[test]
fn an_unmatched_subcompany_has_a_line_that_holds_until_it_is_filled_in() {
    let catalog = with_subcompanies(&["Acme GmbH"]);
    let mut facts = mia().facts;
    facts.put("tenant.name", "Somebody Else AG");
    let plan = |toml: &str| mapping(toml).plan(&Input::of(facts.clone(), &catalog));
    let line = plan("").warnings[0].line.clone().expect("a line");
    assert!(line.contains(r#""Somebody Else AG" = "?""#), "{line}");
    assert_eq!(plan(&format!("[fields]\n{line}")).hold, Some(Held::Unmatched));
    let filled = plan(&format!("[fields]\n{}", line.replace('?', "Acme GmbH")));
    assert_eq!((filled.hold, filled.warnings.len()), (None, 0));
}

#[test]
fn a_subcompany_that_a_person_types_is_sent_also_where_nobody_has_one_yet() {
    let catalog = catalog();
    let mut input = Input::of(mia().facts, &catalog);
    input.corrections.insert("subcompany".into(), json!("Acme GmbH"));
    let plan = mapping("").plan(&input);
    assert_eq!((plan.hold, plan.employee.value("subcompany")), (None, Some(&json!("Acme GmbH"))));
    assert_eq!(plan.warnings[0].code, "unknown_value");
}

#[test]
fn where_nobody_has_an_office_the_plan_says_that_it_was_not_checked() {
    let mut catalog = catalog();
    catalog.names.as_mut().expect("names").remove("office");
    let mut facts = mia().facts;
    facts.put("job.location", "Berlin");
    let plan = mapping("").plan(&Input::of(facts, &catalog));
    assert_eq!((plan.hold, plan.warnings.len(), plan.notes), (None, 0, vec!["names_not_checked".to_owned()]));
}

#[test]
fn a_required_gender_that_is_not_said_holds() {
    let plan = planned(
        "[fields]\ngender = { from = \"custom.Sex\", required = true }",
        &[("custom.Sex", json!("0"))],
    );
    assert_eq!((plan.hold, plan.missing), (Some(Held::Missing), vec!["gender".to_owned()]));
    assert_eq!(plan.notes, ["gender_not_known"]);
}

#[test]
fn a_sources_rule_wins_also_when_it_names_the_attribute_by_its_label() {
    let common = settings("[fields]\ndynamic_1 = { const = \"S\" }");
    let own = settings("[fields]\n\"Shirt size\" = { const = \"L\" }");
    for (common, own) in [(&common, &own), (&own, &common)] {
        let mapping = Mapping::compile(common, Some(("ashby", own))).expect("right rules");
        let catalog = catalog();
        let plan = mapping.plan(&Input::of(mia().facts, &catalog));
        let expected = if own.fields.contains_key("dynamic_1") { "S" } else { "L" };
        assert_eq!(plan.employee.value("dynamic_1"), Some(&json!(expected)));
    }
}

#[test]
fn a_default_in_a_template_holds_also_where_nothing_else_of_the_kind_is_known() {
    let rule = "[fields]\ndynamic_1 = { template = \"{{ custom['Shirt'] | default('M') }}\" }";
    let plan = planned(rule, &[]);
    assert_eq!((plan.hold, plan.employee.value("dynamic_1")), (None, Some(&json!("M"))));
}

#[test]
fn no_address_is_made_of_a_name_without_a_letter() {
    let mut input = mia();
    input.facts = Facts::new();
    for (fact, text) in [("candidate.first_name", "Mia"), ("candidate.last_name", ".")] {
        input.facts.put(fact, text);
    }
    let rule = "[fields]\nemail = { template = \"{{ candidate.first_name | mailbox }}.{{ candidate.last_name | mailbox }}@acme.example\" }";
    let plan = mapping(rule).plan(&input);
    assert_eq!((plan.hold, plan.employee.email()), (Some(Held::Invalid), ""));
}

#[test]
fn all_addresses_may_stand_among_several_origins() {
    let plan = planned("[fields]\nemail = { first_of = [\"custom.Work mail\", \"candidate.emails\"] }", &[]);
    assert_eq!((plan.hold, plan.employee.email()), (None, "mia@example.org"));
}

#[test]
fn a_first_day_that_passed_while_the_hire_waited_is_told() {
    let mut input = mia();
    input.received = Some(jiff::civil::date(2026, 12, 1));
    input.today = Some(jiff::civil::date(2027, 1, 2));
    let plan = mapping("").plan(&input);
    assert_eq!((plan.status.as_deref(), plan.warnings[0].code.as_str()), (Some("active"), "hire_date_past"));
    // Without a first day, Personio begins with `onboarding`.
    input.facts = Facts::new();
    assert_eq!(mapping("").plan(&input).status.as_deref(), Some("onboarding"));
}

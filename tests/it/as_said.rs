//! Never invented: what is sent is what was said, byte for byte, and what was not said is not sent.

use hirebridge::sim::Operation;
use serde_json::{Value, json};

use crate::support::ashby::candidate_hire;
use crate::support::{House, Setup};

/// `code field=sent` of each warning, in order.
fn warnings(hire: &Value) -> Vec<String> {
    let all = hire["warnings"].as_array().expect("warnings");
    let words = |w: &Value| format!("{} {}={}", text(&w["code"]), text(&w["field"]), text(&w["sent"]));
    let mut words: Vec<_> = all.iter().map(words).collect();
    words.sort();
    words
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn notes(hire: &Value) -> Vec<&str> {
    hire["notes"].as_array().expect("notes").iter().map(text).collect()
}

/// The employee in the last create call.
fn sent(house: &House) -> Value {
    let requests = house.sim.requests();
    let create = requests.iter().rfind(|request| request.operation == Operation::CreateEmployee);
    create.expect("something was sent").body["employee"].clone()
}

#[tokio::test]
async fn names_arrive_byte_for_byte() {
    let long = "ß".repeat(500);
    let last_names = ["Müller", "Mu\u{308}ller", "👩‍👩‍👧", "O’Neil", "=1+1", "<b>", "Ḱ", &long];
    let house = House::new().await;
    for (n, last_name) in last_names.into_iter().enumerate() {
        let body =
            candidate_hire(&format!("a-{n}"), &format!("Zoë {last_name}"), &format!("z{n}@example.org"));
        let answer = house.deliver(&body).await;
        assert_eq!(answer.state(), "created");
        assert_eq!(house.hire(&answer.hire()).await["warnings"], json!([]), "{last_name}");
        let employees = house.sim.employees();
        let person = &employees.last().expect("somebody").person;
        assert_eq!((person.first_name.as_str(), person.last_name.as_str()), ("Zoë", last_name));
    }
}

#[tokio::test]
async fn the_start_date_is_the_calendar_date_as_it_is_written() {
    let house = House::new().await;
    let written =
        ["2027-01-01T23:30:00Z", "2027-01-01T00:30:00+14:00", "2027-01-01T23:59:59-11:00", "2027-01-01"];
    for (n, date) in written.into_iter().enumerate() {
        let mut body = candidate_hire(&format!("a-{n}"), "Mia Beispiel", &format!("m{n}@example.org"));
        body["data"]["offer"]["latestVersion"]["startDate"] = date.into();
        let answer = house.deliver(&body).await;
        assert_eq!(answer.state(), "created", "{date}");
        assert_eq!(sent(&house)["hire_date"], "2027-01-01", "{date}");
        assert_eq!(house.hire(&answer.hire()).await["warnings"], json!([]), "{date}");
    }
}

#[tokio::test]
async fn without_a_date_none_is_sent_and_one_that_is_none_is_held() {
    let house = House::new().await;
    for (n, none) in [json!(null), json!(""), json!("  ")].into_iter().enumerate() {
        let mut body = candidate_hire(&format!("a-{n}"), "Mia Beispiel", &format!("m{n}@example.org"));
        body["data"]["offer"]["latestVersion"]["startDate"] = none;
        let answer = house.deliver(&body).await;
        assert_eq!(answer.state(), "created");
        assert_eq!(house.hire(&answer.hire()).await["missing"], json!(["hire_date"]));
        assert!(sent(&house).get("hire_date").is_none() && sent(&house).get("status").is_none());
    }
    let sent_before = house.sim.creates();
    for (n, wrong) in ["2027-02-30", "01.02.2027", "soon", "1798761600000"].into_iter().enumerate() {
        let mut body = candidate_hire(&format!("b-{n}"), "Mia Beispiel", &format!("b{n}@example.org"));
        body["data"]["offer"]["latestVersion"]["startDate"] = wrong.into();
        let answer = house.deliver(&body).await;
        assert_eq!(answer.state(), "held(invalid)", "{wrong}");
        let expected = format!("not_a_date hire_date={wrong}");
        assert_eq!(warnings(&house.hire(&answer.hire()).await), [expected]);
    }
    assert_eq!(house.sim.creates(), sent_before);
}

#[tokio::test]
async fn without_address_or_name_nothing_is_made_up() {
    let house = House::new().await;
    let cases = [
        ("primaryEmailAddress", json!(null), json!(["email"])),
        ("primaryEmailAddress", json!({"value": " ", "type": "Personal"}), json!(["email"])),
        ("name", json!(null), json!(["first_name", "last_name"])),
        ("name", json!("  "), json!(["first_name", "last_name"])),
        ("name", json!("Cher"), json!(["first_name"])),
    ];
    for (n, (field, value, missing)) in cases.into_iter().enumerate() {
        let mut body = candidate_hire(&format!("a-{n}"), "Mia Beispiel", &format!("m{n}@example.org"));
        body["data"]["application"]["candidate"][field] = value;
        let answer = house.deliver(&body).await;
        assert_eq!(answer.state(), "held(missing)", "{missing}");
        assert_eq!(house.hire(&answer.hire()).await["missing"], missing);
    }
    assert_eq!(house.sim.creates(), 0);
}

#[tokio::test]
async fn control_characters_are_held() {
    let house = House::new().await;
    let cases = [
        ("/data/application/candidate/name", "Mia Bei\u{0}spiel", "last_name"),
        ("/data/application/candidate/name", "Mi\u{7}a Beispiel", "first_name"),
        ("/data/application/candidate/name", "Mia \u{202e}leipsieB", "last_name"),
        ("/data/application/job/title", "Engi\nneer", "position"),
    ];
    for (n, (place, value, field)) in cases.into_iter().enumerate() {
        let mut body = candidate_hire(&format!("a-{n}"), "Mia Beispiel", &format!("m{n}@example.org"));
        *body.pointer_mut(place).expect("is there") = value.into();
        let answer = house.deliver(&body).await;
        assert_eq!(answer.state(), "held(invalid)", "{value:?}");
        let hire = house.hire(&answer.hire()).await;
        assert_eq!(
            (&hire["warnings"][0]["code"], &hire["warnings"][0]["field"]),
            (&json!("control_characters"), &json!(field))
        );
    }
    assert_eq!(house.sim.creates(), 0);
}

#[tokio::test]
async fn only_an_uncertain_split_of_a_name_is_a_warning_and_holds_only_for_review() {
    // The name, its parts, and what is said about the split.
    let uncertain = [
        ("Beispiel, Mia", "Mia", "Beispiel"),
        ("Mia Maria Beispiel", "Mia Maria", "Beispiel"),
        ("Gabriel García Márquez", "Gabriel García", "Márquez"),
    ];
    let by_particle = [
        ("Jörg van der Müller", "Jörg", "van der Müller"),
        ("Vincent van Gogh", "Vincent", "van Gogh"),
        ("Miguel de la Cruz", "Miguel", "de la Cruz"),
        ("Johann Wolfgang von Goethe", "Johann Wolfgang", "von Goethe"),
    ];
    for review in [false, true] {
        let name_split = if review { "name_split = \"review\"" } else { "" };
        let house = House::with(Setup { ashby: name_split.into(), ..Setup::default() }).await;
        let cases =
            uncertain.map(|case| (case, true)).into_iter().chain(by_particle.map(|case| (case, false)));
        for (n, ((name, first, last), warns)) in cases.enumerate() {
            let body = candidate_hire(&format!("a-{n}"), name, &format!("m{n}@example.org"));
            let answer = house.deliver(&body).await;
            let expected = if warns && review { "held(review)" } else { "created" };
            assert_eq!(answer.state(), expected, "{name}");
            let hire = house.hire(&answer.hire()).await;
            let said = if warns { vec![format!("name_split last_name={last}")] } else { vec![] };
            assert_eq!((warnings(&hire), notes(&hire).contains(&"name_split")), (said, !warns), "{name}");
            let employee = &hire["plan"]["employee"];
            assert_eq!((text(&employee["first_name"]), text(&employee["last_name"])), (first, last));
        }
        assert_eq!(house.sim.creates(), if review { 4 } else { 7 });
    }
}

//! Help with the configuration: what is wrong with it, what a key means, and what an editor is told.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use axum::http::StatusCode;
use hirebridge::config::{Config, DEFAULTS, schema};
use hirebridge::sim::{Options, Sim};
use jsonschema::Validator;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::process::{ended, hirebridge, run, text};
use crate::support::{Setup, configuration};

/// A folder with a configuration in it.
fn folder(config: &str) -> TempDir {
    let folder = TempDir::new().expect("a folder can be made");
    fs::write(folder.path().join("hirebridge.toml"), config).expect("writable");
    folder
}

fn usual() -> String {
    configuration("http://127.0.0.1:9", Path::new("/nowhere"), &Setup::default())
}

/// What a command says, on both outputs, and its exit code.
fn said(folder: &Path, args: &[&str]) -> (String, Option<i32>) {
    let output = run(folder, args);
    (text(&output.stdout) + &text(&output.stderr), output.status.code())
}

fn validator() -> Validator {
    jsonschema::validator_for(&schema()).expect("the schema is one")
}

/// What an editor would underline.
fn underlined(validator: &Validator, toml: &str) -> Vec<String> {
    let table: toml::Table = toml.parse().expect("TOML");
    let json = serde_json::to_value(table).expect("JSON");
    validator.iter_errors(&json).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// The defaults with everything that is a comment there because it has no default.
fn filled() -> String {
    let setting = |line: &&str| {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let is_key = |key: &str| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        bare.starts_with('[') || bare.split_once(" = ").is_some_and(|(key, _)| is_key(key))
    };
    // A rule is a fact or a table, not both.
    let lines = DEFAULTS.lines().filter(setting).filter(|line| !line.starts_with("# NAME = "));
    lines.map(|line| line.strip_prefix("# ").unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_configuration_is_judged_without_starting_anything() {
    let folder = folder(&usual());
    let (fine, code) = said(folder.path(), &["config", "check"]);
    assert_eq!((code, fine.as_str()), (Some(0), "hirebridge.toml: nothing is wrong\n"));
    let wrong = usual().replace("settle = ", "setle = ").replace("kind = \"ashby\"", "kind = \"ashbi\"");
    fs::write(folder.path().join("hirebridge.toml"), wrong).expect("writable");
    let (wrong, code) = said(folder.path(), &["config", "check"]);
    assert_eq!(code, Some(1));
    assert!(wrong.contains("`sources.ashby.setle` is not a known key. Did you mean `settle`?"), "{wrong}");
    assert!(wrong.contains("hirebridge.toml:"), "{wrong}");
    let names = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(names, 1, "nothing was made");
}

#[test]
fn the_defaults_and_the_example_are_what_the_schema_describes() {
    let validator = validator();
    assert_eq!(underlined(&validator, DEFAULTS), Vec::<String>::new());
    assert_eq!(underlined(&validator, &filled()), Vec::<String>::new());
    let example = include_str!("../../deploy/hirebridge.example.toml");
    assert_eq!(underlined(&validator, example), Vec::<String>::new());
    assert_eq!(underlined(&validator, &usual()), Vec::<String>::new());
}

#[test]
fn the_schema_underlines_what_the_service_would_refuse() {
    let validator = validator();
    for wrong in [
        "[server]\nlisten = 8080",
        "[server]\nlissten = \"0.0.0.0:8080\"",
        "[servers]\n",
        "[log]\nlevel = \"loud\"",
        "[personio]\nclient_secret = { fil = \"x\" }",
        "[sources.ashby]\nkind = \"ashbi\"",
        "[sources.ashby]\nsecrets = \"one\"",
        "[sources.ashby.mapping.fields]\noffice = { form = \"job.office\" }",
        "[mapping.fields]\noffice = { from = \"job.office\", unknown = \"drop\" }",
        "[[operators]]\nname = \"mia\"\nrole = \"boss\"",
    ] {
        assert_eq!(underlined(&validator, wrong).len(), 1, "{wrong}");
    }
}

#[test]
fn the_schema_knows_every_key_that_can_be_set_and_no_other() {
    let schema = schema();
    let known = |pointer: &str| {
        let keys = schema.pointer(pointer).and_then(Value::as_object).expect("a section");
        let mut keys: Vec<_> = keys.keys().cloned().collect();
        keys.sort();
        keys
    };
    let sections = [
        ("[server]", "/properties/server/properties"),
        ("[log]", "/properties/log/properties"),
        ("[ledger]", "/properties/ledger/properties"),
        ("[personio]", "/properties/personio/properties"),
        ("[transfer]", "/properties/transfer/properties"),
        ("[sources.a]", "/properties/sources/additionalProperties/properties"),
        (
            "[mapping.fields.office]",
            "/properties/mapping/properties/fields/additionalProperties/anyOf/1/properties",
        ),
        ("[[ignore]]", "/properties/ignore/items/properties"),
        ("[[operators]]", "/properties/operators/items/properties"),
    ];
    for (section, pointer) in sections {
        let folder = folder(&format!("{section}\nno-such-key-at-all = 1\n"));
        let errors = Config::load(Some(&folder.path().join("hirebridge.toml")), std::iter::empty())
            .expect_err("there is no such key");
        let error =
            errors.iter().find(|error| error.key.ends_with("no-such-key-at-all")).expect("it is told");
        let mut taken: Vec<_> = error.remedy.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        if section == "[sources.a]" {
            taken.extend(["mapping", "ignore", "documents"].map(str::to_owned));
        }
        taken.sort();
        assert_eq!(known(pointer), taken, "{section}: default.toml has a sentence for each key and no other");
    }
}

#[test]
fn an_explained_key_shows_its_meaning_its_default_and_where_it_is_set() {
    let folder = folder(&usual().replace("[server]", "[server]\nwait = \"2s\""));
    let (wait, code) = said(folder.path(), &["config", "explain", "server.wait"]);
    assert_eq!(code, Some(0));
    let expected = "\
server.wait
  How long a webhook's answer waits for the final state; some ATSs give up at 5 s.
  default:      \"4s\"
  environment:  HIREBRIDGE__SERVER__WAIT
  now:          \"2s\" (hirebridge.toml:3)
  a change:     taken up by `hirebridge config reload`
";
    assert_eq!(wait, expected);
    let mut by_variable = hirebridge(folder.path());
    by_variable.args(["config", "explain", "server.wait"]).env("HIREBRIDGE__SERVER__WAIT", "1s");
    let by_variable = text(&by_variable.output().expect("it runs").stdout);
    assert!(by_variable.contains("\"1s\" (environment variable HIREBRIDGE__SERVER__WAIT)"), "{by_variable}");
    for (key, shown) in [
        ("sources.ashby.kind", "\"ashby\" (hirebridge.toml:"),
        ("sources.ashby.mapping.fields.office", "not set"),
        ("mapping.fields.Team lead.values", "The ATS's words and Personio's."),
        ("ledger.url", "\"sqlite:/nowhere/ledger.db\" (hirebridge.toml:"),
        ("ledger.url", "needs a restart"),
        ("transfer.in_flight", "needs a restart"),
        ("operators.role", "shown in the file alone"),
        ("ignore.is", "taken up by"),
        ("sources.ashby.ignore.is", "It applies if the fact is this text"),
    ] {
        let (explained, code) = said(folder.path(), &["config", "explain", key]);
        assert!(code == Some(0) && explained.contains(shown), "{key}: {explained}");
    }
}

#[test]
fn an_unknown_key_is_answered_with_those_that_were_meant() {
    let folder = folder(&usual());
    for (key, near) in [
        ("server.listn", "`server.listn`; did you mean server.listen?"),
        ("wait", "did you mean server.wait or sources.NAME.wait?"),
        ("server", "`server` is a section; ask for one of its keys: server.listen, server.public_url"),
        ("sources.ashby", "is a section; ask for one of its keys: sources.NAME.kind"),
        ("sources.ashby.ignore", "is a section; ask for one of its keys: ignore.name"),
        ("mapping", "is a section; ask for one of its keys: mapping.fields.NAME"),
    ] {
        let (said, code) = said(folder.path(), &["config", "explain", key]);
        assert!(code == Some(1) && said.contains(near), "{key}: {said}");
    }
}

#[test]
fn no_help_shows_a_secret() {
    let secret = "hunter2-4711";
    let config = usual()
        .replace("sim-client-secret", secret)
        .replace("ashby-secret-token", secret)
        .replace("sqlite:/nowhere/ledger.db", &format!("postgres://me:{secret}@localhost/db"));
    let folder = folder(&config);
    for key in
        ["personio.client_secret", "personio.client_id", "sources.ashby.secrets", "ledger.key", "ledger.url"]
    {
        let (explained, code) = said(folder.path(), &["config", "explain", key]);
        assert!(code == Some(0) && explained.contains("not shown (hirebridge.toml:"), "{key}: {explained}");
        assert!(!explained.contains("hunter2"), "{key}: {explained}");
    }
}

#[test]
fn the_defaults_that_are_shown_are_those_that_hold() {
    let folder = folder("");
    assert_eq!(said(folder.path(), &["config", "default"]), (DEFAULTS.to_owned(), Some(0)));
    let (printed, code) = said(folder.path(), &["config", "schema"]);
    assert_eq!((serde_json::from_str::<Value>(&printed).expect("JSON"), code), (schema(), Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_configuration_is_written_checked_and_never_replaced_unasked() {
    let sim = Sim::start(Options::default()).await.expect("the simulator starts");
    let folder = TempDir::new().expect("a folder can be made");
    fs::write(folder.path().join("typed"), "sim-client-secret\n").expect("writable");
    let init = |more: &[&str]| {
        let mut command = hirebridge(folder.path());
        command.args(["config", "init", "--personio", "acme.app.personio.com"]).args(more);
        command.args(["--ats", "ashby", "--ats", "greenhouse", "--ats", "softgarden"]);
        command.env("HIREBRIDGE__PERSONIO__BASE_URL", sim.url()).stdin(Stdio::null());
        command.env("HIREBRIDGE__OUTBOUND__ALLOW", "files.internal:8443, 127.0.0.1");
        let output = ended(&mut command);
        (text(&output.stdout) + &text(&output.stderr), output.status.code())
    };
    let credential = ["--client-id", "sim-client-id", "--client-secret-file", "typed"];
    let (said, code) = init(&credential);
    assert_eq!(code, Some(0), "{said}");
    for words in [
        "Create custom integration",
        "Employees: Read and Write",
        "https://acme.app.personio.com/staff/details/{id}",
        "https://acme.jobs.personio.de/xml or https://acme.jobs.personio.com/xml",
        "Personio takes the credential.",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("sim-client-secret"), "{said}");
    for name in [
        "hirebridge.toml",
        "ledger_key",
        "personio_client_id",
        "personio_client_secret",
        "ashby_secret",
        "greenhouse_secret",
        "softgarden_secret",
    ] {
        let mode = fs::metadata(folder.path().join(name)).expect("it was written").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(run(folder.path(), &["config", "check"]).status.code(), Some(0));
    let written = fs::read_to_string(folder.path().join("hirebridge.toml")).expect("readable");
    assert_eq!(underlined(&validator(), &written), Vec::<String>::new());
    let asked =
        ["ashby", "greenhouse", "softgarden"].map(|kind| written.contains(&format!("{kind}_api_key")));
    assert_eq!(asked, [true, false, false], "a key is of use where an API is asked");

    let key = fs::read(folder.path().join("ledger_key")).expect("readable");
    fs::write(folder.path().join("hirebridge.toml"), "mine").expect("writable");
    let (said, code) = init(&credential);
    assert!(code == Some(1) && said.contains("hirebridge.toml is there; --force replaces it"), "{said}");
    assert_eq!(fs::read_to_string(folder.path().join("hirebridge.toml")).expect("readable"), "mine");
    assert_eq!(init(&["--force"]).1, Some(0));
    assert_eq!(fs::read_to_string(folder.path().join("hirebridge.toml")).expect("readable"), written);
    assert_eq!(
        fs::read(folder.path().join("ledger_key")).expect("readable"),
        key,
        "a key is never made anew"
    );
}

/// The API of an ATS that says this to every call, and where it is.
async fn ats_that_says(status: u16, answer: Value) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("is bound"));
    let status = StatusCode::from_u16(status).expect("a status");
    let says = move || std::future::ready((status, axum::Json(answer.clone())));
    let router = axum::Router::new().route("/application.list", axum::routing::post(says));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_configuration_asks_the_ats_whether_it_takes_the_key() {
    let sim = Sim::start(Options::default()).await.expect("the simulator starts");
    for (status, answer, expected) in [
        (200, json!({"success": true, "results": []}), "ashby takes the key to its API."),
        (
            200,
            json!({"success": false, "errorInfo": {"code": "missing_endpoint_permission"}}),
            "or not for this: the ATS refused: missing_endpoint_permission",
        ),
        (401, json!({}), "ashby does not take the key to its API"),
        (503, json!({}), "Whether ashby takes the key to its API is not known"),
    ] {
        let folder = TempDir::new().expect("a folder can be made");
        fs::write(folder.path().join("typed"), "sim-client-secret\n").expect("writable");
        fs::write(folder.path().join("key"), "key-of-ashby\n").expect("writable");
        let mut command = hirebridge(folder.path());
        // Named twice, it is one source still.
        command.args(["config", "init", "--ats", "ashby", "--ats", "ashby", "--api-key-file", "ashby=key"]);
        command.args(["--client-id", "sim-client-id", "--client-secret-file", "typed"]);
        command.env("HIREBRIDGE__PERSONIO__BASE_URL", sim.url()).stdin(Stdio::null());
        command.env("HIREBRIDGE__SOURCES__ASHBY__API_BASE_URL", ats_that_says(status, answer).await);
        command.env("HIREBRIDGE__OUTBOUND__ALLOW", "127.0.0.1");
        let output = ended(&mut command);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success() && said.contains(expected), "{said}");
        assert!(said.contains("Personio takes the credential.") && !said.contains("key-of-ashby"), "{said}");
        let key = fs::read_to_string(folder.path().join("ashby_api_key")).expect("it was written");
        assert_eq!(key, "key-of-ashby");
        assert_eq!(run(folder.path(), &["config", "check"]).status.code(), Some(0));
    }
}

#[test]
fn a_secret_that_is_given_anew_is_not_taken_in_silence_for_the_one_that_is_there() {
    let folder = TempDir::new().expect("a folder can be made");
    fs::write(folder.path().join("personio_client_id"), "mine\n").expect("writable");
    let init = |id: &str| {
        let mut command = hirebridge(folder.path());
        command.args(["config", "init", "--force", "--client-id", id]).stdin(Stdio::null());
        text(&ended(&mut command).stdout)
    };
    let said = init("another");
    assert!(said.contains("personio_client_id is there and stays as it is; delete it"), "{said}");
    assert!(!init("mine").contains("stays as it is"));
    let there = fs::read_to_string(folder.path().join("personio_client_id")).expect("readable");
    assert_eq!(there, "mine\n");
}

#[test]
fn what_a_first_configuration_still_lacks_is_named() {
    let folder = TempDir::new().expect("a folder can be made");
    let mut command = hirebridge(folder.path());
    let output = ended(command.args(["config", "init"]).stdin(Stdio::null()));
    let said = text(&output.stdout);
    assert!(
        said.contains("Still to do: write the credential's client secret into personio_client_secret"),
        "{said}"
    );
    let mut wrong = hirebridge(folder.path());
    let wrong = ended(
        wrong.args(["config", "init", "--force", "--personio", "acme.example.com"]).stdin(Stdio::null()),
    );
    assert!(text(&wrong.stderr).contains("must be where you log in to Personio"), "{}", text(&wrong.stderr));
}

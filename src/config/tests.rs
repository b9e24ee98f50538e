use std::fmt::Write as _;
use std::path::PathBuf;

use bytesize::ByteSize;
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tempfile::TempDir;
use url::Url;

use super::*;

/// Stands for every secret: no error may hold it.
const SECRET: &str = "hunter2-4711";

const TEST_DEFAULTS: &str =
    "[server]\nlisten = \"0.0.0.0:8080\"\nwait = \"4s\"\nbody_limit = \"1MiB\"\n[personio]\nreads = 240";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    server: Server,
    personio: Personio,
    #[serde(default)]
    sources: BTreeMap<String, Source>,
    #[serde(default)]
    mapping: Mapping,
    #[serde(default)]
    operators: Vec<Operator>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    listen: String,
    wait: SignedDuration,
    body_limit: ByteSize,
    public_url: Option<Url>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Personio {
    client_id: SecretString,
    client_secret: SecretString,
    reads: u32,
    #[serde(default)]
    strict: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    kind: Kind,
    secrets: Vec<SecretString>,
    api_key: Option<SecretString>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Ashby,
    Recruitee,
}

#[derive(Debug, Default, Deserialize)]
struct Mapping {
    #[serde(default)]
    fields: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Operator {
    name: String,
}

/// A folder with a configuration file, and an environment.
struct Setup {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Setup {
    fn new(file: &str) -> Self {
        let setup = Self { folder: TempDir::new().expect("a folder for the test"), variables: Vec::new() };
        setup.file("hirebridge.toml", file)
    }

    /// With what is required, so that only `more` can be wrong.
    fn complete(more: &str) -> Self {
        let personio = "[personio]\nclient_id = \"id\"\nclient_secret = \"hunter2-4711\"\n";
        Self::new(&format!("{personio}{more}"))
    }

    fn file(self, name: &str, content: &str) -> Self {
        std::fs::write(self.folder.path().join(name), content).expect("the test's folder can be written");
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("hirebridge.toml")
    }

    fn load(&self) -> Result<Settings, ConfigErrors> {
        load(TEST_DEFAULTS, Some(&self.path()), self.variables.clone().into_iter())
    }

    fn settings(&self) -> Settings {
        self.load().unwrap_or_else(|errors| panic!("{errors}"))
    }

    /// The errors as they are shown, without the folder's name; checked for secrets.
    fn refusal(&self) -> String {
        let errors = self.load().expect_err("the configuration is wrong");
        let mut shown = errors.to_string();
        write!(shown, "\n{errors:?}").expect("writing to a string does not fail");
        assert!(!shown.contains("hunter2"), "a value leaked: {shown}");
        assert!(!shown.contains("4711"), "a value leaked: {shown}");
        errors.to_string().replace(&format!("{}/", self.folder.path().display()), "")
    }
}

fn secret(value: &SecretString) -> &str {
    value.expose_secret()
}

#[test]
fn defaults_are_overlaid_by_the_file_and_that_by_the_environment() {
    let setup =
        Setup::complete("[server]\nwait = \"2s\"\nlisten = \"[::1]:1\"\n[[operators]]\nname = \"mia\"")
            .variable("HIREBRIDGE__SERVER__LISTEN", "127.0.0.1:2")
            .variable("HIREBRIDGE_CONFIG", "not a setting");
    let Settings { server, operators, .. } = setup.settings();
    assert_eq!(operators[0].name, "mia");
    assert_eq!(server.listen, "127.0.0.1:2");
    assert_eq!(server.wait, SignedDuration::from_secs(2));
    assert_eq!(server.body_limit, ByteSize::mib(1));
    assert!(server.public_url.is_none());
}

#[test]
fn text_from_the_environment_becomes_what_is_wanted() {
    let setup = Setup::complete("[sources.ashby-eu]\nkind = \"ashby\"")
        .variable("HIREBRIDGE__SOURCES__ASHBY_EU__SECRETS", "4711")
        .variable("HIREBRIDGE__PERSONIO__CLIENT_SECRET", "0123456789")
        .variable("HIREBRIDGE__PERSONIO__READS", "60")
        .variable("HIREBRIDGE__PERSONIO__STRICT", "true")
        .variable("HIREBRIDGE__SERVER__BODY_LIMIT", "2048")
        .variable("HIREBRIDGE__SERVER__PUBLIC_URL", "https://hires.example.com")
        .variable("HIREBRIDGE__SOURCES__ASHBY_EU__API_KEY", "true")
        .variable("HIREBRIDGE__SOURCES__ASHBY_EU__KIND", "recruitee");
    let settings = setup.settings();
    assert_eq!(secret(&settings.personio.client_secret), "0123456789");
    assert_eq!(settings.personio.reads, 60);
    assert!(settings.personio.strict);
    assert_eq!(settings.server.body_limit, ByteSize::kib(2));
    assert_eq!(settings.server.public_url.expect("it was set").host_str(), Some("hires.example.com"));
    let source = &settings.sources["ashby-eu"];
    assert_eq!(source.api_key.as_ref().map(secret), Some("true"));
    assert_eq!(source.kind, Kind::Recruitee);
    assert_eq!(source.secrets.iter().map(secret).collect::<Vec<_>>(), ["4711"]);
}

#[test]
fn a_file_is_not_needed_when_the_environment_says_all() {
    let variables = [
        ("HIREBRIDGE__PERSONIO__CLIENT_ID".to_owned(), "id".to_owned()),
        ("HIREBRIDGE__PERSONIO__CLIENT_SECRET__ENV".to_owned(), "KEPT_HERE".to_owned()),
        ("KEPT_HERE".to_owned(), SECRET.to_owned()),
    ];
    let settings: Settings = load(TEST_DEFAULTS, None, variables.into_iter()).expect("all is set");
    assert_eq!(secret(&settings.personio.client_secret), SECRET);
}

#[test]
fn secrets_come_from_variables_and_files() {
    let setup = Setup::new(
        "[personio]\nclient_id = { env = \"THE_ID\" }\nclient_secret.file = \"secret\"\n\
         [sources.a]\nkind = \"ashby\"\nsecrets = [\"literal\", { env = \"THE_ID\" }, { file = \"credential\" }]\n\
         [mapping.fields]\nnote = { env = \"a fact of this name\" }\nempty = { \"\" = \"\" }",
    )
    .file("secret", "  hunter2-4711 \r\n")
    .variable("THE_ID", "12345\n");
    let credentials = TempDir::new().expect("a folder for the test");
    std::fs::write(credentials.path().join("credential"), "from systemd").expect("the folder can be written");
    let setup = setup.variable("CREDENTIALS_DIRECTORY", &credentials.path().display().to_string());

    let settings = setup.settings();
    assert_eq!(secret(&settings.personio.client_id), "12345");
    assert_eq!(secret(&settings.personio.client_secret), "  hunter2-4711 ");
    let secrets: Vec<_> = settings.sources["a"].secrets.iter().map(secret).collect();
    assert_eq!(secrets, ["literal", "12345", "from systemd"]);
    assert_eq!(settings.mapping.fields["note"]["env"], "a fact of this name");
}

#[test]
fn the_environment_replaces_a_secret_of_the_file() {
    let setup =
        Setup::complete("").file("other", SECRET).variable("HIREBRIDGE__PERSONIO__CLIENT_ID__FILE", "other");
    assert_eq!(secret(&setup.settings().personio.client_id), SECRET);
    let setup = Setup::new("[personio]\nclient_id = { file = \"gone\" }\nclient_secret = \"x\"")
        .variable("HIREBRIDGE__PERSONIO__CLIENT_ID", "id");
    assert_eq!(secret(&setup.settings().personio.client_id), "id");
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_known_one() {
    let setup = Setup::complete("[server]\nlisen = \"hunter2-4711\"\n[servers]\n");
    let shown = setup.refusal();
    assert_eq!(
        shown,
        "hirebridge.toml:5: `server.lisen` is not a known key. Did you mean `listen`?\n\
         hirebridge.toml:6: `servers` is not a known key. Did you mean `server`?"
    );
    let shown = Setup::complete("[server]\nzzz = 1").refusal();
    assert!(shown.contains("Known here: `listen`, `wait`, `body_limit`, `public_url`."), "{shown}");
    let shown = Setup::complete("").variable("HIREBRIDGE__SERVER__WAITS", SECRET).refusal();
    assert!(
        shown.starts_with("environment variable HIREBRIDGE__SERVER__WAITS: `server.waits` is not"),
        "{shown}"
    );
}

#[test]
fn a_value_of_the_wrong_type_is_named_but_not_shown() {
    let shown = Setup::new(
        "[personio]\nclient_id = 4711\nclient_secret = { file = \"a\", mode = 1 }\nreads = \"hunter2-4711\"\n\
         strict = \"yes\"\n[sources.a]\nkind = \"ashbi\"\nsecrets = \"hunter2-4711\"\n",
    )
    .refusal();
    assert_eq!(
        shown,
        "hirebridge.toml:2: `personio.client_id` must be text in quotes, not a whole number\n\
         hirebridge.toml:3: `personio.client_secret` must be text in quotes, not a section. A secret is text, \
         `{ env = \"NAME\" }` or `{ file = \"PATH\" }`, and nothing beside it.\n\
         hirebridge.toml:4: `personio.reads` must be a whole number from 0 to 4294967295, not this text\n\
         hirebridge.toml:5: `personio.strict` must be true or false, not this text\n\
         hirebridge.toml:7: `sources.a.kind` must be one of `ashby`, `recruitee`, perhaps `ashby`\n\
         hirebridge.toml:8: `sources.a.secrets` must be a list, not this text"
    );
}

#[test]
fn a_value_that_cannot_be_parsed_is_not_shown_in_the_parsers_words() {
    let setup = Setup::complete(
        "[server]\nwait = \"hunter2-4711\"\nbody_limit = \"hunter2-4711\"\npublic_url = \"hunter2-4711\"",
    );
    let shown = setup.refusal();
    assert!(shown.contains("hirebridge.toml:5: `server.wait` cannot be used"), "{shown}");
    assert!(shown.contains("hirebridge.toml:6: `server.body_limit` cannot be used"), "{shown}");
    let url = "hirebridge.toml:7: `server.public_url` cannot be used: relative URL without a base";
    assert!(shown.contains(url), "{shown}");
}

#[test]
fn a_value_from_the_environment_is_named_by_its_variable() {
    let setup = Setup::complete("[[operators]]\nname = \"mia\"")
        .variable("HIREBRIDGE__PERSONIO__READS", SECRET)
        .variable("HIREBRIDGE__SERVER__LISTEN__PORT", SECRET)
        .variable("HIREBRIDGE__SERVER", SECRET)
        .variable("HIREBRIDGE__OPERATORS__0__NAME", SECRET)
        .variable("HIREBRIDGE__MAPPING__FIELDS__X", SECRET)
        .variable("HIREBRIDGE____X", SECRET);
    let shown = setup.refusal();
    for line in [
        "environment variable HIREBRIDGE__PERSONIO__READS: `personio.reads` must be a whole number",
        "environment variable HIREBRIDGE__SERVER: `server` must be a section, not this text. Sections are",
        "HIREBRIDGE__OPERATORS__0__NAME: `operators.0.name` is in a list",
        "HIREBRIDGE__MAPPING__FIELDS__X: `mapping.fields.x` is a mapping",
        "HIREBRIDGE____X: `.x` names no key",
    ] {
        assert!(shown.contains(line), "{line} is not in {shown}");
    }
}

#[test]
fn what_is_missing_is_named_with_how_to_set_it() {
    let setup = Setup::new("[sources.a]\nkind = \"ashby\"\n[[operators]]\n");
    assert_eq!(
        setup.refusal(),
        "hirebridge.toml:1: `sources.a.secrets` is missing. Add `secrets = …` under `[sources.a]`, \
         or set the environment variable HIREBRIDGE__SOURCES__A__SECRETS.\n\
         hirebridge.toml:3: `operators[0].name` is missing. Add `name = …` to that `[[operators]]`.\n\
         hirebridge.toml: `personio.client_id` is missing. Add `client_id = …` under `[personio]`, \
         or set the environment variable HIREBRIDGE__PERSONIO__CLIENT_ID.\n\
         hirebridge.toml: `personio.client_secret` is missing. Add `client_secret = …` under `[personio]`, \
         or set the environment variable HIREBRIDGE__PERSONIO__CLIENT_SECRET."
    );
    let none = std::iter::empty();
    let errors = load::<Settings>(TEST_DEFAULTS, None, none).expect_err("nothing is set");
    let first = errors.iter().next().expect("there are errors");
    assert_eq!(first.key, "personio.client_id");
    assert!(first.remedy.contains("in a configuration file, named with `--config`, or set"), "{first}");
}

#[test]
fn a_placeholder_that_nobody_replaces_is_refused() {
    let setup = Setup::new(
        "[personio]\nclient_id = \"hunter2-${PERSONIO_ID}\"\nclient_secret = \"x\"\n\
         [mapping.fields]\na = { const = \"${CITY}\" }\nb = { const = \"$.a ${} {$x} ${1}\" }",
    );
    assert_eq!(
        setup.refusal(),
        "hirebridge.toml:2: `personio.client_id` holds a literal ${PERSONIO_ID}, which hirebridge does not \
         replace. Write `{ env = \"PERSONIO_ID\" }` in place of the text.\n\
         hirebridge.toml:5: `mapping.fields.a.const` holds a literal ${CITY}, which hirebridge does not \
         replace. Write `{ env = \"CITY\" }` in place of the text."
    );
}

#[test]
fn an_empty_secret_is_refused() {
    let setup = Setup::new(
        "[personio]\nclient_id = \" \"\nclient_secret = { env = \"EMPTY\" }\n\
         [sources.a]\nkind = \"ashby\"\nsecrets = [{ file = \"empty\" }]",
    )
    .file("empty", "\n")
    .variable("EMPTY", "")
    .variable("HIREBRIDGE__SOURCES__A__API_KEY", "");
    let shown = setup.refusal();
    for line in [
        "hirebridge.toml:2: `personio.client_id` is empty.",
        "hirebridge.toml:3: `personio.client_secret` comes from the environment variable EMPTY, which is empty.",
        "hirebridge.toml:6: `sources.a.secrets[0]` comes from the file empty, which is empty.",
        "environment variable HIREBRIDGE__SOURCES__A__API_KEY: `sources.a.api_key` is empty.",
    ] {
        assert!(shown.contains(line), "{line} is not in {shown}");
    }
}

#[test]
fn a_secret_that_cannot_be_had_is_refused_with_the_reason() {
    let setup = Setup::new(
        "[personio]\nclient_id = { env = \"NOT_SET\" }\nclient_secret = { env = \"hunter2-4711\" }\n\
         [sources.a]\nkind = \"ashby\"\nsecrets = [{ file = \"gone\" }]",
    );
    let shown = setup.refusal();
    for line in [
        "hirebridge.toml:2: `personio.client_id` is to come from the environment variable NOT_SET, which is not set.",
        "hirebridge.toml:3: `personio.client_secret` is to come from the environment variable it names, which",
        "hirebridge.toml:6: `sources.a.secrets[0]` is to come from the file gone, which cannot be read: \
         No such file or directory",
    ] {
        assert!(shown.contains(line), "{line} is not in {shown}");
    }
}

#[test]
fn broken_toml_is_refused_with_line_and_column_but_not_shown() {
    let shown = Setup::new("[personio]\nclient_id = hunter2-4711\n").refusal();
    assert!(shown.starts_with("hirebridge.toml:2: is no TOML at column 13: "), "{shown}");
    let shown = Setup::new("[personio]\nclient_id = \"hunter2-4711\n").refusal();
    assert!(shown.starts_with("hirebridge.toml:2: is no TOML at column "), "{shown}");
    let shown = Setup::new("a = \"hunter2-4711\"\na = 1").refusal();
    assert!(shown.starts_with("hirebridge.toml:2: is no TOML at column 1: duplicate key"), "{shown}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let setup = Setup::new("");
    std::fs::remove_file(setup.path()).expect("it was just written");
    let shown = setup.refusal();
    assert!(shown.starts_with("hirebridge.toml: cannot be read: No such file"), "{shown}");
}

#[test]
fn a_modules_objection_gets_the_line_of_its_key() {
    let setup = Setup::complete("[sources.a]\nkind = \"ashby\"\nsecrets = [\n  \"x\",\n  \"x\",\n]");
    let objection = |key: &str| Objection {
        key: key.into(),
        problem: "is the same as another".into(),
        remedy: String::new(),
    };
    let check = |_: &Settings| vec![objection("sources.a.secrets[1]"), objection("sources.a.unset")];
    let errors = load_checked(TEST_DEFAULTS, Some(&setup.path()), std::iter::empty(), check)
        .expect_err("there are objections");
    let lines: Vec<_> = errors.iter().map(|error| (error.key.as_str(), error.place.clone())).collect();
    let line = |line| Place::Line(setup.path().into(), line);
    assert_eq!(lines, [("sources.a.unset", line(4)), ("sources.a.secrets[1]", line(8))]);
}

#[test]
fn the_built_in_defaults_are_toml_and_hold_nothing_that_is_refused() {
    let defaults: BTreeMap<String, BTreeMap<String, serde_json::Value>> =
        load(DEFAULTS, None, std::iter::empty()).unwrap_or_else(|errors| panic!("{errors}"));
    let sections: Vec<_> = defaults.keys().map(String::as_str).collect();
    assert_eq!(
        sections,
        ["ledger", "log", "notices", "outbound", "personio", "retention", "server", "transfer"]
    );
}

#[test]
fn where_the_service_listens_is_known_whatever_is_wrong_with_the_file() {
    let folder = TempDir::new().expect("a folder can be made");
    let file = folder.path().join("hirebridge.toml");
    for wrong in ["[sources.ashby]\nenabled = maybe", "[server]", "[sources", "listen = \"nowhere\""] {
        std::fs::write(&file, format!("[server]\nlisten = \"127.0.0.1:4711\"\n[log]\n{wrong}\n"))
            .expect("writable");
        assert_eq!(listens_on(Some(&file)), "127.0.0.1:4711".parse().ok(), "{wrong}");
    }
    assert_eq!(listens_on(None), "0.0.0.0:8080".parse().ok());
}

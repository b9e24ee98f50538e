//! Sign-in by a reverse proxy: it says who asks, and of which groups, in headers that are believed from it alone.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderName};
use serde::Deserialize;

use super::code::Code;
use super::operators::{Operator, Role, is_name};
use super::problem::Problem;

/// `[server.proxy_sign_in]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The header with the name.
    pub user_header: String,
    /// The header with the groups, divided by commas.
    pub groups_header: String,
    /// What the members of a group may do.
    pub roles: BTreeMap<String, String>,
}

/// The same, checked.
#[derive(Debug)]
pub(super) struct SignIn {
    user: HeaderName,
    groups: HeaderName,
    roles: Vec<(String, Role)>,
}

impl SignIn {
    pub(super) fn build(settings: &Settings) -> Result<Self, Vec<(&'static str, String)>> {
        let mut mistakes = Vec::new();
        let mut header = |key: &'static str, name: &str| {
            let name = name.parse::<HeaderName>();
            if name.is_err() {
                mistakes.push((key, "must be the name of a header".to_owned()));
            }
            name
        };
        let user = header("server.proxy_sign_in.user_header", &settings.user_header);
        let groups = header("server.proxy_sign_in.groups_header", &settings.groups_header);
        let mut roles = Vec::new();
        for (group, role) in &settings.roles {
            match role.parse() {
                Ok(role) => roles.push((group.clone(), role)),
                Err(unknown) => {
                    mistakes.push(("server.proxy_sign_in.roles", format!("{unknown}, for each group")));
                }
            }
        }
        match (user, groups) {
            (Ok(user), Ok(groups)) if mistakes.is_empty() => Ok(Self { user, groups, roles }),
            _ => Err(mistakes),
        }
    }

    /// Whom the headers name; nobody if there is no name. To be asked only about what a trusted proxy has sent.
    pub(super) fn operator(&self, headers: &HeaderMap) -> Result<Option<Operator>, Problem> {
        let Some(name) = one(headers, &self.user)?.filter(|name| !name.is_empty()) else { return Ok(None) };
        if !is_name(name) {
            return Err(Problem::of(Code::Forbidden).detail("proxy_name"));
        }
        let groups = one(headers, &self.groups)?.unwrap_or_default();
        let of = |group: &str| self.roles.iter().find(|(known, _)| known == group).map(|(_, role)| *role);
        let role = groups.split(',').filter_map(|group| of(group.trim())).max();
        let role = role.ok_or_else(|| Problem::of(Code::Forbidden).detail("proxy_groups"))?;
        Ok(Some(Operator { name: name.into(), role }))
    }
}

/// The one value of a header. Of two, one may be the client's.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let refused = || Problem::of(Code::BadRequest).detail("proxy_header");
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(refused());
    }
    value.to_str().map(|text| Some(text.trim())).map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn sign_in() -> SignIn {
        let roles = [("hr", "viewer"), ("hr-admins", "admin"), ("hr-desk", "sender")];
        let roles = roles.map(|(group, role)| (group.to_owned(), role.to_owned())).into();
        let settings = Settings { user_header: "X-User".into(), groups_header: "X-Groups".into(), roles };
        SignIn::build(&settings).expect("the settings are right")
    }

    fn said(headers: &[(&'static str, &'static str)]) -> Result<Option<Operator>, Code> {
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.append(*name, HeaderValue::from_static(value));
        }
        sign_in().operator(&all).map_err(|problem| problem.code())
    }

    #[test]
    fn a_name_has_the_best_role_of_its_groups() {
        let found = |groups: &'static str| {
            let found = said(&[("x-user", " mia@acme.example "), ("x-groups", groups)]);
            found.map(|found| found.map(|found| (found.name.to_string(), found.role)))
        };
        let mia = |role| Ok(Some(("mia@acme.example".to_owned(), role)));
        assert_eq!(found("hr"), mia(Role::Viewer));
        assert_eq!(found("all, hr-desk ,hr"), mia(Role::Sender));
        assert_eq!(found("hr-desk,hr-admins"), mia(Role::Admin));
        assert_eq!(found("HR,hr-admin"), Err(Code::Forbidden));
        assert_eq!(said(&[("x-user", "mia")]), Err(Code::Forbidden));
    }

    #[test]
    fn no_name_is_nobody_and_a_strange_or_doubled_one_is_refused() {
        assert_eq!(said(&[("x-groups", "hr")]), Ok(None));
        assert_eq!(said(&[("x-user", ""), ("x-groups", "hr")]), Ok(None));
        assert_eq!(said(&[("x-user", "Mia Muster"), ("x-groups", "hr")]), Err(Code::Forbidden));
        let twice = [("x-user", "mia"), ("x-user", "ada"), ("x-groups", "hr")];
        assert_eq!(said(&twice), Err(Code::BadRequest));
        let twice = [("x-user", "mia"), ("x-groups", "hr"), ("x-groups", "hr-admins")];
        assert_eq!(said(&twice), Err(Code::BadRequest));
    }
}

//! Whom each route is open to: stated where the route is registered, written into the contract, and asked by the door.

use std::collections::HashMap;

use axum::http::Method;
use axum::http::header::HeaderValue;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa_axum::router::UtoipaMethodRouter;

use super::App;
use super::operators::Role;

/// The key of an operation in the contract under which its access stands.
const KEY: &str = "x-role";

/// How it stands there that nobody needs to be signed in.
const ANYONE: &str = "anyone";

/// Whom a route is open to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Anyone: signs in, or out.
    Anyone,
    /// Operators with this role, or one that may do more.
    Operators(Role),
}

impl Access {
    fn name(self) -> &'static str {
        match self {
            Self::Anyone => ANYONE,
            Self::Operators(role) => role.name(),
        }
    }

    /// What the operation says.
    pub(super) fn of(operation: &Operation) -> Option<Self> {
        let said = operation.extensions.as_ref()?.get(KEY)?.as_str()?;
        if said == ANYONE { Some(Self::Anyone) } else { said.parse().ok().map(Self::Operators) }
    }
}

/// Routes for operators with this role, or one that may do more.
pub(super) fn needs(role: Role, routes: UtoipaMethodRouter<App>) -> UtoipaMethodRouter<App> {
    stated(Access::Operators(role), routes)
}

/// Routes behind the door that nobody needs to be signed in for.
pub(super) fn anyone(routes: UtoipaMethodRouter<App>) -> UtoipaMethodRouter<App> {
    stated(Access::Anyone, routes)
}

fn stated(access: Access, (schemas, mut paths, router): UtoipaMethodRouter<App>) -> UtoipaMethodRouter<App> {
    for operation in paths.paths.values_mut().flat_map(operations) {
        operation.extensions.get_or_insert_default().insert(KEY.to_owned(), access.name().into());
    }
    (schemas, paths, router)
}

/// The operations of one path.
pub(super) fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().flatten()
}

/// What all routes together say.
#[derive(Debug, Default)]
pub(super) struct Gates(HashMap<String, Vec<(Method, Access)>>);

impl Gates {
    pub(super) fn of(api: &OpenApi) -> Self {
        let gates = |item: &PathItem| {
            let PathItem { get, put, post, delete, patch, .. } = item;
            let all = [
                (Method::GET, get),
                (Method::PUT, put),
                (Method::POST, post),
                (Method::DELETE, delete),
                (Method::PATCH, patch),
            ];
            let stated = |(method, operation): (Method, &Option<Operation>)| {
                Some((method, Access::of(operation.as_ref()?)?))
            };
            all.into_iter().filter_map(stated).collect()
        };
        Self(api.paths.paths.iter().map(|(path, item)| (path.clone(), gates(item))).collect())
    }

    /// Whom this route is open to; nobody, if it does not say so. What GET is open to, HEAD is.
    pub(super) fn access(&self, path: &str, method: &Method) -> Option<Access> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.0.get(path)?.iter().find(|(known, _)| known == method).map(|(_, access)| *access)
    }

    /// The methods that are open at this path, as `Allow` tells them; none if there are none.
    pub(super) fn allowed(&self, path: &str) -> Option<HeaderValue> {
        let names = |(method, _): &(Method, Access)| {
            if method == Method::GET { "GET,HEAD".to_owned() } else { method.to_string() }
        };
        let all: Vec<_> = self.0.get(path)?.iter().map(names).collect();
        (!all.is_empty()).then(|| HeaderValue::from_str(&all.join(",")).ok())?
    }
}

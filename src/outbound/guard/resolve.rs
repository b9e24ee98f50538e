//! Resolves names to those addresses alone that the guard admits: the connection goes to what comes out of here.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{Forbidden, Guard};

/// Where names are looked up.
#[derive(Clone)]
pub(super) struct Names(pub(super) Arc<dyn Resolve>);

impl Names {
    pub(super) fn system() -> Self {
        Self(Arc::new(System))
    }
}

/// The machine's own way.
struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<_> = found.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The guarded way.
pub(super) struct Resolver(Guard);

impl Resolver {
    pub(super) fn new(guard: Guard) -> Self {
        Self(guard)
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0.clone();
        Box::pin(async move {
            let asked = name.as_str().to_owned();
            let found: Vec<SocketAddr> = guard.names.0.resolve(name).await?.collect();
            let none = found.is_empty();
            let mut admitted = found;
            admitted.retain(|address| guard.rules.admits(&asked, address.ip()));
            if admitted.is_empty() && !none {
                return Err(Forbidden::Address.into());
            }
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
}

//! The structure that softgarden's support is asked to send. The names are softgarden's own, as far as it has any:
//! <https://dev.softgarden.de/data-structures> and <https://dev.softgarden.de/apply-api>.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::super::json::Id;

/// What softgarden sends to a source of kind `softgarden`: one application. Fields that are not named here are ignored;
/// what is not known is left out, or `null`.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SoftgardenDelivery {
    /// What makes a hire one hire, however often it is sent: 1 to 128 letters, digits, `-`, `_` and `.`.
    #[schema(value_type = String, example = "1b639d3b-57b3-4b31-9fac-83a8c5d9443a")]
    pub(super) application_id: Id,
    /// `HIRED`: somebody was hired, whatever your status is called. `WITHDRAWN`: the hire is taken back. `TEST`: a trial,
    /// of which nothing becomes. Anything else is answered with success and ignored.
    #[expect(dead_code, reason = "what it says is looked at before the rest is read")]
    #[schema(example = "HIRED")]
    status: String,
    /// When the application got this status. Of several deliveries, it says which came last.
    #[schema(format = DateTime, example = "2026-11-18T15:03:27Z")]
    pub(super) changed_at: Option<String>,
    /// The name of the tenant (Mandant): the subcompany in Personio, unless the mapping says otherwise.
    #[schema(example = "Acme GmbH")]
    pub(super) tenant: Option<String>,
    /// The tenant's id.
    #[schema(value_type = Option<String>)]
    pub(super) tenant_id: Option<Id>,
    #[schema(value_type = String, example = "Jörg")]
    pub(super) firstname: Option<String>,
    #[schema(value_type = String, example = "van der Müller")]
    pub(super) lastname: Option<String>,
    #[schema(value_type = String, format = Email, example = "joerg.mueller@example.com")]
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
    /// `M`, `F` or `D`.
    #[schema(example = "M")]
    pub(super) gender: Option<String>,
    #[schema(format = Date)]
    pub(super) birth_date: Option<String>,
    pub(super) address: Option<SoftgardenAddress>,
    /// The position's id.
    #[schema(value_type = Option<String>, example = "2797227")]
    pub(super) job_id: Option<Id>,
    /// The position's name.
    #[schema(example = "Backend Engineer")]
    pub(super) job_name: Option<String>,
    pub(super) department: Option<String>,
    /// Where the position is: the office in Personio.
    pub(super) location: Option<String>,
    pub(super) employment_type: Option<String>,
    /// The first day of work.
    #[schema(format = Date, example = "2027-01-01")]
    pub(super) hire_date: Option<String>,
    /// The last day, of a contract that ends.
    #[schema(format = Date)]
    pub(super) contract_end_date: Option<String>,
    #[schema(value_type = Option<f64>)]
    pub(super) weekly_hours: Option<Value>,
    /// Fields of your own, by their title: text, a number, yes or no, or a list of texts.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub(super) custom_fields: Option<Map<String, Value>>,
    /// The person's files.
    #[expect(
        dead_code,
        reason = "it stands for them in the contract; they are read in place, for they are large"
    )]
    #[schema(value_type = Option<Vec<SoftgardenDocument>>)]
    documents: Option<IgnoredAny>,
}

/// Where somebody lives.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SoftgardenAddress {
    pub(super) street: Option<String>,
    pub(super) postal_code: Option<String>,
    pub(super) city: Option<String>,
    /// ISO 3166-1, two letters.
    #[schema(example = "DE")]
    pub(super) country_code: Option<String>,
}

/// A file, with all that is in it.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SoftgardenDocument<'a> {
    /// Its id; without one, a file is known again by what is in it.
    #[schema(value_type = Option<String>)]
    pub(super) id: Option<Id>,
    /// Its name, with its ending.
    #[schema(value_type = String, example = "application.pdf")]
    pub(super) file_name: &'a str,
    /// `resume`, `cover_letter`, `offer_letter`, `signed_offer`, `e_signature` or `other`, which holds also without it.
    #[schema(value_type = Option<String>, example = "other")]
    pub(super) kind: Option<&'a str>,
    /// The file in Base64 (RFC 4648, the usual alphabet, padded; line breaks do no harm).
    #[schema(value_type = String, format = Byte, example = "JVBERi0xLjQKJSBleGFtcGxlCg==")]
    pub(super) binary_data: &'a str,
}

//! Everything that is stored sealed: where it is, and as whose place it is opened.

/// A column of what is sealed. Whoever seals into another one adds it here, for both engines: what is not here stays
/// under the old key when the ledger's key is changed.
pub(super) struct SealedColumn {
    pub table: &'static str,
    pub column: &'static str,
    /// What tells a row of the table from the others, and has an order.
    pub row: &'static str,
    /// Its place, as what is to be joined by blanks; each a column or a text.
    pub place: &'static str,
}

impl SealedColumn {
    /// The rows whose key begins otherwise than one of so many, in the SQL of both engines; `mark` writes a parameter.
    pub(super) fn sealed_by_others(&self, keys: usize, mark: impl Fn(usize) -> String) -> String {
        let Self { table, column, .. } = self;
        let keys = (0..keys).map(mark).collect::<Vec<_>>().join(", ");
        format!(
            "{table} WHERE length({column}) > 0 AND substr({column}, 1, {}) NOT IN ({keys})",
            super::seal::ID_LEN
        )
    }
}

/// So many rows are sealed anew in one commit.
pub(super) const BATCH: i64 = 32;

const fn sealed(
    table: &'static str,
    column: &'static str,
    row: &'static str,
    place: &'static str,
) -> SealedColumn {
    SealedColumn { table, column, row, place }
}

pub(super) const OF_SQLITE: &[SealedColumn] = &[
    sealed("records", "sealed", "n", "part, hire"),
    sealed("deliveries", "body", "n", "'body'"),
    sealed("translations", "entry", "id", "'translation', id"),
    sealed("documents", "sheet", "id", "'sheet', id"),
    sealed("spool", "chunk", "rowid", "'chunk', document, fill, n"),
];

pub(super) const OF_POSTGRES: &[SealedColumn] = &[
    sealed("hires", "facts", "ctid", "'facts', id"),
    sealed("hires", "rest", "ctid", "'rest', id"),
    sealed("deliveries", "body", "ctid", "'body'"),
    sealed("translations", "entry", "ctid", "'translation', id"),
    sealed("documents", "sheet", "ctid", "'sheet', id"),
    sealed("spool", "chunk", "ctid", "'chunk', document, fill, n"),
];

//! Everything that is stored sealed: where it is, and as whose place it is opened.

use super::seal::{ID_LEN, KeyId};

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
    /// The rows that one of so many keys has sealed, in the SQL of both engines; `mark` writes a parameter.
    pub(super) fn sealed_by(&self, keys: usize, mark: impl Fn(usize) -> String) -> String {
        let Self { table, column, .. } = self;
        let keys = (0..keys).map(mark).collect::<Vec<_>>().join(", ");
        format!("{table} WHERE substr({column}, 1, {ID_LEN}) IN ({keys})")
    }
}

/// The row of `meta` with the ids of all keys that were the ledger's before the one of today. What begins with none of
/// these ids, nor with that of today's, is damaged, and no key would open it.
pub(super) const FORMER_KEYS: &str = "former_keys";

/// Of the keys that were the ledger's, those that were not given.
pub(super) fn missing(former: &[u8], given: &[KeyId]) -> Vec<KeyId> {
    let former = former.chunks_exact(ID_LEN).filter_map(|id| KeyId::try_from(id).ok());
    former.filter(|id| !given.contains(id)).collect()
}

/// The same row with one more key, each once.
pub(super) fn with_former(former: Vec<u8>, key: KeyId) -> Vec<u8> {
    if former.chunks_exact(ID_LEN).any(|known| known == key) {
        former
    } else {
        [former, key.to_vec()].concat()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_key_that_was_the_ledgers_can_be_missing() {
        let (first, second, third) = ([1; ID_LEN], [2; ID_LEN], [3; ID_LEN]);
        let former = with_former(with_former(with_former(Vec::new(), first), second), first);
        assert_eq!(former.len(), 2 * ID_LEN, "each once");
        assert_eq!(missing(&former, &[third]), [first, second]);
        assert_eq!(missing(&former, &[first, second, third]), [] as [KeyId; 0]);
        assert_eq!(missing(&[], &[third]), [] as [KeyId; 0]);
    }
}

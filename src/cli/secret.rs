//! `hirebridge secret`: makes a secret.

use std::io::Write;

use crate::ledger::LedgerKey;

/// Make a secret: for an ATS's webhook, or the ledger's key.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  hirebridge secret                            a secret to paste into the ATS and the configuration
  hirebridge secret --ledger-key > ledger.key  the key that everything personal is encrypted under")]
pub(super) struct Args {
    /// Make a ledger key (32 bytes in base64) instead of a webhook secret (64 hex digits)
    #[arg(long)]
    ledger_key: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let secret = if args.ledger_key { LedgerKey::generate() } else { webhook_secret()? };
    Ok(writeln!(std::io::stdout(), "{secret}")?)
}

/// 32 random bytes in hex: letters and digits alone, so that no form spoils it.
pub(super) fn webhook_secret() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| anyhow::anyhow!("the operating system gives no random bytes"))?;
    Ok(hex::encode(bytes))
}

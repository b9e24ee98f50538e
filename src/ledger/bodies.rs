//! The bodies of deliveries are kept for a time, and for longer where a hire still needs them.

/// Of `hires`, those that need their deliveries no more: they have ended, nobody has to decide about them, and no file
/// of theirs may still have to be taken from a body. In the SQL of both engines.
pub(super) const NEEDS_NO_BODIES: &str = "hires.state NOT IN ('received', 'ready', 'waiting', 'sending', 'unknown') \
     AND (hires.state <> 'held' OR hires.flags LIKE '%\"dismissed\":true%') \
     AND NOT EXISTS (SELECT 1 FROM documents WHERE documents.hire = hires.id AND documents.state = 'pending')";

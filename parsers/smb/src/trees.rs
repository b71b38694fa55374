//! The shares that are in use.

use crate::names;
use crate::reply::Share;
use crate::text::Name;

/// Most shares at a time.
const TREES_MAX: usize = 64;

/// A share that a session uses.
#[derive(Debug)]
pub(crate) struct Tree {
    session_id: u64,
    tree_id: u32,
    pub(crate) path: Option<Name>,
    pub(crate) share_type: Option<&'static str>,
}

/// All of a connection.
#[derive(Debug, Default)]
pub(crate) struct Trees(Vec<Tree>);

impl Trees {
    /// A share was connected to. Of too many, the one connected to first is forgotten.
    pub(crate) fn add(&mut self, session_id: u64, tree_id: u32, path: Option<Name>, share: Share) {
        self.remove(session_id, tree_id);
        if self.0.len() >= TREES_MAX {
            self.0.remove(0);
        }
        let share_type = names::share_type(share.kind);
        self.0.push(Tree { session_id, tree_id, path, share_type });
    }

    pub(crate) fn get(&self, session_id: u64, tree_id: u32) -> Option<&Tree> {
        self.0.iter().find(|tree| (tree.session_id, tree.tree_id) == (session_id, tree_id))
    }

    pub(crate) fn remove(&mut self, session_id: u64, tree_id: u32) {
        self.0.retain(|tree| (tree.session_id, tree.tree_id) != (session_id, tree_id));
    }

    /// A session has ended.
    pub(crate) fn remove_all(&mut self, session_id: u64) {
        self.0.retain(|tree| tree.session_id != session_id);
    }
}
